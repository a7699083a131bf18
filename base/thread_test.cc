#include "hector/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "base/testing/waiting.h"

namespace hector {
namespace {

TEST(Thread, IsJoinedWhenItsOwnerEnds) {
  std::promise<void> may_end;
  std::atomic<bool> has_ended{false};
  {
    const Thread thread("worker", [&] {
      may_end.get_future().wait();
      has_ended = true;
    });
    EXPECT_FALSE(has_ended);
    may_end.set_value();
  }
  EXPECT_TRUE(has_ended);
}

TEST(Thread, HasItsNameCutAtFifteenOctets) {
  std::string name(32, '\0');
  Thread("a name that is longer", [&] {
    pthread_getname_np(pthread_self(), name.data(), name.size());
  }).join();
  EXPECT_STREQ(name.c_str(), "a name that is ");
}

TEST(Thread, KnowsWhetherItIsHere) {
  std::promise<bool> told;
  Thread thread;
  std::promise<void> is_set;
  thread = Thread("worker", [&] {
    is_set.get_future().wait();
    told.set_value(thread.is_here());
  });
  EXPECT_FALSE(thread.is_here());
  is_set.set_value();
  EXPECT_TRUE(told.get_future().get());
}

TEST(Thread, IsJoinedBeforeAnotherTakesItsPlace) {
  std::atomic<int> ended{0};
  Thread thread("first", [&] { ++ended; });
  thread = Thread("second", [&] { ++ended; });
  EXPECT_GE(ended, 1);
  thread.join();
  EXPECT_EQ(ended, 2);
  thread.join();  // nothing is left to wait for
}

TEST(Thread, EndsAloneWhenItsOwnerEndsOnIt) {
  struct Owner {
    Thread thread;
  };
  std::atomic<bool> is_gone{false};
  std::promise<void> is_set;
  auto owner = std::make_unique<Owner>();
  Owner* const raw = owner.get();
  raw->thread = Thread("worker", [&, owner = std::shared_ptr<Owner>(std::move(owner))]() mutable {
    is_set.get_future().wait();
    owner.reset();
    is_gone = true;
  });
  is_set.set_value();
  EXPECT_TRUE(waiting::until([&] { return is_gone.load(); }));
}

}  // namespace
}  // namespace hector
