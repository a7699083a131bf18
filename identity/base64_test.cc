#include "identity/base64.h"

#include <gtest/gtest.h>

namespace hector::identity {

TEST(Base64, OfUrlsIsReadInItsOneSpelling) {
  EXPECT_EQ(read_base64("", Base64::kUrl), "");
  EXPECT_EQ(read_base64("YQ", Base64::kUrl), "a");
  EXPECT_EQ(read_base64("YWI", Base64::kUrl), "ab");
  EXPECT_EQ(read_base64("YWJj", Base64::kUrl), "abc");
  EXPECT_EQ(read_base64("-_-_", Base64::kUrl), "\xfb\xff\xbf");
}

TEST(Base64, OfUrlsRefusesEveryOtherSpelling) {
  for (const char* text :
       {"YQ==", "YQ=", "YR", "YWJ", "Y", "+/+/", "YW Jj", "YWJj\n", "Y*", "YWJjY"})
    EXPECT_FALSE(read_base64(text, Base64::kUrl)) << text;
}

TEST(Base64, ThatIsPaddedEndsAtAMultipleOfFour) {
  EXPECT_EQ(read_base64("YQ==", Base64::kPadded), "a");
  EXPECT_EQ(read_base64("YWI=", Base64::kPadded), "ab");
  EXPECT_EQ(read_base64("+/+/", Base64::kPadded), "\xfb\xff\xbf");
  for (const char* text : {"YQ", "YQ=", "Y===", "====", "-_-_", "YQ==YQ==", "=YQ="})
    EXPECT_FALSE(read_base64(text, Base64::kPadded)) << text;
}

}  // namespace hector::identity
