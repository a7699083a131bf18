// What: what is said of a capsule that answers, is slow, or takes its asker down.
// Why: one dead capsule must not hide the others, nor hold the list up.
// Who: cli_test.
#include "cli/states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace hector {

namespace {

using testing::ElementsAre;

std::string ask(const std::string& name) {
  if (name == "slow") pause();
  if (name == "crashes") std::abort();
  return name == "denied" ? "PERMISSION_DENIED" : "up";
}

TEST(States, AreWhatEachCapsuleSaysAndSilenceForTheRest) {
  EXPECT_THAT(states_of({"a", "slow", "denied", "crashes", "b"}, ask, std::chrono::seconds(1)),
              ElementsAre("up", "silent", "PERMISSION_DENIED", "silent", "up"));
  EXPECT_THAT(states_of({}, ask, std::chrono::seconds(1)), ElementsAre());
}

TEST(States, LeaveNoProcessBehind) {
  static_cast<void>(states_of({"slow", "a"}, ask, std::chrono::milliseconds(1)));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace

}  // namespace hector
