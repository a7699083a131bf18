#include "identity/strict_json.h"

#include <gtest/gtest.h>

#include <string>

namespace hector::identity {

TEST(StrictJson, ReadsJson) {
  const auto read = read_strict_json(R"( {"a": [1, {"b": "\u00e9"}, 1.5, true, null], "c": {}} )");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at("a").at(0).as_int64(), 1);
  EXPECT_EQ(read->at("a").at(1).at("b").as_string(), "\xc3\xa9");
  EXPECT_EQ(member(read->as_object(), "d"), nullptr);
}

TEST(StrictJson, RefusesANameThatIsThereTwice) {
  EXPECT_FALSE(read_strict_json(R"({"a": 1, "a": 1})"));
  EXPECT_FALSE(read_strict_json(R"({"a": 1, "\u0061": 2})"));
  EXPECT_FALSE(read_strict_json(R"([{"x": {"b": 1, "c": 2, "b": 3}}])"));
  EXPECT_TRUE(read_strict_json(R"({"a": {"a": 1}, "b": {"a": 1}})"));
}

TEST(StrictJson, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "{}x", "{} {}", "{'a': 1}", R"({"a": NaN})", R"({"a": 1,})",
                           "// a\n{}", "\xef\xbb\xbf{}", "{\"a\": \"\xff\"}", R"({"a": "\ud800"})",
                           R"({"a": 01})", "{\"a\": \"\n\"}"})
    EXPECT_FALSE(read_strict_json(text)) << text;
}

TEST(StrictJson, HasADeepestNesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(read_strict_json(nested(kJsonDepthMax)));
  EXPECT_FALSE(read_strict_json(nested(kJsonDepthMax + 1)));
}

}  // namespace hector::identity
