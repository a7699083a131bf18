// Composite names as XFN has them: N1 to N5.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "name.h"

namespace hector::naming {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> parse(std::string_view text) {
  auto read = parse_name(text);
  return read ? *read : std::vector<std::string>{read.error().message};
}

TEST(Name, N1_SeparatorsMakeOneComponentMoreThanTheyAre) {
  EXPECT_THAT(parse("a/b/c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(parse("a/"), ElementsAre("a", ""));
  EXPECT_THAT(parse("/a"), ElementsAre("", "a"));
  EXPECT_THAT(parse("a//b"), ElementsAre("a", "", "b"));
  EXPECT_THAT(parse("/"), ElementsAre("", ""));
  EXPECT_THAT(parse("//"), ElementsAre("", "", ""));
  EXPECT_THAT(parse(""), ElementsAre(""));
}
TEST(Name, N2_QuotesSpanAComponentAndBackslashesEscapeWhatCounts) {
  EXPECT_THAT(parse("\"a/b/c\"/d"), ElementsAre("a/b/c", "d"));
  EXPECT_THAT(parse("'a\\/b'/c"), ElementsAre("a\\/b", "c"));
  EXPECT_THAT(parse("a\\b\\c/d"), ElementsAre("a\\b\\c", "d"));
  EXPECT_THAT(parse("a\\b\\/c"), ElementsAre("a\\b/c"));
  EXPECT_THAT(parse("a\\\\b/c"), ElementsAre("a\\b", "c"));
}
TEST(Name, N3_QuotesInsideAreWhatTheyAre) {
  EXPECT_THAT(parse("a'b/c"), ElementsAre("a'b", "c"));
  EXPECT_THAT(parse("\"a\\\"b\"/c"), ElementsAre("a\"b", "c"));
  EXPECT_THAT(parse("\\\"a/b/c"), ElementsAre("\"a", "b", "c"));
  EXPECT_THAT(parse("a/\\\"b"), ElementsAre("a", "\"b"));
}
TEST(Name, WhatIsNoNameIsRefusedWithItsColumn) {
  EXPECT_THAT(parse("a/\"b/c"), ElementsAre(HasSubstr("ILLEGAL_NAME: column 3: this quote is not closed")));
  EXPECT_THAT(parse("'a'b/c"), ElementsAre(HasSubstr("column 4: after the closing quote")));
  EXPECT_THAT(parse(std::string(5'000, 'a')), ElementsAre(HasSubstr("4096 octets")));
  EXPECT_EQ(parse_name("'").error().type, "ILLEGAL_NAME");
}
TEST(Name, N5_WhatIsPrintedIsReadBack) {
  const char* given = std::getenv("HECTOR_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::mt19937_64 random(seed);
  constexpr char kCharacters[] = {'/', '\\', '\'', '"', 'a', ' ', '.', '\n'};
  for (int i = 0; i < 1'000'000; ++i) {
    std::vector<std::string> components(1 + random() % 4);
    for (auto& component : components) {
      for (auto length = random() % 5; length > 0; --length) component += kCharacters[random() % std::size(kCharacters)];
    }
    const std::string text = print_name(components);
    const auto back = parse_name(text);
    ASSERT_TRUE(back) << back.error().message << ", HECTOR_SEED=" << seed;
    ASSERT_EQ(*back, components) << text << ", HECTOR_SEED=" << seed;
  }
}

}  // namespace
}  // namespace hector::naming
