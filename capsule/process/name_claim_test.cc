// What: that one process at a time holds a capsule's name, and that it is free when it ends.
// Why: two of one name write into one store; a name that stays taken keeps a capsule from starting.
// Who: capsule_test.
#include "process/name_claim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "process/test_folder.h"

namespace hector {

namespace {

using testing::HasSubstr;

TEST(NameClaim, RefusesASecondHolderAndNamesTheFirst) {
  const TestFolder folder;
  const auto first = NameClaim::take(folder.path(), "north");
  ASSERT_TRUE(first) << first.error().text();
  const auto second = NameClaim::take(folder.path(), "north");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(getpid())));
  EXPECT_TRUE(NameClaim::take(folder.path(), "south"));
}

TEST(NameClaim, OfARefusedHolderLeavesTheFirstOneTheName) {
  const TestFolder folder;
  const auto first = NameClaim::take(folder.path(), "north");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(NameClaim::take(folder.path(), "north"));
  EXPECT_TRUE(is_claimed(folder.path(), "north"));
}

TEST(NameClaim, IsFreeOnceItIsReleased) {
  const TestFolder folder;
  auto first = NameClaim::take(folder.path(), "north");
  EXPECT_TRUE(is_claimed(folder.path(), "north"));
  NameClaim moved = std::move(*first);
  EXPECT_TRUE(is_claimed(folder.path(), "north"));
  moved.release();
  moved.release();
  EXPECT_FALSE(is_claimed(folder.path(), "north"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_TRUE(NameClaim::take(folder.path(), "north"));
}

TEST(NameClaim, IsFreeWhereItsProcessWasKilled) {
  const TestFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto claim = NameClaim::take(folder.path(), "north");
    static_cast<void>(!write(ready[1], claim ? "y" : "n", 1));
    for (;;) pause();
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  EXPECT_TRUE(is_claimed(folder.path(), "north"));
  const auto refused = NameClaim::take(folder.path(), "north");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("process " + std::to_string(child)));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(is_claimed(folder.path(), "north"));
  EXPECT_TRUE(NameClaim::take(folder.path(), "north"));
  close(ready[0]);
  close(ready[1]);
}

TEST(NameClaim, GoesOverWhereTheReferenceOfOneThatRunsIsTakenAway) {
  const TestFolder folder;
  auto first = NameClaim::take(folder.path(), "north");
  ASSERT_TRUE(first);
  EXPECT_FALSE(NameClaim::take(folder.path(), "north")) << "it starts: it has no reference yet";
  const std::string reference = folder.file("north.reference", "x");
  first->runs();
  EXPECT_FALSE(NameClaim::take(folder.path(), "north"));
  std::filesystem::remove(reference);
  const auto second = NameClaim::take(folder.path(), "north");
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_FALSE(first->is_held());
  first->release();
  EXPECT_TRUE(second->is_held()) << "the one before takes nothing away from it";
  EXPECT_TRUE(is_claimed(folder.path(), "north"));
}

TEST(NameClaim, SaysWhichFileCannotBeMade) {
  const TestFolder folder;
  const auto taken = NameClaim::take(folder.path("missing"), "north");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kUnavailable);
  EXPECT_THAT(taken.error().message, HasSubstr(folder.path("missing")));
  EXPECT_FALSE(is_claimed(folder.path("missing"), "north"));
}

}  // namespace

}  // namespace hector
