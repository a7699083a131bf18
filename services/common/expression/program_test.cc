// What: Program: the rules for what is undefined, against a slow evaluator, and what is hostile.
// Why: an expression comes from anyone, and each of three languages answers by its own rule.
// Who: ctest, in expression_test.
#include "expression/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "expression/testing.h"

namespace hector::expression {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT(google-build-using-namespace): this folder's own helpers

TEST(Program, ThreeLanguagesHaveThreeRulesForWhatIsUndefined) {
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

TEST(Program, WhatIsHostileIsRefusedAtOnce) {
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

TEST(Program, RandomExpressionsMatchASlowEvaluator) {
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

TEST(ProgramDeathTest, StopsTheProcessWhereAValueIsMissingForAName) {
  const auto program = compile_constraint("a == b", {});
  ASSERT_TRUE(program);
  const Value one = integer(1);
  EXPECT_DEATH(static_cast<void>(program->run({&one, 1})), "a name has no value");
}

}  // namespace
}  // namespace hector::expression
