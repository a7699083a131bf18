#include "identity/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace hector::identity {

namespace {

/// A folder of the test's own.
class PrivateFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_ = "/tmp/hector-private-XXXXXX";
};

}  // namespace

TEST_F(PrivateFile, IsItsOwnersAloneAndReplacedWhole) {
  const auto path = folder_ + "/key";
  ASSERT_TRUE(write_private_file(path, "one"));
  ASSERT_TRUE(write_private_file(path, "two"));
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(*read_private_file(path), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(PrivateFile, ThatOthersCanReadIsRefused) {
  const auto path = folder_ + "/key";
  ASSERT_TRUE(write_private_file(path, "one"));
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(read_private_file(path).error().code, Code::kFailedPrecondition);
}

TEST_F(PrivateFile, ThatCannotBeWrittenLeavesNothing) {
  EXPECT_EQ(write_private_file(folder_ + "/nowhere/key", "one").error().code, Code::kUnavailable);
  ASSERT_EQ(mkdir((folder_ + "/key").c_str(), 0700), 0);
  EXPECT_FALSE(write_private_file(folder_ + "/key", "one"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

}  // namespace hector::identity
