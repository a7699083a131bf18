// What: short ways to compile an expression, run it and print what came of it.
// Why: the tests of each file are then one line an expression.
// Who: the tests of this folder.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "expression/omg.h"
#include "expression/xfn.h"

namespace hector::expression::testing {

using Attributes = std::map<std::string, Value>;

inline Value integer(std::int64_t value) { return Value::of(value); }
inline Value text(std::string_view value) { return Value::of(value); }

inline Value run(const Program& program, const Attributes& attributes) {
  std::vector<Value> slots;
  for (const auto& name : program.tree().names)
    slots.push_back(attributes.contains(name) ? attributes.at(name) : Value());
  return program.run(slots);
}
/// "T", "F" or "?".
inline std::string truth(std::string_view expression, const Attributes& attributes = {},
                         Undefined undefined = Undefined::kKleene) {
  auto program = compile_constraint(expression, {.undefined = undefined});
  if (!program) return program.error().text();
  if (program->is_always()) return "T";
  const Value value = run(*program, attributes);
  return value.kind != Kind::kBoolean ? "?" : value.boolean ? "T" : "F";
}
inline std::string filter(std::string_view expression, const Attributes& attributes = {},
                          const std::vector<std::string>& arguments = {}) {
  auto program = compile_filter(expression, arguments);
  if (!program) return program.error().text();
  return program->is_always() || run(*program, attributes).is_true() ? "T" : "F";
}
inline std::string why(std::string_view expression, CompileOptions options = {}) {
  const auto program = compile_constraint(expression, options);
  return program ? "compiles" : program.error().text();
}

}  // namespace hector::expression::testing
