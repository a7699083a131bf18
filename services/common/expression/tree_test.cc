// What: Tree: its parts, how it is printed, and the limits that are checked before it is built.
// Why: the Trader looks at the parts of a tree, and a text from outside must not nest without end.
// Who: ctest, in expression_test.
#include "expression/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expression/testing.h"

namespace hector::expression {
namespace {

using ::testing::HasSubstr;
using namespace testing;  // NOLINT(google-build-using-namespace): this folder's own helpers

TEST(Tree, ItsConjunctsAreThePartsOfTheTopmostAnds) {
  const auto parts = [](std::string_view expression) {
    const auto tree = read_constraint(expression);
    EXPECT_TRUE(tree);
    std::string all;
    for (const NodeId each : tree->conjuncts()) all += "[" + print(*tree, each) + "]";
    return all;
  };
  EXPECT_EQ(parts("a == 1 and b == 2 and (c == 3 or d == 4)"),
            "[a == 1][b == 2][(c == 3) or (d == 4)]");
  EXPECT_EQ(parts("a == 1 or b == 2"), "[(a == 1) or (b == 2)]");
  EXPECT_EQ(parts("a"), "[a]");
}

TEST(Tree, IsPrintedInOmgsSigns) {
  const auto printed = [](std::string_view expression) {
    const auto tree = read_constraint(expression);
    EXPECT_TRUE(tree);
    return print(*tree, tree->root);
  };
  EXPECT_EQ(printed("not exist a and -b < 2"), "not exist a and (-b < 2)");
  EXPECT_EQ(printed("'x' in c or 1 + 2 * 3 == 7"), "('x' in c) or ((1 + (2 * 3)) == 7)");
}

TEST(Tree, ANameIsKeptOnce) {
  Tree tree;
  const NodeId first = tree.name("a", Operator::kName, 1);
  const NodeId again = tree.name("a", Operator::kExist, 5);
  const NodeId other = tree.name("b", Operator::kName, 9);
  EXPECT_EQ(tree[first].name, tree[again].name);
  EXPECT_NE(tree[first].name, tree[other].name);
  EXPECT_EQ(tree.names.size(), 2U);
}

TEST(Tree, AMistakeShowsTheColumnAndTheBeginningOfTheText) {
  const auto wrong = mistake("IllegalConstraint", 7, "found the end", std::string(300, 'x'));
  EXPECT_EQ(wrong.type, "IllegalConstraint");
  EXPECT_THAT(wrong.message, HasSubstr("IllegalConstraint: column 7: found the end, in: xxx"));
  EXPECT_TRUE(wrong.message.ends_with(" …"));
}

TEST(Tree, SizeAndDepthAreRefusedOneAboveTheirLimits) {
  EXPECT_TRUE(check_size("E", std::string(Tree::kOctetsMax, 'a'), "("));
  EXPECT_FALSE(check_size("E", std::string(Tree::kOctetsMax + 1, 'a'), "("));
  EXPECT_TRUE(check_size("E", std::string(Tree::kDepthMax, '('), "("));
  EXPECT_FALSE(check_size("E", std::string(Tree::kDepthMax + 1, '('), "("));
  EXPECT_FALSE(check_size("E", std::string(Tree::kDepthMax + 1, '['), "(["));
  EXPECT_TRUE(check_size("E", std::string(Tree::kDepthMax + 1, '['), "(")) << "no opener here";
  EXPECT_TRUE(check_size("E", "'" + std::string(500, '(') + "'", "(")) << "a quoted text nests not";
  std::string apart;
  for (int i = 0; i < 500; ++i) apart += "()";
  EXPECT_TRUE(check_size("E", apart, "("));
}

TEST(TreeDeathTest, StopsTheProcessWhereANodeHasPartsThatAreNotThere) {
  Tree tree;
  EXPECT_DEATH(tree.node(Operator::kAnd, 3, 4, 1), "a node's parts are made before it");
  EXPECT_DEATH(tree.name("a", Operator::kAnd, 1), "a name is no operand");
}

}  // namespace
}  // namespace hector::expression
