// What: backup() and restore() from one store into another, and every kind of damaged file.
// Why: a backup is read when nothing else is left; half of one must never look like a whole one.
// Who: kernel_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fake_store.h"
#include "hector/store.h"
#include "simulation.h"

namespace hector {
namespace {

using testing::FakeStore;
using ::testing::HasSubstr;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    for (int i = 0; i < 120; ++i) from_.put("key/" + std::to_string(i), std::to_string(i * i));
    from_.put("empty", "");
    from_.put("leased", "of a capsule that runs now", 7);
  }
  ~BackupTest() override { std::filesystem::remove(path_); }
  std::string octets() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& octets) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << octets;
  }
  /// What restore() says of the file as it is.
  std::string refusal() {
    const auto done = restore(to_, world_, path_);
    return done ? "restored" : done.error().text();
  }
  FakeStore from_, to_;
  testing::Simulation world_{1};
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("hector-backup-" + std::to_string(getpid())))
          .string();
};

TEST_F(BackupTest, BringsBackEverythingButLeasesUnderAnotherEpoch) {
  ASSERT_TRUE(backup(from_, path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".unfinished"));
  EXPECT_EQ(refusal(), "restored");
  EXPECT_EQ(to_.size(), 121U);
  EXPECT_EQ(to_.value("key/11"), "121");
  EXPECT_EQ(to_.value("empty"), "");
  EXPECT_EQ(to_.value("leased"), "(none)");
  EXPECT_EQ(to_.value(std::string(kStoreRestoring)), "(none)");
  EXPECT_NE(to_.epoch, 0U);
}

TEST_F(BackupTest, GoesIntoAnEmptyStoreOnly) {
  ASSERT_TRUE(backup(from_, path_));
  to_.put("mine", "1");
  EXPECT_THAT(refusal(), HasSubstr("FAILED_PRECONDITION"));
  EXPECT_EQ(to_.size(), 1U);
}

TEST_F(BackupTest, ContinuesWhereItWasInterrupted) {
  ASSERT_TRUE(backup(from_, path_));
  to_.put(std::string(kStoreRestoring), path_);
  to_.put("key/of another backup", "1");
  EXPECT_EQ(refusal(), "restored");
  EXPECT_EQ(to_.size(), 121U);
}

TEST_F(BackupTest, AFileThatIsCutShortAnywhereRestoresNothing) {
  ASSERT_TRUE(backup(from_, path_));
  const std::string whole = octets();
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 7) {
    write(whole.substr(0, size));
    ASSERT_THAT(refusal(), HasSubstr("CORRUPT")) << size << " of " << whole.size() << " octets";
  }
  write(whole.substr(0, whole.size() - 1));
  EXPECT_THAT(refusal(), HasSubstr("cut short"));
  EXPECT_EQ(to_.size(), 0U);
}

TEST_F(BackupTest, AFileWithOneOtherOctetRestoresNothing) {
  ASSERT_TRUE(backup(from_, path_));
  const std::string whole = octets();
  for (std::size_t at = 0; at < whole.size(); at += 1 + at / 9) {
    std::string other = whole;
    other[at] = static_cast<char>(other[at] ^ 0x20);
    write(other);
    ASSERT_THAT(refusal(), HasSubstr("CORRUPT")) << "octet " << at;
  }
  write(whole + "x");
  EXPECT_THAT(refusal(), HasSubstr("its end does not fit"));
  EXPECT_EQ(to_.size(), 0U);
}

TEST_F(BackupTest, SaysWhatCannotBeReadOrWritten) {
  EXPECT_THAT(refusal(), HasSubstr("cannot be read"));
  const auto done = backup(from_, "/nowhere/at/all");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("'/nowhere/at/all' cannot be written"));
  from_.broken = Error::unavailable("away");
  const auto broken = backup(from_, path_);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "away");
  std::filesystem::remove(path_ + ".unfinished");
}

}  // namespace
}  // namespace hector
