// Base64 that has one reading.
#include "base64.h"

#include <gtest/gtest.h>

namespace hector::privacy {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

TEST(Base64, ReadsNothingButItsDigits) {
  for (int c = 0; c < 256; ++c) {
    const std::string text{'A', static_cast<char>(c), 'A', 'A'};
    const bool is_digit = kDigits.find(static_cast<char>(c)) != std::string_view::npos;
    EXPECT_EQ(base64_decode(text, Padding::kWith).has_value(), is_digit) << c;
    EXPECT_EQ(base64_decode(text, Padding::kWithout).has_value(), is_digit) << c;
  }
}

TEST(Base64, ReadsWhatItWritesAndNoOtherSpelling) {
  for (const std::string octets : {"", "a", "ab", "abc", "\xff\xfe\xfd\xfc"}) {
    for (const auto padding : {Padding::kWith, Padding::kWithout})
      EXPECT_EQ(base64_decode(base64_encode(octets, padding), padding), octets);
  }
  for (const auto* const wrong : {"YQ", "YQ=", "YR==", "YQ==\n", " YQ==", "YQ==YQ==", "Y"})
    EXPECT_FALSE(base64_decode(wrong, Padding::kWith)) << wrong;
  for (const auto* const wrong : {"YQ==", "YR", "YWI=", "YQ\n", "Y"})
    EXPECT_FALSE(base64_decode(wrong, Padding::kWithout)) << wrong;
}

}  // namespace
}  // namespace hector::privacy
