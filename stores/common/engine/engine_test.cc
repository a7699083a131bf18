// What: tests of Engine on a journal that a test controls, in one thread on a simulated clock.
// Why: group commit, undo, recovery, leases and watches are decided here and not in a journal.
// Who: ctest, in store_engine_test.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace hector::stores {
namespace {

using hector::testing::Simulation;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What a journal did, kept by the test beyond the engine's life.
struct Disk {
  std::vector<Batch> batches;
  std::vector<Record> loaded;
  Loaded state;
  std::optional<Error> append_fails, rewrite_fails;
  int rewrites = 0;
};

class TestJournal final : public Journal {
 public:
  explicit TestJournal(Disk& disk) : disk_(disk) {}
  Result<Loaded> load(const std::function<void(Record)>& record) override {
    for (const auto& each : disk_.loaded) record(each);
    return disk_.state;
  }
  Status append(const Batch& batch) override {
    if (disk_.append_fails) return fail(*disk_.append_fails);
    disk_.batches.push_back(batch);
    return {};
  }
  Status rewrite(const Loaded&, const History&) override {
    ++disk_.rewrites;
    if (disk_.rewrite_fails) return fail(*disk_.rewrite_fails);
    return {};
  }
  bool is_instant() const noexcept override { return true; }
  std::string provider() const override { return "test"; }

 private:
  Disk& disk_;
};

/// The events of its records.
class Events final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<Field>) noexcept override {
    seen.emplace_back(event.substr(0, event.find(':')));
  }
  std::vector<std::string> seen;
};

class Watcher final : public StoreObserver {
 public:
  void changed(const StoreChange& change) noexcept override {
    for (const auto& event : change.events)
      seen.push_back(std::to_string(change.revision) + event.entry.key);
  }
  void progress(Revision revision) noexcept override {
    seen.push_back("=" + std::to_string(revision));
  }
  void ended(const Error& error) noexcept override { end = error; }
  std::vector<std::string> seen;
  std::optional<Error> end;
};

StoreTransaction put(const std::string& key, const std::string& value = "v", LeaseId lease = 0) {
  return {{}, {StoreOperation::put(key, Bytes::copy(value), lease)}, {}, {}};
}

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open(Revision history = 100'000) {
    engine.reset();
    auto made =
        Engine::make({&world, &world, &world, &log, history}, std::make_unique<TestJournal>(disk));
    ASSERT_TRUE(made) << made.error().text();
    engine = std::move(*made);
    disk.batches.clear();
  }
  /// On an instant journal the answer comes before the call returns.
  Result<StoreOutcome> commit(StoreTransaction transaction) {
    Result<StoreOutcome> outcome = fail(Error::internal("no answer"));
    engine->commit(std::move(transaction), [&](Result<StoreOutcome> done) { outcome = done; });
    return outcome;
  }
  LeaseId grant(Duration ttl) {
    Result<LeaseId> lease = fail(Error::internal("no answer"));
    engine->grant(ttl, [&](Result<LeaseId> done) { lease = done; });
    EXPECT_TRUE(lease);
    return lease.value_or(0);
  }
  std::vector<std::string> keys() {
    std::vector<std::string> list;
    engine->read({KeyRange::prefix("")}, [&](Result<StorePage> page) {
      ASSERT_TRUE(page) << page.error().text();
      for (const auto& entry : page->entries) list.push_back(entry.key);
    });
    return list;
  }
  Simulation world{1};
  Disk disk;
  Events log;
  std::unique_ptr<Engine> engine;
};

TEST_F(EngineTest, GivesEachChangeTheNextRevision) {
  EXPECT_EQ(commit(put("a"))->revision, 1);
  EXPECT_EQ(commit(put("b"))->revision, 2);
  EXPECT_EQ(commit({{}, {StoreOperation::read(KeyRange::prefix(""))}, {}, {}})->revision, 2)
      << "a read changes nothing";
  EXPECT_EQ(engine->health().revision, 2);
  EXPECT_THAT(keys(), ElementsAre("a", "b"));
}

TEST_F(EngineTest, TakesTheBranchThatItsComparesChoose) {
  const StoreTransaction once{{StoreCompare::absent("k")},
                              {StoreOperation::put("k", Bytes::copy("first"))},
                              {StoreOperation::read(KeyRange::one("k"))},
                              {}};
  EXPECT_TRUE(commit(once)->succeeded);
  const auto second = commit(once);
  EXPECT_FALSE(second->succeeded);
  ASSERT_EQ(second->reads.size(), 1U);
  EXPECT_EQ(second->reads[0].entries.at(0).value.str(), "first");
}

TEST_F(EngineTest, KeepsCommitsThatWaitTogetherUpToTheirNumber) {
  std::size_t answered = 0;
  engine->commit(put("first"), [&](const Result<StoreOutcome>&) {
    for (std::size_t i = 0; i <= Engine::kGroupMax; ++i)
      engine->commit(put(std::to_string(i)), [&](const Result<StoreOutcome>& done) {
        EXPECT_TRUE(done);
        ++answered;
      });
  });
  EXPECT_EQ(answered, Engine::kGroupMax + 1);
  ASSERT_EQ(disk.batches.size(), 3U);
  EXPECT_EQ(disk.batches[1].records.size(), Engine::kGroupMax);
  EXPECT_EQ(disk.batches[2].records.size(), 1U);
}

TEST_F(EngineTest, KeepsCommitsThatWaitTogetherUpToTheirOctets) {
  const std::size_t value = StoreLimits{}.value_octets_max;
  const std::size_t each = 3 * (value + 2);
  const auto large = [&](std::size_t number) {
    StoreTransaction made;
    for (std::size_t part = 0; part < 3; ++part)
      made.then.push_back(StoreOperation::put(std::to_string(number) + std::to_string(part),
                                              Bytes::take(std::string(value, 'v'))));
    return made;
  };
  const std::size_t together = Engine::kGroupOctetsMax / each;
  ASSERT_LT(together, 9U);
  engine->commit(put("first"), [&](const Result<StoreOutcome>&) {
    for (std::size_t i = 0; i <= together; ++i)
      engine->commit(large(i), [&](const Result<StoreOutcome>& done) { EXPECT_TRUE(done); });
  });
  ASSERT_EQ(disk.batches.size(), 3U);
  EXPECT_EQ(disk.batches[1].records.size(), 3 * together);
  EXPECT_EQ(disk.batches[2].records.size(), 3U) << "one more is the next append";
}

TEST_F(EngineTest, RecordsOfATransactionHaveOneRevisionAndAscendingPlaces) {
  ASSERT_TRUE(commit({{}, {StoreOperation::put("a", {}), StoreOperation::put("b", {})}, {}, {}}));
  ASSERT_EQ(disk.batches.size(), 1U);
  const auto& records = disk.batches[0].records;
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].revision, records[1].revision);
  EXPECT_EQ(records[0].sub, 0U);
  EXPECT_EQ(records[1].sub, 1U);
}

TEST_F(EngineTest, UndoesWhatTheJournalHasNoRoomForAndStaysWritable) {
  ASSERT_TRUE(commit(put("kept")));
  disk.append_fails = Error::resource_exhausted("the disk is full");
  StoreTransaction lost = put("lost");
  lost.idempotency_key = "once";
  EXPECT_EQ(commit(lost).error().code, Code::kResourceExhausted);
  EXPECT_THAT(keys(), ElementsAre("kept"));
  EXPECT_EQ(engine->health().revision, 1);
  disk.append_fails.reset();
  const auto again = commit(lost);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_FALSE(again->replayed) << "the failed sending left no outcome";
  EXPECT_EQ(again->revision, 2) << "its revision was not used up";
}

TEST_F(EngineTest, LogsOnceThatThereIsNoRoomAndOnceThatThereIsAgain) {
  const auto none = Error::resource_exhausted("the disk is full");
  disk.append_fails = none;
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(commit(put("lost")));
  EXPECT_THAT(log.seen, ElementsAre("store has no room"));
  for (int i = 0; i < 1'000; ++i) {  // small ones fit, large ones do not
    disk.append_fails.reset();
    EXPECT_TRUE(commit(put("small")));
    disk.append_fails = none;
    EXPECT_FALSE(commit(put("large")));
    world.run_for(milliseconds(100));
  }
  EXPECT_THAT(log.seen, ElementsAre("store has no room"));
  disk.append_fails.reset();
  world.run_for(seconds(10));
  EXPECT_TRUE(commit(put("large")));
  EXPECT_TRUE(commit(put("large")));
  EXPECT_THAT(log.seen, ElementsAre("store has no room", "store has room again"));
}

TEST_F(EngineTest, EndsLeasesThatExpiredWithoutRoomOnceThereIsSome) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(commit(put(std::to_string(i), "v", grant(seconds(5)))));
  disk.append_fails = Error::resource_exhausted("the disk is full");
  world.run_for(minutes(5));
  EXPECT_EQ(keys().size(), 100U);
  EXPECT_THAT(log.seen, ElementsAre("store has no room",
                                    "leases have expired but cannot be ended; it is tried again"));
  disk.append_fails.reset();
  world.run_for(seconds(5));
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(EngineTest, LogsOnceWhyItIsStillReadOnly) {
  disk.append_fails = Error::unavailable("the disk is gone");
  disk.rewrite_fails = Error::unavailable("still gone");
  EXPECT_FALSE(commit(put("lost")));
  world.run_for(minutes(5));
  EXPECT_THAT(log.seen, ElementsAre("store is read-only", "store is still read-only"));
  disk.append_fails.reset();
  disk.rewrite_fails.reset();
  world.run_for(seconds(5));
  EXPECT_THAT(log.seen,
              ElementsAre("store is read-only", "store is still read-only", "store has recovered"));
  EXPECT_TRUE(commit(put("later")));
}

TEST_F(EngineTest, IsReadOnlyAfterAFailedAppendUntilItsRewriteSucceeds) {
  ASSERT_TRUE(commit(put("kept")));
  disk.append_fails = Error::unavailable("the disk is gone");
  disk.rewrite_fails = Error::unavailable("still gone");
  EXPECT_FALSE(commit(put("lost")));
  disk.append_fails.reset();
  const auto refused = commit(put("refused"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("read-only: the disk is gone"));
  EXPECT_FALSE(engine->health().is_writable);
  EXPECT_THAT(keys(), ElementsAre("kept")) << "it can still be read";
  world.run_for(seconds(10));
  EXPECT_GT(disk.rewrites, 3);
  EXPECT_LT(disk.rewrites, 20) << "the pause between two tries grows";
  disk.rewrite_fails.reset();
  world.run_for(seconds(3));
  EXPECT_TRUE(commit(put("after")));
  EXPECT_TRUE(engine->health().is_writable);
}

TEST_F(EngineTest, AnswersARepeatedTransactionWithItsFirstOutcome) {
  StoreTransaction transaction = put("k");
  transaction.idempotency_key = "once";
  EXPECT_EQ(commit(transaction)->revision, 1);
  const auto replayed = commit(transaction);
  EXPECT_TRUE(replayed->replayed);
  EXPECT_EQ(replayed->revision, 1);
  world.run_for(kIdempotencyKept + minutes(2));
  EXPECT_FALSE(commit(transaction)->replayed) << "it was forgotten";
}

TEST_F(EngineTest, EndsALeaseWithItsKeysWhenItIsNotRenewed) {
  const LeaseId lease = grant(seconds(10));
  ASSERT_TRUE(commit(put("leased", "v", lease)));
  ASSERT_TRUE(commit(put("free")));
  for (int i = 0; i < 3; ++i) {
    world.run_for(seconds(6));
    engine->keep_alive(lease, [](const Status& done) { EXPECT_TRUE(done); });
  }
  EXPECT_THAT(keys(), ElementsAre("free", "leased"));
  world.run_for(seconds(11));
  EXPECT_THAT(keys(), ElementsAre("free"));
  engine->keep_alive(lease, [](const Status& done) {
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().type, kStoreLeaseNotFound);
  });
}

TEST_F(EngineTest, AKeyThatIsPutWithoutItsLeaseOutlivesIt) {
  const LeaseId lease = grant(seconds(5));
  ASSERT_TRUE(commit(put("k", "v", lease)));
  ASSERT_TRUE(commit(put("k")));
  world.run_for(seconds(6));
  EXPECT_THAT(keys(), ElementsAre("k"));
}

TEST_F(EngineTest, RefusesALeaseThatIsNotThereAndChangesNothing) {
  const auto refused =
      commit({{}, {StoreOperation::put("a", {}), StoreOperation::put("b", {}, 99)}, {}, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, kStoreLeaseNotFound);
  EXPECT_THAT(keys(), IsEmpty()) << "all or nothing";
}

TEST_F(EngineTest, TellsAWatchFromThePastOnceAndThenWhatComes) {
  ASSERT_TRUE(commit(put("in/a")));
  ASSERT_TRUE(commit(put("out")));
  Watcher watcher;
  StoreWatchRequest request;
  request.range = KeyRange::prefix("in/");
  request.from = 1;
  const auto watch = engine->watch(request, watcher);
  EXPECT_THAT(watcher.seen, ElementsAre("1in/a", "=2"));
  ASSERT_TRUE(commit(put("in/b")));
  EXPECT_THAT(watcher.seen, ElementsAre("1in/a", "=2", "3in/b", "=3"));
}

TEST_F(EngineTest, TellsNoWatchOfWhatIsNotDurable) {
  Watcher watcher;
  StoreWatchRequest request;
  request.range = KeyRange::prefix("");
  const auto watch = engine->watch(request, watcher);
  disk.append_fails = Error::resource_exhausted("full");
  EXPECT_FALSE(commit(put("lost")));
  EXPECT_THAT(watcher.seen, ElementsAre("=0"));
}

TEST_F(EngineTest, EndsAWatchOfACompactedRevisionWithTheOldestThereIs) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(commit(put("k")));
  engine->compact(3, [](const Status& done) { EXPECT_TRUE(done); });
  Watcher watcher;
  StoreWatchRequest request;
  request.range = KeyRange::prefix("");
  request.from = 3;
  const auto watch = engine->watch(request, watcher);
  ASSERT_TRUE(watcher.end);
  EXPECT_EQ(watcher.end->type, kStoreCompacted);
  EXPECT_EQ(watcher.end->detail, "4");
}

TEST_F(EngineTest, ForgetsHistoryBeyondItsLimitInSteps) {
  open(100);
  for (int i = 0; i < 1'099; ++i) ASSERT_TRUE(commit(put("k")));
  EXPECT_EQ(engine->health().compacted, 0);
  ASSERT_TRUE(commit(put("k")));
  EXPECT_EQ(engine->health().compacted, 1'000);
}

TEST_F(EngineTest, LoadsWhatWasKeptAndGivesLeasesTheirWholeTimeAgain) {
  disk.loaded = {{4, true, "leased", Bytes::copy("v"), 4, 1, 77}, {5, true, "free", {}, 5, 1}};
  disk.state.compacted = 3;
  disk.state.epoch = 9;
  disk.state.leases = {{77, seconds(10)}};
  open();
  EXPECT_EQ(engine->health().epoch, 9U);
  EXPECT_EQ(engine->health().revision, 5);
  EXPECT_THAT(keys(), ElementsAre("free", "leased"));
  world.run_for(seconds(9));
  EXPECT_EQ(keys().size(), 2U);
  world.run_for(seconds(2));
  EXPECT_THAT(keys(), ElementsAre("free"));
}

TEST_F(EngineTest, RefusesALogWithoutItsEpoch) {
  disk.loaded = {{1, true, "k", {}, 1, 1}};
  const auto refused =
      Engine::make({&world, &world, &world, &world}, std::make_unique<TestJournal>(disk));
  ASSERT_FALSE(refused) << "a new epoch over an old log would tell watchers what they know";
  EXPECT_EQ(refused.error().type, kStoreCorrupt);
}

TEST_F(EngineTest, ANewStoreBeginsAnEpochAndARestoredOneEndsItsWatches) {
  const auto before = engine->health().epoch;
  EXPECT_NE(before, 0U);
  Watcher watcher;
  StoreWatchRequest request;
  request.range = KeyRange::prefix("");
  const auto watch = engine->watch(request, watcher);
  engine->begin_epoch(before + 1, [](const Status& done) { EXPECT_TRUE(done); });
  ASSERT_TRUE(watcher.end);
  EXPECT_EQ(watcher.end->type, kStoreOtherEpoch);
  engine->read({KeyRange::prefix(""), 0, 0, before}, [](const Result<StorePage>& page) {
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().type, kStoreOtherEpoch);
  });
}

}  // namespace
}  // namespace hector::stores
