// What: StoreKit, what every store must do: cases S1 to S11 and what stands in store.h.
// Why: a service is the same on all of them, so they must be.
// Who: ctest runs it for each folder in stores/; `store_kit NAME` by hand. A provider that needs a
// server brings stores/NAME/kit_server.py, which
//      prints a location and serves until its input ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "base/testing/waiting.h"
#include "hector/store.h"
#include "hector/system.h"
#include "process/module_loader.h"

namespace hector::kits {

std::string plugin;    // NOLINT: the program's argument
std::string location;  // NOLINT: where the provider keeps things

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Bytes bytes(std::string_view text) { return Bytes::copy(text); }

/// Remembers what it is told.
class Seen final : public StoreObserver {
 public:
  void changed(const StoreChange& change) noexcept override {
    const std::lock_guard lock(mutex_);
    changes_.push_back(change);
    changed_.notify_all();
  }
  void progress(Revision revision) noexcept override {
    const std::lock_guard lock(mutex_);
    progress_ = revision;
    changed_.notify_all();
  }
  void ended(const Error& error) noexcept override {
    const std::lock_guard lock(mutex_);
    error_ = error;
    changed_.notify_all();
  }
  bool wait(std::size_t changes, Duration longest = seconds(10)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, longest, [&] { return changes_.size() >= changes; });
  }
  Error end() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(10), [&] { return error_.has_value(); });
    return error_.value_or(Error{});
  }
  std::vector<StoreChange> changes() {
    const std::lock_guard lock(mutex_);
    return changes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StoreChange> changes_;
  Revision progress_ = 0;
  std::optional<Error> error_;
};

class StoreKit : public ::testing::Test {
 protected:
  void SetUp() override {
    where_ = plugin + ":" + location + "/" +
             ::testing::UnitTest::GetInstance()->current_test_info()->name();
    open();
  }
  void open(const std::string& suffix = {}) {
    store_.reset();
    auto made = loader_.make_store(
        where_ + suffix, {"kit", {}, clock_.get(), random_.get(), loops_.get(), log_.get()});
    ASSERT_TRUE(made) << made.error().text();
    store_ = std::move(*made);
  }
  Revision put(std::string_view key, std::string_view value, LeaseId lease = 0) {
    StoreTransaction transaction;
    transaction.then.push_back(StoreOperation::put(key, bytes(value), lease));
    auto done = commit_and_wait(*store_, std::move(transaction));
    EXPECT_TRUE(done) << done.error().text();
    return done ? done->revision : 0;
  }
  Revision erase(std::string_view key) {
    StoreTransaction transaction;
    transaction.then.push_back(StoreOperation::erase(key));
    auto done = commit_and_wait(*store_, std::move(transaction));
    EXPECT_TRUE(done) << done.error().text();
    return done ? done->revision : 0;
  }
  std::string get(std::string_view key, Revision revision = 0) {
    auto page = read_and_wait(*store_, {KeyRange::one(key), revision});
    if (!page) return page.error().text();
    return page->entries.empty() ? "-" : page->entries.front().value.str();
  }
  std::vector<std::string> keys(StoreRead request) {
    auto page = read_and_wait(*store_, std::move(request));
    if (!page) return {page.error().text()};
    std::vector<std::string> list;
    for (const auto& entry : page->entries) list.push_back(entry.key);
    return list;
  }
  template <class F>
  Status wait(F&& start) {
    auto promise = std::make_shared<std::promise<Status>>();
    start([promise](Status status) { promise->set_value(std::move(status)); });
    return promise->get_future().get();
  }

  std::unique_ptr<Log> log_ = make_log(LogFormat::kText, Level::kError, "kit");
  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<Random> random_ = make_system_random();
  std::unique_ptr<EventLoops> loops_ = make_event_loops(2);
  PluginLoader loader_{plugin_paths(), *log_};
  std::string where_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreKit, S1_CreateSucceedsOnceAndTheOtherBranchUsesNoRevision) {
  const auto create = [&](std::string_view value) {
    StoreTransaction transaction{{StoreCompare::unchanged("k", 0)},
                                 {StoreOperation::put("k", bytes(value))},
                                 {StoreOperation::read(KeyRange::one("k"))},
                                 {}};
    return commit_and_wait(*store_, std::move(transaction)).value();
  };
  const auto first = create("one"), second = create("two");
  EXPECT_TRUE(first.succeeded);
  EXPECT_FALSE(second.succeeded);
  EXPECT_EQ(second.revision, first.revision);
  ASSERT_THAT(second.reads, SizeIs(1));
  ASSERT_THAT(second.reads[0].entries, SizeIs(1));
  EXPECT_EQ(second.reads[0].entries[0].value.view(), "one");
  EXPECT_EQ(get("k"), "one");
}

TEST_F(StoreKit, EveryFieldComparesInEveryRelation) {
  const LeaseId lease = grant_and_wait(*store_, seconds(60)).value();
  const Revision created = put("k", "b");
  const Revision modified = put("k", "b", lease);
  using Field = StoreCompare::Field;
  using Relation = StoreCompare::Relation;
  const auto holds = [&](StoreCompare compare) {
    auto outcome = commit_and_wait(*store_, {{std::move(compare)}});
    EXPECT_TRUE(outcome) << outcome.error().text();
    return outcome && outcome->succeeded;
  };
  const std::pair<Field, std::int64_t> numbers[] = {{Field::kModified, modified},
                                                    {Field::kCreated, created},
                                                    {Field::kVersion, 2},
                                                    {Field::kLease, lease}};
  for (const auto& [field, is] : numbers) {
    EXPECT_TRUE(holds({"k", field, Relation::kEqual, is})) << int(field);
    EXPECT_FALSE(holds({"k", field, Relation::kUnequal, is})) << int(field);
    EXPECT_TRUE(holds({"k", field, Relation::kLess, is + 1})) << int(field);
    EXPECT_FALSE(holds({"k", field, Relation::kLess, is})) << int(field);
    EXPECT_TRUE(holds({"k", field, Relation::kGreater, is - 1})) << int(field);
    EXPECT_FALSE(holds({"k", field, Relation::kGreater, is})) << int(field);
    EXPECT_TRUE(holds({"absent", field, Relation::kEqual, 0})) << int(field);
  }
  EXPECT_TRUE(holds({"k", Field::kValue, Relation::kEqual, 0, "b"}));
  EXPECT_TRUE(holds({"k", Field::kValue, Relation::kLess, 0, "c"}));
  EXPECT_TRUE(holds({"k", Field::kValue, Relation::kGreater, 0, "a"}));
  EXPECT_FALSE(holds({"k", Field::kValue, Relation::kUnequal, 0, "b"}));
  EXPECT_FALSE(holds({"absent", Field::kValue, Relation::kEqual, 0, ""}));
}

TEST_F(StoreKit, S2_AWatchIsToldOfARevisionAsAWhole) {
  Seen seen;
  const Revision before = put("a/0", "x");
  const auto watch = store_->watch({KeyRange::prefix("a/"), before + 1}, seen);
  for (int round = 0; round < 50; ++round) {
    StoreTransaction transaction;
    for (int i = 0; i < 50; ++i)
      transaction.then.push_back(
          StoreOperation::put("a/" + std::to_string(i), bytes(std::to_string(round))));
    transaction.then.push_back(StoreOperation::put("b", bytes("not watched")));
    ASSERT_TRUE(commit_and_wait(*store_, std::move(transaction)));
  }
  ASSERT_TRUE(seen.wait(50));
  Revision last = before;
  const auto changes = seen.changes();
  ASSERT_THAT(changes, SizeIs(50));
  for (const auto& change : changes) {
    EXPECT_EQ(change.revision, ++last);
    EXPECT_THAT(change.events, SizeIs(50));
    for (const auto& event : change.events) EXPECT_EQ(event.entry.modified, change.revision);
  }
}

TEST_F(StoreKit, S3_AWatchGoesOnFromAnyRevisionThatIsKept) {
  std::vector<Revision> revisions;
  for (int i = 0; i < 150; ++i) revisions.push_back(put("k", std::to_string(i)));
  Seen seen;
  auto watch = store_->watch({KeyRange::one("k"), revisions[50]}, seen);
  ASSERT_TRUE(seen.wait(100));
  watch.reset();
  const auto changes = seen.changes();
  ASSERT_THAT(changes, SizeIs(100));
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(changes[i].revision, revisions[50 + i]);
    ASSERT_THAT(changes[i].events, SizeIs(1));
    EXPECT_EQ(changes[i].events[0].entry.value.view(), std::to_string(50 + i));
  }
  ASSERT_TRUE(compact_and_wait(*store_, revisions[100]));
  Seen late;
  const auto refused = store_->watch({KeyRange::one("k"), revisions[50]}, late);
  const Error end = late.end();
  EXPECT_EQ(end.code, Code::kOutOfRange);
  EXPECT_EQ(end.type, kStoreCompacted);
  EXPECT_THAT(end.message, HasSubstr("COMPACTED"));
  const auto read = read_and_wait(*store_, {KeyRange::one("k"), revisions[99]});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().type, kStoreCompacted);
  EXPECT_EQ(get("k", revisions[100]), "100");
  EXPECT_EQ(get("k", revisions[120]), "120");
  EXPECT_EQ(compact_and_wait(*store_, revisions[100]).error().type, kStoreCompacted);
  EXPECT_EQ(compact_and_wait(*store_, revisions[149] + 1000).error().code,
            Code::kFailedPrecondition);
}

TEST_F(StoreKit, S3_ProgressSaysNoMoreThanWhatHasBeenTold) {
  class Progress final : public StoreObserver {
   public:
    void changed(const StoreChange& change) noexcept override {
      const std::lock_guard lock(mutex);
      if (change.revision <= said) is_early = true;
      last = change.revision;
      came.notify_all();
    }
    void progress(Revision revision) noexcept override {
      const std::lock_guard lock(mutex);
      said = std::max(said, revision);
    }
    void ended(const Error&) noexcept override {}
    std::mutex mutex;
    std::condition_variable came;
    Revision said = 0, last = 0;
    bool is_early = false;
  };
  const Revision first = put("k", "0");
  Revision last = first;
  for (int i = 1; i < 1'500; ++i) last = put("k", std::to_string(i));
  Progress seen;
  const auto watch = store_->watch({KeyRange::one("k"), first}, seen);
  std::unique_lock lock(seen.mutex);
  ASSERT_TRUE(
      seen.came.wait_for(lock, std::chrono::seconds(30), [&] { return seen.last == last; }));
  EXPECT_FALSE(seen.is_early) << "a revision was told of after it had been said to be past";
}

TEST_F(StoreKit, AWatchIsToldWhatWasAndOfErasures) {
  Seen seen;
  const Revision first = put("k", "old");
  const auto watch = store_->watch({KeyRange::prefix("k"), first, 0, true}, seen);
  put("k", "new");
  erase("k");
  put("other", "x");
  put("k", "again");
  ASSERT_TRUE(seen.wait(4));
  const auto changes = seen.changes();
  EXPECT_EQ(changes[0].events[0].previous.modified, 0);
  EXPECT_EQ(changes[1].events[0].previous.value.view(), "old");
  EXPECT_EQ(changes[2].events[0].kind, StoreEvent::Kind::kErase);
  EXPECT_EQ(changes[2].events[0].previous.value.view(), "new");
  EXPECT_EQ(changes[2].events[0].entry.modified, changes[2].revision);
  EXPECT_EQ(changes[3].events[0].previous.modified, 0);
  EXPECT_EQ(changes[3].events[0].entry.version, 1);
}

TEST_F(StoreKit, AWatchOfTheFutureWaitsAndOneThatEndedIsSilent) {
  const Revision now = put("k", "1");
  Seen later, ended;
  const auto watch = store_->watch({KeyRange::one("k"), now + 3}, later);
  auto short_watch = store_->watch({KeyRange::one("k"), now}, ended);
  ASSERT_TRUE(ended.wait(1));
  short_watch.reset();
  for (int i = 2; i <= 4; ++i) put("k", std::to_string(i));
  ASSERT_TRUE(later.wait(1));
  EXPECT_EQ(later.changes()[0].revision, now + 3);
  EXPECT_THAT(ended.changes(), SizeIs(1));
}

TEST_F(StoreKit, S4_ManyWritersIncrementOneCounter) {
  const int rounds =
      store_->health().provider == "etcd"
          ? 20
          : 1'000;  // 64 writers over one network connection: their number is the point
  std::vector<std::thread> writers;
  std::atomic<int> failures{0};
  for (int w = 0; w < 64; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < rounds;) {
        auto done = transact(*store_, *random_, [](StoreView& view) -> Status {
          auto entry = view.get("counter");
          if (!entry) return fail(entry.error());
          view.put("counter",
                   bytes(std::to_string(*entry ? std::stoi((*entry)->value.str()) + 1 : 1)));
          return {};
        });
        if (done)
          ++i;
        else if (done.error().type != kStoreConflict && ++failures)
          return;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(get("counter"), std::to_string(64 * rounds));
}

TEST_F(StoreKit, S5_OfTwoWritesThatReadWhatTheOtherWritesOneCommits) {
  for (int round = 0; round < 50; ++round) {
    put("ann", "on call");
    put("bob", "on call");
    std::atomic<int> ready{0};
    const auto leave = [&](const char* who, const char* other) {
      StoreTransaction transaction;
      for (const char* each : {who, other}) {
        auto page = read_and_wait(*store_, {KeyRange::one(each)}).value();
        transaction.compares.push_back(StoreCompare::unchanged(each, page.entries.at(0).modified));
      }
      transaction.then.push_back(StoreOperation::put(who, bytes("off")));
      ++ready;
      while (ready < 2) std::this_thread::yield();
      return commit_and_wait(*store_, std::move(transaction)).value().succeeded;
    };
    bool ann = false, bob = false;
    std::thread other([&] { bob = leave("bob", "ann"); });
    ann = leave("ann", "bob");
    other.join();
    EXPECT_NE(ann, bob) << "round " << round;
  }
}

TEST_F(StoreKit, S6_KeysOfALeaseGoTogether) {
  const auto started = clock_->now();
  const LeaseId lease = grant_and_wait(*store_, seconds(2)).value();
  for (int i = 0; i < 10; ++i) {
    StoreTransaction transaction;
    for (int k = 0; k < 50; ++k)
      transaction.then.push_back(
          StoreOperation::put("l/" + std::to_string(i * 50 + k), bytes("x"), lease));
    ASSERT_TRUE(commit_and_wait(*store_, std::move(transaction)));
  }
  const Revision last = put("stays", "x");
  Seen seen;
  const auto watch = store_->watch({KeyRange::prefix("l/"), last + 1}, seen);
  ASSERT_TRUE(seen.wait(1));
  const auto took = clock_->now() - started;
  EXPECT_GE(took, seconds(2));
  EXPECT_LE(took, seconds(4) + milliseconds(500));
  EXPECT_THAT(seen.changes(), SizeIs(1));
  EXPECT_THAT(seen.changes()[0].events, SizeIs(500));
  EXPECT_THAT(keys({KeyRange::prefix("")}), ElementsAre("stays"));
  const auto gone = wait([&](auto done) { store_->keep_alive(lease, std::move(done)); });
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().type, kStoreLeaseNotFound);
}

TEST_F(StoreKit, ARenewedLeaseLivesAndARevokedOneDiesAtOnce) {
  const LeaseId kept = grant_and_wait(*store_, seconds(2)).value(),
                revoked = grant_and_wait(*store_, seconds(60)).value();
  put("kept", "x", kept);
  put("revoked", "x", revoked);
  put("moved", "x", revoked);
  put("moved", "x", kept);
  put("freed", "x", revoked);
  put("freed", "x");
  ASSERT_TRUE(wait([&](auto done) { store_->revoke(revoked, std::move(done)); }));
  EXPECT_THAT(keys({KeyRange::prefix("")}), ElementsAre("freed", "kept", "moved"));
  const auto until = clock_->now() + seconds(4);
  while (clock_->now() < until) {
    ASSERT_TRUE(wait([&](auto done) { store_->keep_alive(kept, std::move(done)); }));
    waiting::spend(milliseconds(300), "a lease ends in time");
  }
  EXPECT_EQ(get("kept"), "x");
  EXPECT_FALSE(wait([&](auto done) { store_->revoke(revoked, std::move(done)); }));
  EXPECT_EQ(commit_and_wait(*store_, {{}, {StoreOperation::put("k", bytes("x"), revoked)}, {}, {}})
                .error()
                .type,
            kStoreLeaseNotFound);
  EXPECT_FALSE(grant_and_wait(*store_, milliseconds(10)));
}

TEST_F(StoreKit, PagesCursorsAndOrder) {
  for (int i = 0; i < 25; ++i) put("p/" + std::to_string(100 + i), "x");
  put("q", "x");
  StoreRead read{KeyRange::prefix("p/")};
  read.limit = 10;
  std::vector<std::string> all;
  std::vector<std::size_t> sizes;
  do {
    auto page = read_and_wait(*store_, read).value();
    for (const auto& entry : page.entries) all.push_back(entry.key);
    sizes.push_back(page.entries.size());
    read.revision = page.revision;
    read.after = page.next;
    erase("p/124");  // pages are of one revision
  } while (!read.after.empty());
  EXPECT_THAT(sizes, ElementsAre(10, 10, 5));
  EXPECT_THAT(all, SizeIs(25));
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  StoreRead backwards{KeyRange::prefix("p/")};
  backwards.reverse = true;
  backwards.limit = 2;
  auto page = read_and_wait(*store_, backwards).value();
  ASSERT_THAT(page.entries, SizeIs(2));
  EXPECT_EQ(page.entries[0].key, "p/123");
  backwards.revision = page.revision;
  backwards.after = page.next;
  EXPECT_THAT(keys(backwards), ElementsAre("p/121", "p/120"));
  EXPECT_THAT(keys({{"p/103", "p/105"}}), ElementsAre("p/103", "p/104"));
  EXPECT_THAT(keys({{"p/105", "p/103"}}), IsEmpty());
  EXPECT_THAT(keys({{"", "p/101"}}), ElementsAre("p/100"));
}

TEST_F(StoreKit, OrderIsByOctets) {
  const std::vector<std::string> names{
      std::string("a\0b", 3), "a", "ab", "b\x7f", "b\x80", "b\xfe", "a\x01"};
  for (const auto& name : names) put(name, name);
  EXPECT_THAT(keys({KeyRange::prefix("")}),
              ElementsAre("a", std::string("a\0b", 3), "a\x01", "ab", "b\x7f", "b\x80", "b\xfe"));
  EXPECT_THAT(keys({KeyRange::prefix("a")}), SizeIs(4));
  EXPECT_EQ(get(std::string("a\0b", 3)), std::string("a\0b", 3));
}

TEST_F(StoreKit, AnIdempotentTransactionHappensOnce) {
  const auto send = [&](const std::string& key) {
    return commit_and_wait(*store_, {{StoreCompare::absent("once")},
                                     {StoreOperation::put("once", bytes("x"))},
                                     {StoreOperation::put("else", bytes("x"))},
                                     key})
        .value();
  };
  const auto first = send("id-1"), again = send("id-1"), other = send("id-2"),
             other_again = send("id-2");
  EXPECT_TRUE(first.succeeded);
  EXPECT_FALSE(first.replayed);
  EXPECT_TRUE(again.succeeded) << "the outcome of the first sending";
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.revision, first.revision);
  EXPECT_FALSE(other.succeeded);
  EXPECT_FALSE(other.replayed);
  EXPECT_FALSE(other_again.succeeded);
  EXPECT_TRUE(other_again.replayed);
  EXPECT_EQ(other_again.revision, other.revision);
  EXPECT_THAT(keys({KeyRange::prefix("")}), ElementsAre("else", "once"));
  EXPECT_EQ(read_and_wait(*store_, {KeyRange::one("else")})->entries.at(0).version, 1);
}

TEST_F(StoreKit, S10_ASnapshotIsWhatWasThenWhileOthersWrite) {
  std::mutex mutex;
  std::map<Revision, std::map<std::string, std::string>> models;
  std::atomic<bool> is_over{false};
  std::map<std::string, std::string> model;
  {
    const std::lock_guard lock(mutex);
    models[put("m/0", "start")] = model = {{"m/0", "start"}};
  }
  std::thread writer([&] {
    for (int i = 0; !is_over; ++i) {
      const std::string key = "m/" + std::to_string(random_->next() % 50),
                        value = std::to_string(i);
      const bool erases = i % 5 == 4 && model.contains(key);
      const Revision revision = erases ? erase(key) : put(key, value);
      if (erases)
        model.erase(key);
      else
        model[key] = value;
      const std::lock_guard lock(mutex);
      models[revision] = model;
    }
  });
  int compared = 0;
  for (const auto until = clock_->now() + seconds(2); clock_->now() < until; ++compared) {
    Revision revision = 0;
    std::map<std::string, std::string> expected;
    {
      const std::lock_guard lock(mutex);
      auto at = models.begin();
      std::advance(at, static_cast<long>(random_->next() % models.size()));
      revision = at->first;
      expected = at->second;
    }
    auto page = read_and_wait(*store_, {KeyRange::prefix("m/"), revision});
    ASSERT_TRUE(page) << page.error().text();
    std::map<std::string, std::string> found;
    for (const auto& entry : page->entries) found[entry.key] = entry.value.str();
    ASSERT_EQ(found, expected) << "at revision " << revision;
  }
  is_over = true;
  writer.join();
  EXPECT_GT(compared, 100);
}

TEST_F(StoreKit, S11_WhatIsTooLargeIsRefusedBeforeAnythingHappens) {
  const StoreLimits limits = store_->limits();
  const Revision before = put("k", "x");
  const auto attempt = [&](StoreTransaction transaction) {
    return commit_and_wait(*store_, std::move(transaction));
  };
  const auto with_value = [](std::size_t size) {
    return StoreTransaction{
        {}, {StoreOperation::put("v", Bytes::take(std::string(size, 'v')))}, {}, {}};
  };
  const auto with_key = [](std::size_t size) {
    return StoreTransaction{{}, {StoreOperation::put(std::string(size, 'k'), bytes("x"))}, {}, {}};
  };
  const auto with_operations = [](std::size_t count) {
    StoreTransaction transaction;
    for (std::size_t i = 0; i < count; ++i)
      transaction.then.push_back(StoreOperation::put("o/" + std::to_string(i), bytes("x")));
    return transaction;
  };
  const auto with_octets = [&](std::size_t octets) {
    StoreTransaction transaction;
    for (int i = 0; octets > 0; ++i) {
      const std::string key = "t/" + std::to_string(i);
      const std::size_t part = std::min<std::size_t>(octets, 200'000);
      transaction.then.push_back(
          StoreOperation::put(key, Bytes::take(std::string(part - key.size(), 'x'))));
      octets -= part;
    }
    return transaction;
  };
  for (auto& each : {with_value(limits.value_octets_max + 1), with_key(limits.key_octets_max + 1),
                     with_operations(limits.operations_max + 1),
                     with_octets(limits.transaction_octets_max + 1)}) {
    const auto refused = attempt(each);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().type, kStoreTooLarge);
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  }
  EXPECT_EQ(store_->health().revision, before);
  for (auto& each :
       {with_value(limits.value_octets_max), with_key(limits.key_octets_max),
        with_operations(limits.operations_max), with_octets(limits.transaction_octets_max)}) {
    const auto done = attempt(each);
    EXPECT_TRUE(done) << done.error().text();
  }
}

TEST_F(StoreKit, WhatMakesNoSenseIsRefused) {
  const auto why = [&](StoreTransaction transaction) {
    auto done = commit_and_wait(*store_, std::move(transaction));
    return done ? "done" : done.error().text();
  };
  EXPECT_THAT(why({{}, {StoreOperation::put("", bytes("x"))}, {}, {}}),
              HasSubstr("at least one octet"));
  EXPECT_THAT(why({{}, {StoreOperation::put(std::string(1, '\0'), bytes("x"))}, {}, {}}),
              HasSubstr("store's own"));
  EXPECT_THAT(why({{},
                   {StoreOperation::put("k", bytes("x")), StoreOperation::put("k", bytes("y"))},
                   {},
                   {}}),
              HasSubstr("puts 'k' twice"));
  EXPECT_THAT(
      why({{},
           {StoreOperation::put("k", bytes("x")), StoreOperation::erase(KeyRange::prefix("k"))},
           {},
           {}}),
      HasSubstr("both puts and erases 'k'"));
  EXPECT_THAT(why({{StoreCompare::absent("")}}), HasSubstr("at least one octet"));
  const Revision now = put("k", "x");
  EXPECT_EQ(read_and_wait(*store_, {KeyRange::one("k"), now + 100}).error().code,
            Code::kFailedPrecondition);
  EXPECT_EQ(read_and_wait(*store_, {KeyRange::one("k"), 0, now + 100}).error().code,
            Code::kFailedPrecondition);
  EXPECT_TRUE(read_and_wait(*store_, {KeyRange::one("k"), 0, now}));
  EXPECT_EQ(read_and_wait(*store_, {KeyRange::one("k"), -1}).error().code, Code::kInvalidArgument);
}

TEST_F(StoreKit, WhatWasAcknowledgedIsThereAfterwards) {
  if (!store_->health().is_durable)
    GTEST_SKIP() << "this provider promises nothing beyond its process";
  const LeaseId lease = grant_and_wait(*store_, seconds(60)).value();
  put("a", "1");
  const Revision two = put("a", "2");
  put("b", "x", lease);
  put("gone", "x");
  const Revision last = erase("gone");
  const auto once =
      commit_and_wait(*store_, {{}, {StoreOperation::put("once", bytes("x"))}, {}, "id"}).value();
  const auto health = store_->health();
  open();
  EXPECT_EQ(store_->health().epoch, health.epoch);
  EXPECT_EQ(get("a"), "2");
  EXPECT_EQ(get("a", two - 1), "1");
  EXPECT_EQ(get("gone"), "-");
  EXPECT_EQ(get("gone", last - 1), "x");
  const auto entry = read_and_wait(*store_, {KeyRange::one("b")})->entries.at(0);
  EXPECT_EQ(entry.lease, lease);
  EXPECT_EQ(read_and_wait(*store_, {KeyRange::one("a")})->entries.at(0).version, 2);
  const auto again =
      commit_and_wait(*store_, {{}, {StoreOperation::put("once", bytes("y"))}, {}, "id"}).value();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.revision, once.revision);
  EXPECT_GT(put("c", "x"), once.revision) << "revisions never go back";
  Seen seen;
  const auto watch = store_->watch({KeyRange::prefix(""), two}, seen);
  ASSERT_TRUE(seen.wait(5));
  ASSERT_TRUE(wait([&](auto done) { store_->revoke(lease, std::move(done)); }));
  EXPECT_EQ(get("b"), "-");
}

TEST_F(StoreKit, CompactionForgetsWhatCannotBeReadAnyMore) {
  for (int i = 0; i < 10; ++i) put("k", std::to_string(i));
  put("erased", "x");
  erase("erased");
  const Revision now = put("last", "x");
  ASSERT_TRUE(compact_and_wait(*store_, now));
  EXPECT_EQ(get("k"), "9");
  EXPECT_EQ(get("k", now), "9");
  EXPECT_EQ(get("erased"), "-");
  put("erased", "new");
  EXPECT_EQ(read_and_wait(*store_, {KeyRange::one("erased")})->entries.at(0).version, 1);
  EXPECT_EQ(store_->health().compacted, now);
  if (!store_->health().is_durable) return;
  open();
  EXPECT_EQ(get("k"), "9");
  EXPECT_EQ(get("erased"), "new");
  EXPECT_EQ(read_and_wait(*store_, {KeyRange::one("k"), now - 1}).error().type, kStoreCompacted);
}

TEST_F(StoreKit, ABackupIsRestoredUnderANewEpoch) {
  for (int i = 0; i < 300; ++i)
    put("k/" + std::to_string(i), std::string(static_cast<std::size_t>(i), 'x'));
  put("large", std::string(200'000, 'l'));
  put("leased", "x", grant_and_wait(*store_, seconds(60)).value());
  const auto before = store_->health();
  const std::string file =
      ::testing::TempDir() + "hector-kit-backup-" + plugin + std::to_string(getpid());
  const auto saved = backup(*store_, file);
  ASSERT_TRUE(saved) << saved.error().text();
  const auto refused = restore(*store_, *random_, file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  open("-restored");
  const auto epoch = store_->health().epoch;
  Seen seen;
  const auto watch = store_->watch({KeyRange::prefix("k/"), 0, epoch}, seen);
  const auto done = restore(*store_, *random_, file);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(seen.end().type, kStoreOtherEpoch);
  EXPECT_THAT(keys({KeyRange::prefix("k/")}), SizeIs(300));
  EXPECT_EQ(get("k/299"), std::string(299, 'x'));
  EXPECT_EQ(get("large"), std::string(200'000, 'l'));
  EXPECT_EQ(get("leased"), "-");
  EXPECT_EQ(get(std::string(kStoreRestoring)), "-");
  EXPECT_NE(store_->health().epoch, epoch);
  EXPECT_NE(store_->health().epoch, before.epoch);
  StoreRead old{KeyRange::one("k/1")};
  old.at_least = 1;
  old.epoch = before.epoch;
  EXPECT_EQ(read_and_wait(*store_, old).error().type, kStoreOtherEpoch);
  std::filesystem::remove(file);
}

TEST_F(StoreKit, ADamagedBackupRestoresNothing) {
  put("key", "value");
  put("other", "value");
  const std::string file =
      ::testing::TempDir() + "hector-kit-damaged-" + plugin + std::to_string(getpid());
  ASSERT_TRUE(backup(*store_, file));
  std::ifstream in(file, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  open("-restored");
  const auto outcome = [&](const std::string& content) {
    std::ofstream(file, std::ios::binary) << content;
    const auto done = restore(*store_, *random_, file);
    return done ? "restored" : done.error().type;
  };
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_EQ(outcome(whole.substr(0, size)), kStoreCorrupt) << size << " octets of it";
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(outcome(flipped), kStoreCorrupt) << "bit " << bit;
  }
  EXPECT_THAT(keys({KeyRange::prefix("")}), IsEmpty());
  EXPECT_EQ(outcome(whole), "restored");
  std::filesystem::remove(file);
}

TEST_F(StoreKit, ManyReadersWritersAndWatchersAtOnce) {
  std::atomic<bool> is_over{false};
  std::atomic<int> written{0};
  Seen all;
  const Revision from = put("n/start", "x");
  const auto watch = store_->watch({KeyRange::prefix("n/"), from + 1}, all);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !is_over; ++i)
        written += put("n/" + std::to_string(t * 100 + i % 100), "x") != 0;
    });
    threads.emplace_back([&] {
      while (!is_over) {
        EXPECT_TRUE(read_and_wait(*store_, {KeyRange::prefix("n/")}));
        Seen short_lived;
        const auto ends = store_->watch({KeyRange::prefix("n/"), from}, short_lived);
      }
    });
  }
  waiting::spend(seconds(1), "under load");
  is_over = true;
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(all.wait(static_cast<std::size_t>(written)));
  Revision last = from;
  for (const auto& change : all.changes()) EXPECT_EQ(change.revision, ++last);
}

/// The provider's own server, if it needs one.
class Server {
 public:
  explicit Server(const std::string& script) {
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      close(in[1]);
      execl("/usr/bin/python3.11", "python3.11", script.c_str(), nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    char octet = 0;
    while (read(out[0], &octet, 1) == 1 && octet != '\n') location += octet;
    close(out[0]);
  }
  ~Server() {
    close(input_);
    waitpid(pid_, nullptr, 0);
  }
  std::string location;

 private:
  pid_t pid_ = 0;
  int input_ = -1;
};

}  // namespace
}  // namespace hector::kits

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc < 2) {
    std::fprintf(stderr, "usage: store_kit PROVIDER\n");
    return 2;
  }
  hector::kits::plugin = argv[1];
  const char* source = std::getenv("HECTOR_SOURCE");
  const std::string script =
      std::string(source == nullptr ? "." : source) + "/stores/" + argv[1] + "/kit_server.py";
  const std::string folder =
      ::testing::TempDir() + "hector-store-kit-" + argv[1] + "-" + std::to_string(getpid());
  std::unique_ptr<hector::kits::Server> server;
  if (std::filesystem::exists(script)) {
    server = std::make_unique<hector::kits::Server>(script);
    if (server->location.empty()) {
      std::fprintf(stderr, "store_kit: %s gave no location\n", script.c_str());
      return 77;
    }
    hector::kits::location = server->location;
  } else {
    hector::kits::location = folder;
  }
  const int failed = RUN_ALL_TESTS();
  std::filesystem::remove_all(folder);
  return failed;
}
