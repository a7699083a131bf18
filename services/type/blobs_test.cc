// What: tests of Blobs: contents in parts, by their digest.
// Why: code comes out of here; what was altered in the store must not.
// Who: ctest, in type_test.
#include "blobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_store.h"

namespace hector::type_service {
namespace {

using ::testing::HasSubstr;

class BlobsTest : public ::testing::Test {
 protected:
  std::string put(const std::string& content) {
    auto digest = blobs.put(content);
    EXPECT_TRUE(digest) << digest.error().message;
    return *digest;
  }
  hector::testing::FakeStore store;
  Blobs blobs{store, "b/"};
};

TEST_F(BlobsTest, GiveBackWhatWasPut) {
  for (const std::string& content :
       {std::string(), std::string("a\0b", 3), std::string(Blobs::kPartOctets, 'x'),
        std::string(5 * Blobs::kPartOctets + 1, 'y')}) {
    const auto back = blobs.get(put(content));
    ASSERT_TRUE(back) << content.size();
    EXPECT_EQ(**back, content);
  }
}

TEST_F(BlobsTest, KeepTheSameContentOnceAndALongOneInParts) {
  put(std::string(2 * Blobs::kPartOctets + 1, 'x'));
  EXPECT_EQ(store.size(), 3U);
  put(std::string(2 * Blobs::kPartOctets + 1, 'x'));
  EXPECT_EQ(store.size(), 3U);
}

TEST_F(BlobsTest, RefuseToGiveWhatWasAltered) {
  const auto digest = put("content");
  store.put("b/" + digest + "/0000", "contents");
  const auto back = blobs.get(digest);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Code::kDataLoss);
  EXPECT_EQ(back.error().type, "BAD_SIGNATURE");
}

TEST_F(BlobsTest, RememberWhatWasRead) {
  const auto digest = put("content");
  ASSERT_TRUE(blobs.get(digest));
  store.broken = Error::unavailable("the store is away");
  EXPECT_TRUE(blobs.get(digest));
  EXPECT_EQ(blobs.get("another").error().code, Code::kUnavailable);
}

TEST_F(BlobsTest, SayWhatIsNotThereAndWhatIsTooLong) {
  EXPECT_EQ(blobs.get("nothing").error().code, Code::kNotFound);
  const auto refused = blobs.put(std::string(Blobs::kOctetsMax + 1, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_EQ(store.size(), 0U);
}

}  // namespace
}  // namespace hector::type_service
