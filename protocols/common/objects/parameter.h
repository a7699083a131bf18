// What: Parameter, one parameter of a foreign object's method.
// Why: descriptions list them, and messages are made of arguments for them.
// Who: description.h, messages.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "objects/value.h"

namespace hector::objects {

/// As Python's inspect.Parameter.kind counts them, which HEROS sends.
enum class ParameterKind : std::uint8_t {
  kPositionalOnly = 0,
  kPositionalOrKeyword = 1,
  kPositionalRest = 2,
  kKeywordOnly = 3,
  kKeywordRest = 4
};
struct Parameter {
  std::string name;
  std::string type;  ///< a Python type's name; empty: none was said
  ParameterKind kind = ParameterKind::kPositionalOrKeyword;
  std::optional<Value> fallback;  ///< its default
};

}  // namespace hector::objects
