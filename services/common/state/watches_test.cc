// What: Watches: what a watcher is told, and each way in which its flow ends.
// Why: a watcher that is too slow, cancels, or outlives the service must not hold anything here.
// Who: ctest, in service_state_test.
#include "state/watches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_store.h"
#include "state/testing.h"

namespace hector::state {
namespace {

using ::testing::ElementsAre;
using testing::Watcher;

class WatchesTest : public ::testing::Test {
 protected:
  void add(Watcher& watcher) {
    watches_->add(watcher.call, KeyRange::prefix("a/"), 1,
                  [](Revision revision, const StoreEvent& event) {
                    return Payload(Bytes::copy(std::to_string(revision) + " " + event.entry.key));
                  });
  }
  hector::testing::FakeStore store_;
  std::unique_ptr<Watches> watches_ = std::make_unique<Watches>(store_);
};

TEST_F(WatchesTest, TellEachChangeOfTheirRange) {
  Watcher watcher;
  add(watcher);
  store_.put("a/x", "1");
  store_.put("b/x", "1");
  store_.put("a/y", "1");
  EXPECT_THAT(watcher.stream->told, ElementsAre("1 a/x", "3 a/y"));
  watcher.call.cancel(Error::cancelled("enough"));
  EXPECT_EQ(watcher.end, "OK");
}

TEST_F(WatchesTest, EndWithTheServiceAndWithTheStore) {
  Watcher first, second;
  add(first);
  store_.end_watches(Error::unavailable("compacted"));
  EXPECT_EQ(first.end, "UNAVAILABLE");
  add(second);
  watches_.reset();
  EXPECT_EQ(second.end, "UNAVAILABLE");
  EXPECT_EQ(store_.watches(), 0U);
}

TEST_F(WatchesTest, AnEndComesAfterWhatTheWatcherHasNotTaken) {
  Watcher watcher;
  watcher.stream->is_held = true;
  add(watcher);
  store_.put("a/x", "1");
  watcher.call.cancel(Error::cancelled("enough"));
  EXPECT_EQ(watcher.end, std::nullopt);
  watcher.stream->held.front()({});
  EXPECT_EQ(watcher.end, "OK");
}

TEST_F(WatchesTest, AWatcherThatTakesNothingEndsAtTheLimit) {
  Watcher slow, fast;
  slow.stream->is_held = true;
  add(slow);
  add(fast);
  for (std::size_t i = 0; i <= Feed::kWaitingMax; ++i) store_.put("a/x", "1");
  EXPECT_EQ(store_.watches(), 2U) << "one is being written, and the limit waits";
  store_.put("a/x", "1");
  slow.stream->held.front()(fail(Error::unavailable("it has gone")));
  EXPECT_EQ(slow.end, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(fast.end, std::nullopt);
  EXPECT_EQ(store_.watches(), 1U);
  fast.call.cancel(Error::cancelled("enough"));
}

TEST_F(WatchesTest, AreAsManyAsTheLimitAndNotOneMore) {
  std::vector<std::unique_ptr<Watcher>> all;
  for (std::size_t i = 0; i < Watches::kMax; ++i) {
    all.push_back(std::make_unique<Watcher>());
    add(*all.back());
  }
  Watcher more;
  add(more);
  EXPECT_EQ(more.end, "RESOURCE_EXHAUSTED");
  all[0]->call.cancel(Error::cancelled("enough"));
  Watcher again;
  add(again);
  EXPECT_EQ(again.end, std::nullopt);
  watches_.reset();
}

}  // namespace
}  // namespace hector::state
