// What: that a descriptor is closed once, with whoever has it last.
// Why: one that is closed twice closes another owner's file.
// Who: base_test.
#include "hector/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hector {

namespace {

bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) != -1; }

TEST(Descriptor, IsClosedWithItsLastOwnerAndNotBefore) {
  const int number = dup(STDERR_FILENO);
  {
    Descriptor first(number);
    Descriptor second(std::move(first));
    // NOLINTNEXTLINE(bugprone-use-after-move): this is what is tested
    EXPECT_FALSE(first.is_open());
    EXPECT_EQ(second.get(), number);
    first.reset();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Descriptor, ClosesWhatItHadWhenItGetsAnother) {
  const int one = dup(STDERR_FILENO), other = dup(STDERR_FILENO);
  Descriptor kept(one);
  kept = Descriptor(other);
  EXPECT_FALSE(is_open(one));
  EXPECT_TRUE(is_open(other));
}

TEST(Descriptor, LeavesWhatWasReleasedOpen) {
  const int number = dup(STDERR_FILENO);
  { EXPECT_EQ(Descriptor(number).release(), number); }
  EXPECT_TRUE(is_open(number));
  close(number);
}

}  // namespace

}  // namespace hector
