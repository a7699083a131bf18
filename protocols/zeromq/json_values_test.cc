// What: tests of JSON to values and back.
// Why: Hermes and ROC compare texts that Python's json.dumps wrote.
// Who: ctest, in zeromq_wire_test.
#include "json_values.h"

#include <gtest/gtest.h>

#include <limits>

namespace hector::zeromq {
namespace {

Value read(std::string_view text) {
  auto value = read_json(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(Value::null());
}

TEST(JsonValues, KeepKindAndContent) {
  for (const char* text : {"null", "true", "false", "0", "-7", "9223372036854775807", "0.5",
                           "\"a\"", "[]", "{}", "[1, [2.0, null], {\"a\": {\"b\": []}}]"})
    EXPECT_EQ(json_of(read(text)), text);
}

TEST(JsonValues, WriteAsPythonDoes) {
  EXPECT_EQ(json_of(Value::of(1.0)), "1.0") << "a whole real stays a real";
  EXPECT_EQ(json_of(Value::of("é€😀\n\"\\")), "\"\\u00e9\\u20ac\\ud83d\\ude00\\n\\\"\\\\\"");
  EXPECT_EQ(json_of(Value::of("\x7f")), "\"\\u007f\"");
}

TEST(JsonValues, ReadATextThatWasEscaped) {
  EXPECT_EQ(read("\"\\u00e9\\ud83d\\ude00\"").text, "é😀");
}

TEST(JsonValues, IntegersOfAnySizeKeepTheirValue) {
  EXPECT_EQ(read("-9223372036854775808").integer, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(read("9223372036854775808"), Value::of_unsigned(9223372036854775808U));
  for (const char* text :
       {"9007199254740993", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775809", "-18446744073709551616", "340282366920938463463374607431768211455",
        "100000000000000000000000000000000000000000", "[-9999999999999999999999, 1]"})
    EXPECT_EQ(json_of(read(text)), text);
  const std::string longest(4'300, '7');
  EXPECT_EQ(json_of(read(longest)), longest);
  EXPECT_FALSE(read_json(longest + "7"));
  EXPECT_EQ(read("1e3").kind, Value::Kind::kReal);
  EXPECT_EQ(read("123456789012345678901.0").kind, Value::Kind::kReal);
}

TEST(JsonValues, TheLastOfSeveralMembersOfOneNameCounts) {
  EXPECT_EQ(json_of(read(R"({"a": 1, "b": {"a": 2, "c": 3}, "a": 4})")),
            R"({"a": 4, "b": {"a": 2, "c": 3}})");
}

TEST(JsonValues, WriteWhatJsonHasNotInItsPlace) {
  EXPECT_EQ(json_of(Value::of(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(json_of(Value::octets("abcd")), "\"YWJjZA==\"");
  EXPECT_EQ(json_of(Value::octets("")), "\"\"");
  EXPECT_EQ(json_of(Value::tagged(258, Value::list({Value::of(1)}))), "[1]");
  EXPECT_EQ(json_of(Value::of("\xff")), "\"\\ufffd\"") << "what is no UTF-8";
  Value map = Value::map();
  map.items = {Value::of(1), Value::of(2)};
  EXPECT_EQ(json_of(map), "{\"1\": 2}") << "a key is a text";
}

TEST(JsonValues, RefuseWhatIsMalformed) {
  for (const char* text : {"", "{", "[1,]", "nul", "1 2", "{\"a\"}", "\"\xff\""}) {
    const auto refused = read_json(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  }
}

TEST(JsonValues, NestToTheMaximumAndNoDeeper) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(read_json(nested(kJsonDepthMax)));
  EXPECT_FALSE(read_json(nested(kJsonDepthMax + 1)));
}

}  // namespace
}  // namespace hector::zeromq
