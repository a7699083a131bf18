#include "types/authoring/format.h"

#include <gtest/gtest.h>

namespace hector::types {
namespace {

TEST(Format, PutsExpressionsInOneForm) {
  EXPECT_EQ(format_expression("a;b|c"), "a ; b | c");
  EXPECT_EQ(format_expression("( a;( b|c ) * )+"), "(a ; (b | c)*)+");
  EXPECT_EQ(format_expression("call;bid[ w? ]  before   2s ;award ?"),
            "call ; bid[w?] before 2s ; award?");
  EXPECT_EQ(format_expression("@m ( a|end )"), "@m(a | end)");
  EXPECT_EQ(format_expression("x{ 2 , 3 }&y"), "x{2,3} & y");
  EXPECT_EQ(format_expression("a;   # first\n    b   # then"), "a ;   # first\n    b   # then");
}

TEST(Format, KeepsCommentsAndWhatItDoesNotMean) {
  const std::string before =
      "# A file.   \r\n"
      "binding:   t.B/1   # what it is\n"
      "description: a  text , with {odd} things\n"
      "roles:\n"
      "  p: {interface: t.P/1}  # one\n"
      "  quite_long:   { interface: t.Q/1,cardinality : 1..* , trade: \"a, {b}  >= 1\" }\n"
      "\n"
      "interactions:\n"
      "  a: {kind: rpc,from: p,\n"
      "       to: quite_long , operation: a}   # over two lines\n"
      "protocol: a;a   # twice\n\n\n";
  const std::string after =
      "# A file.\n"
      "binding: t.B/1   # what it is\n"
      "description: a  text , with {odd} things\n"
      "roles:\n"
      "  p:          {interface: t.P/1}  # one\n"
      "  quite_long: {interface: t.Q/1, cardinality: 1..*, trade: \"a, {b}  >= 1\"}\n"
      "\n"
      "interactions:\n"
      "  a: {kind: rpc, from: p,\n"
      "       to: quite_long, operation: a}   # over two lines\n"
      "protocol: a ; a   # twice\n";
  auto made = format_types(before, "t.yaml", ".");
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(*made, after);
  EXPECT_EQ(format_types(*made, "t.yaml", ".").value(), *made) << "once is enough";
}

TEST(Format, LeavesBlockTextsAndRefusesWhatIsNoYaml) {
  const std::string text = "interface: t.I/1\ndescription: |\n  a ,b   {c}\n    protocol: x;y\n";
  EXPECT_EQ(format_types(text, "t.yaml", ".").value(), text);
  EXPECT_FALSE(format_types("a: {b", "t.yaml", "."));
}

}  // namespace
}  // namespace hector::types
