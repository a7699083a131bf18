#include "state/replica.h"

#include <fmt/format.h>

#include "hector/check.h"

namespace hector::state {

namespace {

/// Each means that another writer was faster: so many in a row are contention to report.
constexpr int kTries = 32;
/// Entries of one read: a state is read in pages, so that no one reply is too large.
constexpr std::uint32_t kPageEntries = 10'000;
/// Where the store could not be read: as often as it tries to recover.
constexpr Duration kLoadAgainAfter = std::chrono::seconds(1);
/// Where others write as well each change puts this key too: its revision says how far the state
/// has to be, whatever else the store holds. (A watch is told of its own keys only, and etcd's
/// answers name the revision of all.)
constexpr std::string_view kHead = "head";
/// After a change that came too late, times its tries: about an etcd's round trip.
constexpr Duration kPauseStep = std::chrono::milliseconds(2);

}  // namespace

struct Replica::Attempt {
  Plan plan;
  Callback<void(Result<Revision>)> done;
  int tries = 0;
};

Replica::Replica(const ReplicaOptions& options, std::string prefix, Machine& machine)
    : store_(*options.store),
      clock_(*options.clock),
      executor_(*options.executor),
      log_(*options.log),
      prefix_(std::move(prefix)),
      machine_(machine) {}

Replica::~Replica() {
  guard_.end();
  watch_.reset();
}

Status Replica::start() {
  HECTOR_CHECK(watch_ == nullptr, "a replica is started twice");
  return load();
}

Status Replica::load() {
  StoreRead read{KeyRange::prefix(prefix_)};
  read.limit = kPageEntries;
  bool is_first = true;
  do {
    auto page = HECTOR_TRY(read_and_wait(store_, read));
    const std::unique_lock lock(mutex_);
    if (is_first) machine_.clear();
    is_first = false;
    for (auto& entry : page.entries) {
      entry.key.erase(0, prefix_.size());
      if (entry.key == kHead) continue;
      machine_.apply({StoreEvent::Kind::kPut, std::move(entry), {}});
    }
    applied_ = read.revision = page.revision;
    read.after = page.next;
  } while (!read.after.empty());
  {
    const std::unique_lock lock(mutex_);
    machine_.applied(applied_);
  }
  machine_.published(read.revision);
  watch_ = store_.watch({KeyRange::prefix(prefix_), read.revision + 1}, *this);
  return {};
}

void Replica::changed(const StoreChange& change) noexcept {
  {
    const std::unique_lock lock(mutex_);
    for (const auto& event : change.events) {
      StoreEvent own = event;
      own.entry.key.erase(0, prefix_.size());
      if (own.entry.key == kHead) continue;
      machine_.apply(own);
    }
    applied_ = change.revision;
    machine_.applied(change.revision);
  }
  machine_.published(change.revision);
  reached(change.revision);
}

void Replica::progress(Revision revision) noexcept {
  {
    const std::unique_lock lock(mutex_);
    applied_ = std::max(applied_, revision);
  }
  reached(revision);
}

void Replica::ended(const Error& error) noexcept {
  log_.write(Level::kWarning, "state is read again", {{"prefix", prefix_}, {"why", error.message}});
  load_again();
}

/// Where the store cannot be read now it is tried again every second: the state stays what it was
/// until then. Rare (a restore, a watch left behind by compaction), so it may hold an event loop
/// for as long as reading takes; the store's own thread it may not.
void Replica::load_again() {
  executor_.post([handle = guard_.handle()] {
    handle.run_alone([&](Replica& self) {
      const auto loaded = self.load();
      if (loaded) return;
      self.log_.write(Level::kError, "state cannot be read; it is tried again",
                      {{"prefix", self.prefix_}, {"why", loaded.error().message}});
      self.executor_.at(self.clock_.now() + kLoadAgainAfter,
                        [handle] { handle.run([](Replica& later) { later.load_again(); }); });
    });
  });
}

void Replica::when_applied(Revision revision, Callback<void()> then) {
  {
    const std::lock_guard lock(waiting_mutex_);
    const std::shared_lock state(mutex_);
    if (applied_ < revision) {
      waiting_.push_back({revision, std::move(then)});
      return;
    }
  }
  then();
}

void Replica::when_current(Callback<void(Status)> then) {
  if (!store_.is_shared()) return then({});
  store_.read({KeyRange::one(prefix_ + std::string(kHead))},
              [this, then = std::move(then)](Result<StorePage> page) mutable {
                if (!page) return then(fail(page.error()));
                when_applied(page->entries.empty() ? 0 : page->entries[0].modified,
                             [then = std::move(then)]() mutable { then({}); });
              });
}

void Replica::reached(Revision revision) {
  std::vector<Callback<void()>> ready;
  {
    const std::lock_guard lock(waiting_mutex_);
    for (auto each = waiting_.begin(); each != waiting_.end();) {
      if (each->revision > revision) {
        ++each;
        continue;
      }
      ready.push_back(std::move(each->then));
      each = waiting_.erase(each);
    }
  }
  for (auto& each : ready) each();
}

void Replica::prefix_keys(StoreTransaction& transaction) const {
  for (auto& compare : transaction.compares) compare.key.insert(0, prefix_);
  for (auto* branch : {&transaction.then, &transaction.otherwise}) {
    for (auto& operation : *branch) {
      if (operation.kind == StoreOperation::Kind::kPut) {
        operation.key.insert(0, prefix_);
      } else {
        operation.range.from.insert(0, prefix_);
        operation.range.to.insert(0, prefix_);
      }
    }
  }
}

void Replica::change(Plan plan, Callback<void(Result<Revision>)> done) {
  auto made = std::make_unique<Attempt>();
  made->plan = std::move(plan);
  made->done = std::move(done);
  attempt(std::move(made));
}

void Replica::attempt(std::unique_ptr<Attempt> attempt) {
  HECTOR_CHECK(attempt->plan != nullptr && attempt->tries < kTries, "a change is tried too often");
  auto transaction = [&] {
    const auto lock = read();
    return attempt->plan();
  }();
  if (!transaction) return attempt->done(fail(transaction.error()));
  if (transaction->then.empty()) return attempt->done(revision());  // nothing to change
  if (store_.is_shared()) transaction->then.push_back(StoreOperation::put(kHead, {}));
  prefix_keys(*transaction);
  store_.commit(std::move(*transaction), [this, attempt = std::move(attempt)](
                                             Result<StoreOutcome> outcome) mutable {
    HECTOR_CHECK(attempt != nullptr, "a commit ended twice");
    if (!outcome) return attempt->done(fail(outcome.error()));
    const Revision revision = outcome->revision;
    if (outcome->succeeded)
      return when_applied(revision,
                          [attempt = std::move(attempt), revision] { attempt->done(revision); });
    if (++attempt->tries >= kTries) {
      return attempt->done(fail(
          Error::aborted(
              fmt::format("CONFLICT: another writer changed the same {} times; try again", kTries))
              .with_type(std::string(kStoreConflict))));
    }
    if (!store_.is_shared())
      return when_applied(revision, [this, attempt = std::move(attempt)]() mutable {
        this->attempt(std::move(attempt));
      });
    // A lease that ended leaves no head: the watch tells of it soon.
    when_current([this, attempt = std::move(attempt)](Status current) mutable {
      if (!current) return attempt->done(fail(current.error()));
      const TimePoint again = clock_.now() + kPauseStep * attempt->tries;
      executor_.at(again, [attempt = std::move(attempt), handle = guard_.handle()]() mutable {
        handle.run([&](Replica& self) { self.attempt(std::move(attempt)); });
      });
    });
  });
}

}  // namespace hector::state
