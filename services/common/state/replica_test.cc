// What: Replica on a store that another writer shares, one step at a time.
// Why: a service's state is what its events make of it, and a change must hold on the state that it
// was planned from.
// Who: ctest, in service_state_test.
#include "state/replica.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "fake_store.h"
#include "simulation.h"

namespace hector::state {
namespace {

using hector::testing::FakeStore;
using hector::testing::Simulation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class Words final : public Machine {
 public:
  void clear() override { words.clear(); }
  void apply(const StoreEvent& event) override {
    if (event.kind == StoreEvent::Kind::kPut)
      words[event.entry.key] = event.entry.value.str();
    else
      words.erase(event.entry.key);
  }
  void published(Revision revision) override { last_published = revision; }
  std::map<std::string, std::string> words;
  Revision last_published = 0;
};

class ReplicaTest : public ::testing::Test {
 protected:
  void start() { ASSERT_TRUE(replica_.start()); }
  /// Puts "n" to the number of plans so far, if it is as it was seen.
  void change() {
    replica_.change(
        [this]() -> Result<StoreTransaction> {
          ++plans_;
          StoreTransaction transaction;
          transaction.compares.push_back(StoreCompare::unchanged("n", seen_));
          transaction.then.push_back(StoreOperation::put("n", Bytes::copy(std::to_string(plans_))));
          return transaction;
        },
        [this](Result<Revision> ended) {
          done_ = ended ? "at " + std::to_string(*ended) : ended.error().text();
          seen_when_done_ = words_.words["n"];
        });
  }
  FakeStore store_;
  Simulation world_{1};
  Words words_;
  Replica replica_{{&store_, &world_, &world_, &world_}, "w/", words_};
  int plans_ = 0;
  Revision seen_ = 0;
  std::string done_, seen_when_done_;
};

TEST_F(ReplicaTest, ReadsWhatIsThereAndFollowsIt) {
  store_.put("w/a", "1");
  store_.put("x/b", "2");
  start();
  EXPECT_THAT(words_.words, ElementsAre(Pair("a", "1"))) << "its own keys, without the prefix";
  EXPECT_EQ(replica_.revision(), 2);
  store_.put("w/c", "3");
  EXPECT_THAT(words_.words, ElementsAre(Pair("a", "1"), Pair("c", "3")));
  EXPECT_EQ(words_.last_published, 3);
}

TEST_F(ReplicaTest, AChangeIsAppliedWhenItsEndIsTold) {
  start();
  change();
  EXPECT_EQ(done_, "at 1");
  EXPECT_EQ(seen_when_done_, "1");
  EXPECT_EQ(store_.value("w/n"), "1");
}

TEST_F(ReplicaTest, AChangePlansAgainWhereAnotherWriterWasFaster) {
  start();
  store_.before_commit = [this] {
    store_.put("w/n", "another's");
    seen_ = 1;
  };
  change();
  EXPECT_EQ(plans_, 2);
  EXPECT_EQ(done_, "at 2");
  EXPECT_EQ(store_.value("w/n"), "2");
}

TEST_F(ReplicaTest, AChangeThatAlwaysComesTooLateEnds) {
  start();
  seen_ = 99;
  change();
  EXPECT_EQ(plans_, 32);
  EXPECT_THAT(done_, HasSubstr("CONFLICT"));
  EXPECT_EQ(store_.value("w/n"), "(none)");
}

TEST_F(ReplicaTest, ARefusalOfThePlanIsTheChanges) {
  start();
  Result<Revision> told = Revision{0};
  replica_.change([]() -> Result<StoreTransaction> { return fail(Error::not_found("no such")); },
                  [&](Result<Revision> ended) { told = std::move(ended); });
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, Code::kNotFound);
}

TEST_F(ReplicaTest, APlanThatChangesNothingWritesNothing) {
  store_.put("x", "1");
  start();
  Result<Revision> told = Revision{0};
  replica_.change([]() -> Result<StoreTransaction> { return StoreTransaction(); },
                  [&](Result<Revision> ended) { told = std::move(ended); });
  ASSERT_TRUE(told);
  EXPECT_EQ(*told, 1);
}

TEST_F(ReplicaTest, AnErrorOfTheStoreIsTheChanges) {
  start();
  store_.broken = Error::unavailable("the disk is full");
  change();
  EXPECT_THAT(done_, HasSubstr("the disk is full"));
}

TEST_F(ReplicaTest, IsReadAgainWhenItsWatchEndsAndKeepsItsStateUntilThen) {
  store_.put("w/a", "1");
  start();
  store_.end_watches(Error::unavailable("compacted"));
  store_.put("w/a", "2");
  EXPECT_THAT(words_.words, ElementsAre(Pair("a", "1")));
  store_.broken = Error::unavailable("away");
  world_.step();
  EXPECT_THAT(words_.words, ElementsAre(Pair("a", "1"))) << "what is known is better than nothing";
  store_.broken.reset();
  while (world_.step()) {
  }
  EXPECT_THAT(words_.words, ElementsAre(Pair("a", "2")));
  EXPECT_EQ(store_.watches(), 1U);
}

TEST_F(ReplicaTest, RunsWhatWaitsForARevisionWhenItHasCome) {
  start();
  bool is_there = false, is_far = false;
  replica_.when_applied(1, [&] { is_there = true; });
  replica_.when_applied(3, [&] { is_far = true; });
  EXPECT_FALSE(is_there);
  store_.put("other", "x");
  EXPECT_TRUE(is_there) << "a revision of other keys counts too";
  EXPECT_FALSE(is_far);
}

TEST_F(ReplicaTest, InASharedStoreEachChangeAlsoMovesTheHeadWhichIsNoStateOfTheService) {
  store_.is_shared_by_others = true;
  start();
  change();
  EXPECT_EQ(done_, "at 1");
  EXPECT_EQ(store_.value("w/head"), "");
  EXPECT_THAT(words_.words, ElementsAre(Pair("n", "1")));
  bool is_current = false;
  replica_.when_current([&](const Status& asked) { is_current = asked.has_value(); });
  EXPECT_TRUE(is_current);
}

TEST_F(ReplicaTest, InASharedStoreAChangeThatWasTooLateWaitsBeforeItPlansAgain) {
  store_.is_shared_by_others = true;
  start();
  seen_ = 99;
  change();
  EXPECT_EQ(plans_, 1);
  seen_ = 0;
  world_.step();
  EXPECT_EQ(plans_, 2);
  EXPECT_EQ(done_, "at 1");
}

}  // namespace
}  // namespace hector::state
