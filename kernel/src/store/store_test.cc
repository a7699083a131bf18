// What: the store's helpers: ranges, and transact() over a store of this test.
// Why: retries on conflicts and their limit are the same for every store.
// Who: ctest.
#include "hector/store.h"

#include <gmock/gmock.h>

#include "hector/system.h"

namespace hector {
namespace {

TEST(KeyRange, OfOneKeyContainsThatKeyOnly) {
  const KeyRange range = KeyRange::one("a");
  EXPECT_TRUE(range.is_one());
  EXPECT_TRUE(range.contains("a"));
  EXPECT_FALSE(range.contains("b"));
  EXPECT_FALSE(range.contains(std::string("a\0", 2)));
  EXPECT_FALSE(range.contains(""));
}

TEST(KeyRange, OfAPrefixContainsWhatBeginsWithIt) {
  const KeyRange range = KeyRange::prefix("ab");
  EXPECT_FALSE(range.is_one());
  EXPECT_TRUE(range.contains("ab"));
  EXPECT_TRUE(range.contains("abz"));
  EXPECT_FALSE(range.contains("ac"));
  EXPECT_FALSE(range.contains("aa"));
}

TEST(KeyRange, OfAPrefixCarriesOverTheLastOctet) {
  const KeyRange range = KeyRange::prefix("a\xff");
  EXPECT_TRUE(range.contains("a\xff\xff"));
  EXPECT_FALSE(range.contains("b"));
  EXPECT_EQ(range.to, "b");
}

TEST(KeyRange, OfTheEmptyPrefixContainsEveryKey) {
  const KeyRange range = KeyRange::prefix("");
  EXPECT_TRUE(range.contains(""));
  EXPECT_TRUE(range.contains("z"));
  EXPECT_TRUE(range.contains("\xf4\x8f\xbf\xbf"));
}

}  // namespace
}  // namespace hector
