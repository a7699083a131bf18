// What: YAML's scalars, lists and maps as JSON, and what is refused.
// Why: an Object must get what its configuration says, or the capsule must not start.
// Who: capsule_test.
#include "process/yaml_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector {

namespace {

using testing::HasSubstr;

const std::string kFile = "c.yaml";

/// The value of `value: TEXT` as JSON, or the refusal.
std::string json(const std::string& text) {
  try {
    return json_of(YamlNode(YAML::Load("value: " + text), kFile, "the document").at("value"));
  } catch (const YamlMistake& mistake) {
    return "refused " + mistake.text;
  }
}

struct Pair {
  const char *yaml, *json;
};
void expect(std::initializer_list<Pair> pairs) {
  for (const auto& pair : pairs) EXPECT_EQ(json(pair.yaml), pair.json) << pair.yaml;
}

TEST(YamlJson, ReadsIntegersByTheCoreSchema) {
  expect({{"0", "0"},
          {"-0", "-0"},
          {"00", "0"},
          {"-007", "-7"},
          {"+0", "0"},
          {"08", "8"},
          {"0xFF", "255"},
          {"0o7", "7"},
          {"0xffffffffffffffff", "18446744073709551615"},
          {"0o8", "\"0o8\""},
          {"0x", "\"0x\""},
          {"0X1F", "\"0X1F\""},
          {"-0x1", "\"-0x1\""},
          {"0b1", "\"0b1\""},
          {"1,000", "\"1,000\""},
          {"18446744073709551616", "18446744073709551616"}});
}

TEST(YamlJson, ReadsRealNumbersByTheCoreSchema) {
  expect({{"0.5", "0.5"},
          {"00.5", "0.5"},
          {"-.25", "-0.25"},
          {"+1.5", "1.5"},
          {"6.", "6.0"},
          {"1e3", "1e3"},
          {"1.e3", "1.0e3"},
          {".1e-2", "0.1e-2"},
          {"1E+2", "1E+2"},
          {".", "\".\""},
          {"1.2.3", "\"1.2.3\""},
          {"1e", "\"1e\""},
          {"e3", "\"e3\""},
          {"--1", "\"--1\""},
          {"1 2", "\"1 2\""}});
}

TEST(YamlJson, TakesOnlyTheCoreSchemasWordsForValues) {
  expect({{"TRUE", "true"},
          {"false", "false"},
          {"tRUE", "\"tRUE\""},
          {"yes", "\"yes\""},
          {"on", "\"on\""},
          {"Null", "null"},
          {"NULL", "null"},
          {"", "null"},
          {"nULL", "\"nULL\""},
          {"NaN", "\"NaN\""},
          {"Infinity", "\"Infinity\""},
          {"2026-11-25T10:00:00Z", "\"2026-11-25T10:00:00Z\""}});
}

TEST(YamlJson, DoesWhatATagSays) {
  expect({{"!!str true", "\"true\""},
          {"!!str", "\"\""},
          {"!!str null", "\"null\""},
          {"!!int 012", "12"},
          {"!!int \"3\"", "3"},
          {"!!float 5.", "5.0"},
          {"!!bool True", "true"},
          {"!!null ~", "null"},
          {"! 12", "\"12\""},
          {"!!seq [1]", "[1]"},
          {"!!map {a: 1}", "{\"a\":1}"}});
  EXPECT_THAT(json("!!int x"), HasSubstr("c.yaml:1:8: 'x' is no !!int"));
  EXPECT_THAT(json("!!bool yes"), HasSubstr("'yes' is no !!bool"));
  EXPECT_THAT(json("!!binary aGk="), HasSubstr("means nothing here"));
  EXPECT_THAT(json("!length 3"), HasSubstr("the tag '!length' means nothing here"));
  EXPECT_THAT(json("!!set {a: 1}"), HasSubstr("means nothing here"));
}

TEST(YamlJson, KeepsTextsInQuotesAndBlocks) {
  expect({{"\"12\"", "\"12\""},
          {"'~'", "\"~\""},
          {"\"a\\tb\"", "\"a\\u0009b\""},
          {">-\n  1\n  2", "\"1 2\""},
          {"|\n  1\n", "\"1\\u000a\""}});
}

TEST(YamlJson, WritesKeysAsTexts) {
  expect({{"{1: a, true: b, 0x1: c}", R"({"1":"a","true":"b","0x1":"c"})"},
          {"{a: {b: [1, [], {}]}}", R"({"a":{"b":[1,[],{}]}})"}});
  EXPECT_THAT(json("{~: 1}"), HasSubstr("has no value"));
  EXPECT_THAT(json("{[a]: 1}"), HasSubstr("must be a single value"));
  EXPECT_THAT(json("{a: 1, a: 2}"), HasSubstr("key 'a' stands twice"));
  EXPECT_THAT(json("{<<: {a: 1}}"), HasSubstr("merges nothing"));
}

TEST(YamlJson, RefusesWhatJsonHasNot) {
  for (const char* number : {".inf", "-.INF", "+.Inf", ".nan", ".NaN"})
    EXPECT_THAT(json(number), HasSubstr("c.yaml:1:8: 'value' of the document becomes JSON"));
  EXPECT_THAT(json("0x10000000000000000"), HasSubstr("beyond 64 bits"));
}

TEST(YamlJson, RepeatsAnAliasAndEndsOnesThatHoldThemselves) {
  expect({{"[&a {x: 1}, *a]", R"([{"x":1},{"x":1}])"}});
  EXPECT_THAT(json("&a [*a]"), HasSubstr("more than 64 maps and lists inside each other"));
  std::string bomb = "[&l0 [\"0123456789\"]";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*l" + std::to_string(i - 1);
    bomb += ", &l" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k == 0 ? "" : ", ") + before;
    bomb += "]";
  }
  EXPECT_THAT(json(bomb + "]"), HasSubstr("becomes more than 1048576 octets"));
}

}  // namespace

}  // namespace hector
