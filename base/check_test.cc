// What: HECTOR_CHECK: what it writes, and that its message costs nothing where the condition holds.
// Why: a mistake of ours must end the process with its place, also in a release build.
// Who: base_test.
#include "hector/check.h"

#include <gtest/gtest.h>

#include <string>

namespace hector {
namespace {

TEST(CheckDeathTest, EndsTheProcessWithPlaceMessageAndCondition) {
  const int queue = 3;
  EXPECT_DEATH(HECTOR_CHECK(queue < 3, "the queue is full"),
               "check_test\\.cc:[0-9]+: the queue is full \\(violated: queue < 3\\)");
}

TEST(CheckDeathTest, AMessageLongerThanItsBufferIsWrittenToo) {
  EXPECT_DEATH(HECTOR_CHECK(false, std::string(5'000, 'x') + " its end"), "x its end");
}

TEST(Check, MakesItsMessageOnlyWhereTheConditionIsViolated) {
  int made = 0;
  const auto message = [&] {
    ++made;
    return std::string("never");
  };
  HECTOR_CHECK(made == 0, message());
  EXPECT_EQ(made, 0);
}

}  // namespace
}  // namespace hector
