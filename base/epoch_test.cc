// What: EpochGuard: synchronize() waits for those read-side sections that began before it.
// Why: what a section reads is freed after synchronize(); returning too early is a use after free.
// Who: base_test.
#include "base/epoch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace hector {
namespace {

TEST(EpochGuard, NestsAndLeavesInAnyOrderOfScopes) {
  EXPECT_EQ(epoch_slot.depth, 0U);
  {
    const EpochGuard outer;
    EXPECT_EQ(epoch_slot.turn % 2, 1U);
    {
      const EpochGuard inner;
      EXPECT_EQ(epoch_slot.depth, 2U);
    }
    EXPECT_EQ(epoch_slot.turn % 2, 1U) << "the outer section goes on";
    EpochGuard::leave_all();
    EXPECT_EQ(epoch_slot.turn % 2, 0U);
    const EpochGuard again;
    EXPECT_EQ(epoch_slot.depth, 1U);
  }
  EXPECT_EQ(epoch_slot.depth, 0U);
  EXPECT_EQ(epoch_slot.turn % 2, 0U);
}

TEST(EpochGuard, SynchronizeWaitsForASectionThatBeganBefore) {
  std::promise<void> entered, may_leave;
  std::atomic<bool> has_left = false;
  std::thread reader([&] {
    const EpochGuard section;
    entered.set_value();
    may_leave.get_future().wait();
    has_left = true;
  });
  entered.get_future().wait();
  auto grace = std::async(std::launch::async, [&] {
    EpochGuard::synchronize();
    return has_left.load();
  });
  may_leave.set_value();
  EXPECT_TRUE(grace.get()) << "synchronize() returned while the section was open";
  reader.join();
}

TEST(EpochGuard, SynchronizeIgnoresTheCallersOwnSectionAndThreadsThatEnded) {
  std::thread([] { const EpochGuard section; }).join();
  const EpochGuard own;
  EpochGuard::synchronize();
  EXPECT_EQ(epoch_slot.depth, 1U);
}

TEST(EpochGuard, ProtectsAPointerThatIsReplacedUnderReaders) {
  constexpr int kReplacements = 200;
  std::atomic<int*> current = new int(0);
  std::atomic<bool> is_over = false;
  std::atomic<int> bad_reads = 0;
  std::thread reader([&] {
    while (!is_over) {
      const EpochGuard section;
      if (*current.load() < 0) ++bad_reads;  // -1: replaced, and its grace period is over
    }
  });
  for (int i = 1; i <= kReplacements; ++i) {
    int* const old = current.exchange(new int(i));
    EpochGuard::synchronize();
    *old = -1;
    delete old;
  }
  is_over = true;
  reader.join();
  EXPECT_EQ(bad_reads, 0);
  delete current.load();
}

}  // namespace
}  // namespace hector
