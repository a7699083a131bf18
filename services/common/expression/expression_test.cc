// The languages and the three rules for what is undefined.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>

#include "expression/omg.h"
#include "expression/xfn.h"

namespace hector::expression {
namespace {

using ::testing::HasSubstr;
using Attributes = std::map<std::string, Value>;

Value integer(std::int64_t value) { return Value::of(value); }
Value text(std::string_view value) { return Value::of(value); }

Value run(const Program& program, const Attributes& attributes) {
  std::vector<Value> slots;
  for (const auto& name : program.tree().names)
    slots.push_back(attributes.contains(name) ? attributes.at(name) : Value());
  return program.run(slots);
}
/// "T", "F" or "?".
std::string truth(std::string_view expression, const Attributes& attributes = {},
                  Undefined undefined = Undefined::kKleene) {
  auto program = compile_constraint(expression, {.undefined = undefined});
  if (!program) return program.error().text();
  if (program->is_always()) return "T";
  const Value value = run(*program, attributes);
  return value.kind != Kind::kBoolean ? "?" : value.boolean ? "T" : "F";
}
std::string filter(std::string_view expression, const Attributes& attributes = {},
                   const std::vector<std::string>& arguments = {}) {
  auto program = compile_filter(expression, arguments);
  if (!program) return program.error().text();
  return program->is_always() || run(*program, attributes).is_true() ? "T" : "F";
}
std::string why(std::string_view expression, CompileOptions options = {}) {
  const auto program = compile_constraint(expression, options);
  return program ? "compiles" : program.error().text();
}

TEST(Expression, ThreeLanguagesHaveThreeRulesForWhatIsUndefined) {
  struct Row {
    const char* expression;
    std::int64_t y;
    bool kleene, xfn, omg;
  };
  const Row rows[] = {{"not (x == 1)", 2, false, true, false},
                      {"x == 1 or y == 2", 2, true, true, false},
                      {"y == 2 or x == 1", 2, true, true, true},
                      {"not (x == 1 and y == 2)", 3, true, true, false},
                      {"exist x", 2, false, false, false}};
  for (const auto& row : rows) {
    const Attributes y{{"y", integer(row.y)}};
    EXPECT_EQ(truth(row.expression, y) == "T", row.kleene) << row.expression;
    EXPECT_EQ(truth(row.expression, y, Undefined::kOmg) == "T", row.omg) << row.expression;
    const std::string in_xfn = row.expression == std::string_view("exist x") ? "x" : row.expression;
    EXPECT_EQ(filter(in_xfn, y) == "T", row.xfn) << row.expression;
  }
}

TEST(Expression, OmgPrecedenceAndArithmetic) {
  EXPECT_EQ(truth("1 + 2 * 3 == 7"), "T");
  EXPECT_EQ(truth("(1 + 2) * 3 == 9"), "T");
  EXPECT_EQ(truth("7 / 2 == 3"), "T") << "integers stay integers";
  EXPECT_EQ(truth("7 / 2.0 == 3.5"), "T");
  EXPECT_EQ(truth("1 / 0 == 1"), "?");
  EXPECT_EQ(truth("9223372036854775807 + 1 > 9223372036854775807"), "T")
      << "what overflows goes on in reals";
  EXPECT_EQ(truth("9223372036854775807 == 9223372036854775806"), "F")
      << "64 bits are compared exactly";
  EXPECT_EQ(truth("-3 < -2 and - 2 < 1"), "T");
  EXPECT_EQ(truth("1-1 == 0 and 3 -2 == 1"), "T") << "a sign is no part of a number";
  EXPECT_EQ(truth("1e3 == 1000 and .5 == 0.5 and 5. == 5"), "T");
  EXPECT_EQ(truth("FALSE or TRUE and FALSE"), "F");
  EXPECT_EQ(truth("not FALSE and TRUE"), "T");
  EXPECT_EQ(truth("not x == FALSE", {{"x", Value::of(true)}}), "T") << "not binds tighter than ==";
  EXPECT_EQ(truth("FALSE < TRUE and 'a' < 'b'"), "T");
  EXPECT_EQ(truth("'a\\'b' == 'a\\'b' and 'a\\\\' == 'a\\\\'"), "T");
  EXPECT_EQ(truth(""), "T");
  EXPECT_EQ(truth("  \n"), "T");
  const Value items[] = {text("ps"), text("pcl"), integer(3)};
  const Attributes listed{{"langs", Value::of(items, 3)}};
  EXPECT_EQ(truth("'ps' in langs and 3.0 in langs", listed), "T");
  EXPECT_EQ(truth("'tex' in langs", listed), "F");
  EXPECT_EQ(truth("'ps' in missing"), "?");
  EXPECT_EQ(truth("'p' ~ name", {{"name", text("lp1")}}), "T");
  EXPECT_EQ(truth("'x' ~ name", {{"name", text("lp1")}}), "F");
  EXPECT_EQ(truth("'1' == 1"), why("'1' == 1"));
}

TEST(Expression, AMistakeIsNamedWithItsColumn) {
  EXPECT_THAT(why("ppm >="), HasSubstr("IllegalConstraint: column 7: found the end"));
  EXPECT_THAT(why("ppm >= 'x"), HasSubstr("column 10"));
  EXPECT_THAT(why("a == 1 b"), HasSubstr("column 8: found 'b'"));
  EXPECT_THAT(why("a = 1"), HasSubstr("column 3: found '='"));
  EXPECT_THAT(why("a == b == c"), HasSubstr("column 8")) << "comparisons do not associate";
  EXPECT_THAT(why("1 + TRUE == 2"), HasSubstr("'+' needs numbers, not boolean"));
  EXPECT_THAT(why("1 + 2"), HasSubstr("of kind integer, boolean is needed"));
  EXPECT_THAT(why("'a' in 'b'"), HasSubstr("column 8"));
  const auto declared = [](std::string_view name) -> Declared {
    if (name == "ppm") return {Kind::kInteger, {}};
    if (name == "langs") return {Kind::kList, Kind::kText};
    return {};
  };
  EXPECT_THAT(why("other == 1 and ppm == 'x'", {.declared = declared}),
              HasSubstr("column 16: '==' cannot compare integer with text"));
  EXPECT_THAT(why("3 in langs", {.declared = declared}),
              HasSubstr("'in' cannot compare integer with text"));
  EXPECT_THAT(why("'x' in ppm", {.declared = declared}),
              HasSubstr("'in' needs a sequence on its right, not integer"));
  EXPECT_THAT(why("langs == langs", {.declared = declared}), HasSubstr("use 'in'"));
  EXPECT_THAT(why("ppm", {.declared = declared}), HasSubstr("of kind integer, boolean is needed"));
  EXPECT_EQ(why("ppm > 1.5 and unknown == 'x'", {.declared = declared}), "compiles");
}

TEST(Expression, Preferences) {
  const auto kind = [](std::string_view text) {
    auto preference = compile_preference(text, {});
    return preference ? std::to_string(static_cast<int>(preference->kind))
                      : preference.error().text();
  };
  EXPECT_EQ(kind(""), "0");
  EXPECT_EQ(kind(" random "), "1");
  EXPECT_EQ(kind("max ppm * 2"), "2");
  EXPECT_EQ(kind("min(floor)"), "3");
  EXPECT_EQ(kind("with not colour"), "4");
  EXPECT_THAT(kind("best ppm"), HasSubstr("IllegalPreference: column 1: 'best' is none of"));
  EXPECT_THAT(kind("max"), HasSubstr("'max' needs an expression"));
  EXPECT_THAT(kind("first ppm"), HasSubstr("column 6: nothing may follow 'first'"));
  EXPECT_THAT(kind("max ppm >"), HasSubstr("column 10"));
  EXPECT_THAT(kind("with 1 + 1"), HasSubstr("of kind integer, boolean is needed"));
}

TEST(Expression, XfnFilters) {
  const Value colours[] = {text("red"), text("dark blue")};
  const Value sizes[] = {integer(3), integer(9)};
  const Attributes of{{"colour", Value::of(colours, 2)},
                      {"size", Value::of(sizes, 2)},
                      {"name()", text("lp1")},
                      {"reftype()", text("onc_fn_user")}};
  EXPECT_EQ(filter("", of), "T");
  EXPECT_EQ(filter("colour", of), "T");
  EXPECT_EQ(filter("weight", of), "F");
  EXPECT_EQ(filter("colour == 'red'", of), "T") << "some value satisfies it";
  EXPECT_EQ(filter("colour != 'red'", of), "F") << "no value may be equal";
  EXPECT_EQ(filter("colour != 'green'", of), "T");
  EXPECT_EQ(filter("weight != 'red'", of), "F")
      << "what is not there makes the innermost logical expression FALSE";
  EXPECT_EQ(filter("not weight == 'red'", of), "T");
  EXPECT_EQ(filter("size > 8 and size < 4", of), "T");
  EXPECT_EQ(filter("size >= 10 or colour == 'd'*", of), "T");
  EXPECT_EQ(filter("colour == *'blue'", of), "T");
  EXPECT_EQ(filter("colour == 'd'*'b'*'e'", of), "T");
  EXPECT_EQ(filter("colour == 'd'*'x'*", of), "F");
  EXPECT_EQ(filter("colour == *", of), "T");
  EXPECT_EQ(filter("colour != 'd'*", of), "F");
  EXPECT_EQ(filter("weight != 'd'*", of), "F");
  EXPECT_EQ(filter("colour ~= 'DarkBlue'", of), "T");
  EXPECT_EQ(filter("name('lp'*) and reftype('onc_fn_user')", of), "T");
  EXPECT_EQ(filter("name('x'*)", of), "F");
  EXPECT_EQ(filter("%a == %v and %a == %s*", of, {"size", "9", "colour", "dark"}), "T");
  EXPECT_EQ(filter("not (colour and not size == 3)", of), "T");
  EXPECT_THAT(filter("colour ==", of),
              HasSubstr("SEARCH_INVALID_FILTER: column 10: found the end"));
  EXPECT_THAT(filter("colour < 'a'*", of), HasSubstr("'*' goes with == and !="));
  EXPECT_THAT(filter("%a == %v", of, {"size"}), HasSubstr("there are 1 arguments"));
  EXPECT_THAT(filter("colour", of, {"size"}), HasSubstr("1 arguments were given, 0 are used"));
  EXPECT_THAT(filter("colour == 'a''b'", of), HasSubstr("column 11"));
  EXPECT_THAT(filter("colour == **", of), HasSubstr("column 11"));
  EXPECT_THAT(filter("(colour", of), HasSubstr("column 8"));
}

TEST(Expression, WhatIsHostileIsRefusedAtOnce) {
  const auto refused = [](const std::string& expression) {
    const auto started = std::chrono::steady_clock::now();
    const auto constraint = compile_constraint(expression, {});
    const auto filtered = compile_filter(expression, {});
    const auto took = std::chrono::steady_clock::now() - started;
    EXPECT_FALSE(constraint) << expression.substr(0, 30);
    EXPECT_FALSE(filtered) << expression.substr(0, 30);
    EXPECT_LT(took, std::chrono::milliseconds(100))
        << expression.substr(0, 30);  // 5 ms where nothing counts along
  };
  refused(std::string(1024 * 1024, 'a'));
  refused(std::string(10'000, '(') + "x" + std::string(10'000, ')'));
  refused("x" + std::string(60'000, ')'));
  std::string deep, wide, nots;
  for (int i = 0; i < 10'000; ++i) deep += "x == (";
  for (int i = 0; i < 6'000; ++i) wide += "x == 1 or ";
  for (int i = 0; i < 10'000; ++i) nots += "not ";
  refused(deep);
  refused(wide + "TRUE");
  refused(nots + "x");
  EXPECT_EQ(truth(std::string(100, '(') + "TRUE" + std::string(100, ')')), "T");
  EXPECT_THAT(truth(std::string(101, '(') + "TRUE" + std::string(101, ')')),
              HasSubstr("nested 100 deep"));
  // A pattern of many runs against a text that almost matches: linear.
  std::string pattern, subject(100'000, 'a');
  for (int i = 0; i < 200; ++i) pattern += "'aaaaaaaaab'*";
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(filter("x == *" + pattern, {{"x", text(subject)}}), "F");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(200));
}

/// A slow, obvious evaluator of the same tree.
Value naive(const Tree& tree, NodeId id, const std::vector<Value>& slots, Undefined mode,
            bool& failed) {
  const Node& node = tree[id];
  const auto of = [&](NodeId each) { return naive(tree, each, slots, mode, failed); };
  switch (node.op) {
    case Operator::kLiteral:
      return node.literal;
    case Operator::kName:
      if (!slots[node.name].is_defined()) failed = true;
      return slots[node.name];
    case Operator::kExist:
      return Value::of(slots[node.name].is_defined());
    case Operator::kNot: {
      const Value value = of(node.left);
      return value.kind == Kind::kBoolean ? Value::of(!value.boolean) : Value();
    }
    case Operator::kAnd:
    case Operator::kOr: {
      const bool decides = node.op == Operator::kOr;
      const Value left = of(node.left);
      if (mode == Undefined::kOmg &&
          (failed || (left.kind == Kind::kBoolean && left.boolean == decides)))
        return failed ? Value() : left;
      const Value right = of(node.right);
      for (const auto& each : {left, right}) {
        if (each.kind == Kind::kBoolean && each.boolean == decides) return Value::of(decides);
      }
      return left.kind == Kind::kBoolean && right.kind == Kind::kBoolean ? Value::of(!decides)
                                                                         : Value();
    }
    default: {
      const Value left = of(node.left), right = of(node.right);
      const Value value = apply(node.op, left, right);
      if (!value.is_defined()) failed = true;
      return value;
    }
  }
}

TEST(Expression, RandomExpressionsMatchASlowEvaluator) {
  const char* given = std::getenv("HECTOR_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::mt19937_64 random(seed);
  std::function<std::string(int)> make = [&](int depth) -> std::string {
    const std::string name(1, static_cast<char>('a' + random() % 4));
    switch (depth <= 0 ? random() % 4 : random() % 7) {
      case 0:
        return name + " == " + std::to_string(random() % 3);
      case 1:
        return name + " < " + std::to_string(random() % 3);
      case 2:
        return "exist " + name;
      case 3:
        return name + " + " + std::to_string(random() % 3) + " >= b";
      case 4:
        return "not (" + make(depth - 1) + ")";
      case 5:
        return "(" + make(depth - 1) + " and " + make(depth - 1) + ")";
      default:
        return "(" + make(depth - 1) + " or " + make(depth - 1) + ")";
    }
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::string expression = make(4);
    Attributes attributes;
    for (char c = 'a'; c < 'e'; ++c) {
      if (random() % 3 != 0)
        attributes[std::string(1, c)] =
            random() % 5 == 0 ? text("t") : integer(static_cast<std::int64_t>(random() % 3));
    }
    for (const auto mode : {Undefined::kKleene, Undefined::kOmg}) {
      auto program = compile_constraint(expression, {.undefined = mode});
      ASSERT_TRUE(program) << program.error().text();
      std::vector<Value> slots;
      for (const auto& name : program->tree().names)
        slots.push_back(attributes.contains(name) ? attributes.at(name) : Value());
      bool failed = false;
      const Value slow = naive(program->tree(), program->tree().root, slots, mode, failed);
      const bool expected = slow.is_true() && !(mode == Undefined::kOmg && failed);
      ASSERT_EQ(program->matches(slots), expected)
          << expression << " mode " << static_cast<int>(mode) << ", HECTOR_SEED=" << seed;
    }
  }
}

TEST(Expression, ValuesHaveATotalOrder) {
  const Value items[] = {integer(1), integer(2)};
  const std::vector<Value> values{Value(),        Value::of(false),        Value::of(true),
                                  integer(-1),    Value::of(0.5),          integer(1),
                                  Value::of(1.5), Value::of(std::nan("")), text(""),
                                  text("a"),      Value::of(items, 1),     Value::of(items, 2)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j)
      EXPECT_EQ(sorts_before(values[i], values[j]), i < j)
          << print(values[i]) << " " << print(values[j]);
  }
}

}  // namespace
}  // namespace hector::expression
