#include "process/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "process/name_claim.h"
#include "process/test_folder.h"

namespace hector {

namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

Reference reference_of(const std::string& capsule) {
  Reference reference;
  reference.object = "_management";
  reference.capsule = capsule;
  reference.capsule_id = 7;
  return reference;
}

TEST(RunDirectory, GivesBackTheReferenceOfACapsuleByItsName) {
  const TestFolder folder;
  const auto claim = NameClaim::take(folder.path(), "north");
  ASSERT_TRUE(write_capsule_reference(folder.path(), reference_of("north")));
  const auto read = read_capsule_reference(folder.path(), "north");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->text(), reference_of("north").text());
}

TEST(RunDirectory, TakesAReferenceInPlaceOfAName) {
  const TestFolder folder;
  const auto read = read_capsule_reference(folder.path(), reference_of("south").text());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->capsule, "south");
}

TEST(RunDirectory, NamesTheCapsulesThatRunWhereOneIsNotFound) {
  const TestFolder folder;
  const auto claim = NameClaim::take(folder.path(), "north");
  ASSERT_TRUE(write_capsule_reference(folder.path(), reference_of("north")));
  ASSERT_TRUE(write_capsule_reference(folder.path(), reference_of("killed")));
  const auto read = read_capsule_reference(folder.path(), "nrth");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kNotFound);
  EXPECT_THAT(read.error().message, EndsWith("running are north"));
}

TEST(RunDirectory, ListsCapsulesByNameAndForgetsThoseThatWereRemoved) {
  const TestFolder folder;
  for (const char* name : {"south", "hub", "north"})
    ASSERT_TRUE(write_capsule_reference(folder.path(), reference_of(name)));
  remove_capsule_reference(folder.path(), "hub");
  EXPECT_THAT(known_capsules(folder.path()), ElementsAre("north", "south"));
  const auto claim = NameClaim::take(folder.path(), "south");
  EXPECT_THAT(running_capsules(folder.path()), ElementsAre("south"));
}

TEST(RunDirectory, SaysOfACapsuleThatWasKilledThatItWas) {
  const TestFolder folder;
  ASSERT_TRUE(write_capsule_reference(folder.path(), reference_of("north")));
  const auto read = read_capsule_reference(folder.path(), "north");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kUnavailable);
  EXPECT_THAT(read.error().message, HasSubstr("no process holds its name"));
}

TEST(RunDirectory, SaysWhichFileCannotBeWritten) {
  const TestFolder folder;
  const auto written = write_capsule_reference(folder.path("missing"), reference_of("north"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kUnavailable);
  EXPECT_THAT(written.error().message, HasSubstr(folder.path("missing")));
}

TEST(RunDirectory, IsForItsUserAlone) {
  const TestFolder folder;
  ASSERT_EQ(setenv("HECTOR_RUN_DIRECTORY", folder.path("run").c_str(), 1), 0);
  const std::string directory = run_directory();
  unsetenv("HECTOR_RUN_DIRECTORY");
  EXPECT_EQ(directory, folder.path("run"));
  struct stat is {};
  ASSERT_EQ(stat(directory.c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777, 0700U);
}

TEST(RunDirectory, SaysWhenAReferenceWasWritten) {
  const TestFolder folder;
  static_cast<void>(folder.file("a.reference", "x"));
  EXPECT_EQ(reference_time(folder.path(), "a").size(), std::string("2026-11-25 21:55:01").size());
  EXPECT_EQ(reference_time(folder.path(), "b"), "");
}

}  // namespace

}  // namespace hector
