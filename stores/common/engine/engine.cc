#include "engine/engine.h"

#include <fmt/format.h>

#include "engine/limits.h"
#include "hector/check.h"

namespace hector::stores {

namespace {

/// Revisions are compacted in steps: an append a step, not one a commit.
constexpr Revision kForgottenTogether = 1'000;
/// A rewrite is tried again after the first pause, then after twice as long, up to the second.
constexpr Duration kPauseMin = std::chrono::milliseconds(50);
constexpr Duration kPauseMax = std::chrono::seconds(2);
/// Leases end this much late at most; see arm().
constexpr Duration kLookMin = std::chrono::milliseconds(50);
/// There is room again once a write succeeds and none was refused for so long: while small writes
/// fit and large ones do not, the log is not told of each turn.
constexpr Duration kRoomAgain = std::chrono::seconds(10);
/// Outcomes are forgotten in steps of this, late by as much.
constexpr Duration kOutcomesTogether = std::chrono::minutes(1);

Error read_only(const std::string& why) {
  return Error::unavailable(fmt::format(
      "the store is read-only: {}; nothing was written, it tries to recover by itself", why));
}

}  // namespace

class Engine::Watch {
 public:
  Watch(StoreWatchRequest request, StoreObserver& observer)
      : request(std::move(request)), observer_(&observer) {}
  template <class F>
  void tell(F&& told) {
    const std::lock_guard lock(mutex_);
    if (observer_ != nullptr) told(*observer_);
  }
  void end(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (auto* observer = std::exchange(observer_, nullptr)) observer->ended(error);
  }
  void cancel() {
    const std::lock_guard lock(mutex_);
    observer_ = nullptr;
  }
  bool is_over() {
    const std::lock_guard lock(mutex_);
    return observer_ == nullptr;
  }
  /// On the writer: the changes of [from, to] in the watched range, then that there are no others.
  void tell_changes(const History& history, Revision from, Revision to) {
    history.each_change(
        from, to, request.range, request.with_previous, [&](const StoreChange& change) {
          HECTOR_CHECK(change.revision > told_, "a watch is told of a revision twice");
          told_ = change.revision;
          tell([&](StoreObserver& observer) { observer.changed(change); });
        });
    HECTOR_CHECK(to >= told_, "a watch's progress goes backwards");
    told_ = to;
    tell([&](StoreObserver& observer) { observer.progress(to); });
  }
  const StoreWatchRequest request;

 private:
  Revision told_ = 0;           ///< the writer's
  std::recursive_mutex mutex_;  ///< an observer may end its watch in its own callback
  StoreObserver* observer_;
};

Engine::Engine(const EngineOptions& options, std::unique_ptr<Journal> journal)
    : options_(options), journal_(std::move(journal)), pause_(kPauseMin) {}

Result<std::unique_ptr<Engine>> Engine::make(const EngineOptions& options,
                                             std::unique_ptr<Journal> journal) {
  std::unique_ptr<Engine> engine(new Engine(options, std::move(journal)));
  HECTOR_TRY(engine->load());
  if (!engine->journal_->is_instant())
    engine->writer_ = Thread("store writer", [raw = engine.get()] { raw->write_until_stopped(); });
  engine->arm();
  return engine;
}

Engine::~Engine() {
  guard_.end();
  if (timer_ != 0) options_.executor->cancel(timer_);
  {
    const std::lock_guard lock(queue_mutex_);
    is_stopping_ = true;
    queued_.notify_all();
  }
  writer_.join();
  HECTOR_CHECK(queue_.empty() && !is_draining_, "a store ends before what it was asked");
}

Status Engine::load() {
  const TimePoint now = options_.clock->now();
  auto loaded = HECTOR_TRY(journal_->load([this](Record record) { history_.apply(record); }));
  history_.start_at(loaded.compacted, std::max(history_.latest(), loaded.compacted));
  history_.compact(loaded.compacted);
  for (const auto& [lease, ttl] : loaded.leases)
    leases_[lease] = {ttl, now + ttl, {}};  // none could be renewed while the store was down
  history_.each_record([this](const Record& record) {
    if (record.lease != 0) leases_[record.lease].keys.insert(record.key);
  });
  for (auto& [key, outcome] : loaded.outcomes) {
    outcomes_in_order_.emplace_back(now + kIdempotencyKept, key);
    outcomes_.emplace(std::move(key), std::move(outcome));
  }
  visible_ = history_.latest();
  epoch_ = loaded.epoch;
  if (epoch_ == 0 && visible_ != 0)
    return fail(Error::data_loss(fmt::format("CORRUPT: the journal has revisions up to {} and no "
                                             "epoch; restore a backup",
                                             visible_))
                    .with_type(kStoreCorrupt));
  if (epoch_ == 0) {
    Batch first;
    first.epoch = epoch_ = options_.random->next() | 1;
    return journal_->append(first);
  }
  return {};
}

void Engine::read(StoreRead request, Callback<void(Result<StorePage>)> done) {
  if (auto fits = check(request, {}); !fits) return done(fail(fits.error()));
  auto page = [&]() -> Result<StorePage> {
    const std::shared_lock lock(state_mutex_);
    if (request.epoch != 0 && request.epoch != epoch_)
      return fail(other_epoch(request.epoch, epoch_));
    const Revision needed = std::max(request.revision, request.at_least);
    if (needed > visible_) return fail(in_future(needed, visible_));
    const Revision revision = request.revision == 0 ? visible_ : request.revision;
    if (revision < history_.compacted()) return fail(compacted(revision, history_.compacted()));
    return history_.range(request, revision);
  }();
  done(std::move(page));
}

void Engine::commit(StoreTransaction transaction, Callback<void(Result<StoreOutcome>)> done) {
  if (auto fits = check(transaction, {}); !fits) return done(fail(fits.error()));
  submit(Commit{std::move(transaction), std::move(done)});
}

std::unique_ptr<StoreWatch> Engine::watch(StoreWatchRequest request, StoreObserver& observer) {
  struct Handle final : StoreWatch {
    explicit Handle(Watching watching) : held(std::move(watching)) {}
    ~Handle() override { held.watch->cancel(); }
    const Watching held;
  };
  const Watching made{std::make_shared<Watch>(std::move(request), observer)};
  auto handle = std::make_unique<Handle>(made);
  submit(made);
  return handle;
}

void Engine::submit(Request request) {
  std::unique_lock lock(queue_mutex_);
  if (auto* commit = std::get_if<Commit>(&request);
      commit != nullptr && ++commits_waiting_ > kQueueMax) {
    --commits_waiting_;
    lock.unlock();
    return commit->done(fail(Error::resource_exhausted(
        fmt::format("{} writes wait for the store, its limit; nothing was written", kQueueMax))));
  }
  if (auto* watching = std::get_if<Watching>(&request);
      watching != nullptr && ++watches_waiting_ > kWatchesMax) {
    --watches_waiting_;
    lock.unlock();
    return watching->watch->end(Error::resource_exhausted(
        fmt::format("{} watches wait for the store to begin, its limit", kWatchesMax)));
  }
  queue_.push_back(std::move(request));
  if (!journal_->is_instant()) {
    queued_.notify_one();
    return;
  }
  if (is_draining_) return;  // the thread that drains the queue takes it
  is_draining_ = true;
  lock.unlock();
  drain();
}

/// The writer of an instant store is the thread that finds none at work.
void Engine::drain() {
  std::deque<Request> taken;
  for (;;) {
    {
      const std::lock_guard lock(queue_mutex_);
      if (queue_.empty()) {
        is_draining_ = false;
        writer_id_ = std::thread::id();
        return;
      }
      writer_id_ = std::this_thread::get_id();
      taken.swap(queue_);
      commits_waiting_ = watches_waiting_ = 0;
    }
    handle(taken);
  }
}

void Engine::write_until_stopped() {
  writer_id_ = std::this_thread::get_id();
  std::deque<Request> taken;
  for (;;) {
    {
      std::unique_lock lock(queue_mutex_);
      queued_.wait(lock, [&] { return !queue_.empty() || is_stopping_; });
      if (queue_.empty()) return;
      taken.swap(queue_);
      commits_waiting_ = watches_waiting_ = 0;
    }
    handle(taken);
  }
}

void Engine::check_on_writer() const {
  HECTOR_CHECK(writer_id_.load(std::memory_order_relaxed) == std::this_thread::get_id(),
               "a store's state is changed off its writer");
}

void Engine::handle(std::deque<Request>& requests) {
  check_on_writer();
  std::vector<Commit*> commits;
  std::size_t octets = 0;
  const auto flush = [&] {
    if (!commits.empty()) handle_commits(commits);
    commits.clear();
    octets = 0;
  };
  for (auto& request : requests) {
    if (auto* commit = std::get_if<Commit>(&request)) {
      const std::size_t more = octets_of(commit->transaction);
      if (octets + more > kGroupOctetsMax) flush();
      octets += more;
      commits.push_back(commit);
      if (commits.size() == kGroupMax) flush();
      continue;
    }
    flush();
    if (auto* watching = std::get_if<Watching>(&request))
      start(std::move(*watching));
    else
      std::get<Work>(request).run();
    HECTOR_CHECK(visible_ == history_.latest(), "a change is neither durable nor undone");
  }
  flush();
  requests.clear();
}

void Engine::handle_commits(std::vector<Commit*>& commits) {
  HECTOR_CHECK(!commits.empty() && commits.size() <= kGroupMax,
               "a group of no or too many commits");
  HECTOR_CHECK(visible_ == history_.latest(), "a change is neither durable nor undone");
  Batch batch;
  std::vector<Outcome> outcomes;
  outcomes.reserve(commits.size());
  const Revision before = visible_;
  {
    const std::lock_guard lock(state_mutex_);
    for (auto* commit : commits) {
      outcomes.push_back({commit, evaluate(commit->transaction, batch)});
    }
  }
  const Status kept = keep(batch);
  if (kept) {
    follow_leases(batch);
    tell(before + 1, visible_);
    if (timer_ == 0 && !outcomes_in_order_.empty()) arm();
  }
  for (auto& each : outcomes) {
    // A commit that read an earlier one of its batch is undone with it.
    if (!kept && each.outcome) each.outcome = fail(kept.error());
    each.commit->done(std::move(each.outcome));
  }
  forget_history();
}

Status Engine::keep(const Batch& batch) {
  check_on_writer();
  if (batch.empty()) return {};
  const bool is_writable = fault_.empty();
  const Status kept = is_writable ? journal_->append(batch) : Status(fail(read_only(fault_)));
  if (is_writable) log_room(kept);
  if (!kept) {
    undo(batch);
    if (is_writable && kept.error().code != Code::kResourceExhausted) fault(kept.error());
    return kept;
  }
  const std::lock_guard lock(state_mutex_);
  HECTOR_CHECK(history_.latest() >= visible_, "a store's revision goes backwards");
  visible_ = history_.latest();
  if (batch.epoch != 0) epoch_ = batch.epoch;
  return {};
}

/// One record when writes begin to be refused, one when they succeed again.
void Engine::log_room(const Status& kept) {
  const TimePoint now = options_.clock->now();
  if (!kept && kept.error().code == Code::kResourceExhausted) {
    no_room_at_ = now;
    if (++no_room_ == 1)
      options_.log->write(Level::kError, "store has no room: what it cannot write is refused",
                          {{"why", kept.error().message}});
  } else if (kept && no_room_ != 0 && now - no_room_at_ >= kRoomAgain) {
    options_.log->write(Level::kInfo, "store has room again",
                        {{"refused", std::to_string(std::exchange(no_room_, 0))}});
  }
}

void Engine::undo(const Batch& batch) {
  const std::lock_guard lock(state_mutex_);
  history_.undo(visible_);
  for (const auto& [key, outcome] : batch.outcomes) outcomes_.erase(key);
  while (!outcomes_in_order_.empty() && !outcomes_.contains(outcomes_in_order_.back().second))
    outcomes_in_order_.pop_back();
}

void Engine::fault(const Error& why) {
  HECTOR_CHECK(fault_.empty(), "a store fails while it is read-only already");
  {
    const std::lock_guard lock(state_mutex_);
    fault_ = why.message.empty() ? std::string(code_name(why.code)) : why.message;
  }
  options_.log->write(Level::kError, "store is read-only", {{"why", fault_}});
  arm();
}

bool Engine::holds(const StoreCompare& compare) const {
  const auto entry = history_.find(compare.key, history_.latest());
  const auto related = [&](const auto& is, const auto& wanted) {
    switch (compare.relation) {
      case StoreCompare::Relation::kEqual:
        return is == wanted;
      case StoreCompare::Relation::kUnequal:
        return is != wanted;
      case StoreCompare::Relation::kLess:
        return is < wanted;
      case StoreCompare::Relation::kGreater:
        return is > wanted;
    }
    HECTOR_CHECK(false, "a comparison's relation is none that there is");
  };
  if (compare.field == StoreCompare::Field::kValue)
    return entry && related(entry->value.view(), std::string_view(compare.value));
  if (!entry) return related(std::int64_t{0}, compare.number);
  switch (compare.field) {
    case StoreCompare::Field::kModified:
      return related(entry->modified, compare.number);
    case StoreCompare::Field::kCreated:
      return related(entry->created, compare.number);
    case StoreCompare::Field::kVersion:
      return related(entry->version, compare.number);
    default:
      return related(entry->lease, compare.number);
  }
}

/// The journal's rule (SqliteJournal::read_log checks it on the file): revisions without a gap, and
/// in each the places 0, 1, 2, …
void Engine::add(Record record, Batch& batch) {
  const bool is_same = !batch.records.empty() && batch.records.back().revision == record.revision;
  HECTOR_CHECK(record.revision == history_.latest() + (is_same ? 0 : 1),
               "a record's revision is not the next one");
  record.sub = is_same ? batch.records.back().sub + 1 : 0;
  history_.apply(record);
  batch.records.push_back(std::move(record));
}

void Engine::put(const StoreOperation& operation, Revision revision, Batch& batch) {
  const auto was = history_.find(operation.key, history_.latest());
  add({revision, true, operation.key, operation.value, was ? was->created : revision,
       was ? was->version + 1 : 1, operation.lease, 0, was ? was->lease : 0},
      batch);
}

void Engine::erase(const KeyRange& range, Revision revision, Batch& batch) {
  const auto page = history_.range({range}, history_.latest());
  for (const auto& entry : page.entries)
    add({revision, false, entry.key, {}, 0, 0, 0, 0, entry.lease}, batch);
}

Result<StoreOutcome> Engine::evaluate(const StoreTransaction& transaction, Batch& batch) {
  if (!transaction.idempotency_key.empty()) {
    const auto known = outcomes_.find(transaction.idempotency_key);
    if (known != outcomes_.end()) return outcome_of_text(known->second);
  }
  StoreOutcome outcome;
  outcome.succeeded = std::all_of(transaction.compares.begin(), transaction.compares.end(),
                                  [this](const auto& compare) { return holds(compare); });
  const auto& branch = outcome.succeeded ? transaction.then : transaction.otherwise;
  for (const auto& operation : branch) {
    if (operation.kind == StoreOperation::Kind::kPut && operation.lease != 0 &&
        !leases_.contains(operation.lease))
      return fail(lease_not_found(operation.lease));
  }
  const Revision revision = history_.latest() + 1;
  for (const auto& operation : branch) {
    if (operation.kind == StoreOperation::Kind::kPut)
      put(operation, revision, batch);
    else if (operation.kind == StoreOperation::Kind::kErase)
      erase(operation.range, revision, batch);
    else
      outcome.reads.push_back(history_.range({operation.range}, history_.latest()));
  }
  outcome.revision = history_.latest();
  if (!transaction.idempotency_key.empty()) {
    batch.outcomes.emplace_back(transaction.idempotency_key, outcome_text(outcome));
    outcomes_.emplace(batch.outcomes.back());
    outcomes_in_order_.emplace_back(options_.clock->now() + kIdempotencyKept,
                                    transaction.idempotency_key);
  }
  return outcome;
}

void Engine::tell(Revision from, Revision to) {
  check_on_writer();
  HECTOR_CHECK(to <= visible_, "watches are told of what is not durable");
  if (to < from) return;
  for (auto at = watches_.begin(); at != watches_.end();) {
    const auto watch = at->watch;  // its observer may end it meanwhile
    if (watch->is_over()) {
      at = watches_.erase(at);
      continue;
    }
    ++at;
    // Only the writer changes the history, and this is the writer: no lock is needed to read it.
    watch->tell_changes(history_, std::max(from, watch->request.from), to);
  }
}

void Engine::start(Watching watching) {
  check_on_writer();
  auto* const watch = watching.watch.get();
  if (watch->is_over()) return;
  const auto& request = watch->request;
  if (request.epoch != 0 && request.epoch != epoch_)
    return watch->end(other_epoch(request.epoch, epoch_));
  if (request.from != 0 && request.from <= history_.compacted() && history_.compacted() != 0)
    return watch->end(compacted(request.from, history_.compacted() + 1));
  if (watches_.size() >= kWatchesMax)
    return watch->end(Error::resource_exhausted(
        fmt::format("the store has {} watches, its limit; end one", kWatchesMax)));
  const Revision nothing = visible_ + 1;  // without `from`, only what comes is told
  watch->tell_changes(history_, request.from == 0 ? nothing : request.from, visible_);
  watches_.push_back(std::move(watching));
}

void Engine::grant(Duration ttl, Callback<void(Result<LeaseId>)> done) {
  if (auto fits = check_ttl(ttl); !fits) return done(fail(fits.error()));
  submit(Work{[this, ttl, done = std::move(done)]() mutable {
    if (leases_.size() >= kLeasesMax)
      return done(fail(Error::resource_exhausted(
          fmt::format("the store has {} leases, its limit; revoke one", kLeasesMax))));
    LeaseId lease = 0;
    while (lease == 0 || leases_.contains(lease))
      lease = static_cast<LeaseId>(options_.random->next() >> 1);
    Batch batch;
    batch.granted.emplace_back(lease, ttl);
    if (auto kept = keep(batch); !kept) return done(fail(kept.error()));
    const TimePoint until = options_.clock->now() + ttl;
    leases_[lease] = {ttl, until, {}};
    if (timer_ == 0 || until < due_) arm(until);
    done(lease);
  }});
}

void Engine::keep_alive(LeaseId lease, Callback<void(Status)> done) {
  submit(Work{[this, lease, done = std::move(done)]() mutable {
    const auto found = leases_.find(lease);
    if (found == leases_.end()) return done(fail(lease_not_found(lease)));
    found->second.until = options_.clock->now() + found->second.ttl;
    done({});
  }});
}

void Engine::revoke(LeaseId lease, Callback<void(Status)> done) {
  submit(
      Work{[this, lease, done = std::move(done)]() mutable { end_lease(lease, std::move(done)); }});
}

void Engine::end_lease(LeaseId lease, Callback<void(Status)> done) {
  check_on_writer();
  const auto found = leases_.find(lease);
  if (found == leases_.end()) return done(fail(lease_not_found(lease)));
  Batch batch;
  const Revision before = visible_;
  {
    const std::lock_guard lock(state_mutex_);
    const Revision revision = history_.latest() + 1;
    for (const auto& key : found->second.keys)
      add({revision, false, key, {}, 0, 0, 0, 0, lease}, batch);
  }
  batch.ended.push_back(lease);
  if (auto kept = keep(batch); !kept) return done(std::move(kept));
  leases_.erase(found);
  tell(before + 1, visible_);
  done({});
}

void Engine::follow_leases(const Batch& batch) {
  for (const auto& record : batch.records) {
    if (record.lease_before == record.lease) continue;
    if (const auto before = leases_.find(record.lease_before); before != leases_.end())
      before->second.keys.erase(record.key);
    if (record.lease == 0) continue;
    const auto now = leases_.find(record.lease);
    HECTOR_CHECK(now != leases_.end(), "a key was put under a lease that there is not");
    now->second.keys.insert(record.key);
  }
}

void Engine::end_leases() {
  check_on_writer();
  const TimePoint now = options_.clock->now();
  std::vector<LeaseId> over;
  for (const auto& [id, lease] : leases_) {
    if (lease.until <= now) over.push_back(id);
  }
  Status ended;
  for (const LeaseId id : over) {
    end_lease(id, [&ended](Status done) { ended = std::move(done); });
    if (!ended) break;  // the others would not succeed either
  }
  if (!ended && !leases_are_late_)
    options_.log->write(
        Level::kWarning, "leases have expired but cannot be ended; it is tried again",
        {{"leases", std::to_string(over.size())}, {"error", ended.error().message}});
  leases_are_late_ = !ended;
}

void Engine::forget_outcomes() {
  const TimePoint now = options_.clock->now();
  Batch batch;
  while (!outcomes_in_order_.empty() && outcomes_in_order_.front().first <= now) {
    batch.forgotten.push_back(std::move(outcomes_in_order_.front().second));
    outcomes_in_order_.pop_front();
    outcomes_.erase(batch.forgotten.back());
  }
  // If this fails the journal keeps them longer, and load() forgets them kIdempotencyKept later.
  [[maybe_unused]] const Status kept = keep(batch);
}

void Engine::compact(Revision revision, Callback<void(Status)> done) {
  submit(Work{[this, revision, done = std::move(done)]() mutable {
    if (revision > visible_) return done(fail(in_future(revision, visible_)));
    if (revision <= history_.compacted())
      return done(fail(compacted(revision, history_.compacted())));
    Batch batch;
    batch.compacted = revision;
    batch.dropped = history_.superseded(revision);
    if (auto kept = keep(batch); !kept) return done(std::move(kept));
    const std::lock_guard lock(state_mutex_);
    history_.compact(revision);
    done({});
  }});
}

void Engine::forget_history() {
  check_on_writer();
  if (visible_ - history_.compacted() < options_.history + kForgottenTogether) return;
  Batch batch;
  batch.compacted = visible_ - options_.history;
  batch.dropped = history_.superseded(batch.compacted);
  if (!keep(batch)) return;
  const std::lock_guard lock(state_mutex_);
  history_.compact(batch.compacted);
}

void Engine::begin_epoch(std::uint64_t epoch, Callback<void(Status)> done) {
  submit(Work{[this, epoch, done = std::move(done)]() mutable {
    Batch batch;
    const std::uint64_t before = epoch_;
    batch.epoch = epoch;
    if (auto kept = keep(batch); !kept) return done(std::move(kept));
    const auto watches = std::exchange(watches_, {});
    for (const auto& each : watches) each.watch->end(other_epoch(before, epoch));
    done({});
  }});
}

StoreHealth Engine::health() {
  const std::shared_lock lock(state_mutex_);
  return {journal_->provider(),
          !journal_->is_instant(),
          fault_.empty(),
          fault_,
          visible_,
          history_.compacted(),
          epoch_,
          history_.entries()};
}

Loaded Engine::kept_state() const {
  Loaded state;
  state.compacted = history_.latest();
  state.epoch = epoch_;
  for (const auto& [id, lease] : leases_) state.leases.emplace_back(id, lease.ttl);
  for (const auto& [at, key] : outcomes_in_order_)
    state.outcomes.emplace_back(key, outcomes_.at(key));
  return state;
}

void Engine::try_again() {
  if (fault_.empty()) return;
  HECTOR_CHECK(visible_ == history_.latest(), "what is not durable would be rewritten");
  const auto state = kept_state();
  auto done = journal_->rewrite(state, history_);
  if (!done) {
    pause_ = std::min(pause_ * 2, kPauseMax);
    if (std::exchange(still_, done.error().message) != done.error().message)
      options_.log->write(Level::kWarning, "store is still read-only", {{"why", still_}});
    return;
  }
  pause_ = kPauseMin;
  still_.clear();
  const std::lock_guard lock(state_mutex_);
  history_.compact(state.compacted);
  fault_.clear();
  options_.log->write(Level::kInfo, "store has recovered", {});
}

/// One timer for what is due next: a lease's end, an outcome's, another try to recover.
void Engine::arm() {
  TimePoint next = TimePoint::max();
  for (const auto& [id, lease] : leases_) next = std::min(next, lease.until);
  if (leases_are_late_) next = std::max(next, options_.clock->now() + kPauseMax);
  if (!outcomes_in_order_.empty())
    next = std::min(next, outcomes_in_order_.front().first + kOutcomesTogether);
  if (!fault_.empty()) next = std::min(next, options_.clock->now() + pause_);
  arm(next);
}

void Engine::arm(TimePoint next) {
  if (timer_ != 0) options_.executor->cancel(timer_);
  timer_ = 0;
  due_ = next;
  if (next == TimePoint::max()) return;
  // Renewals move a lease's end without touching the timer. It looks at most every kLookMin, so
  // that going through all leases costs little.
  const auto look = [handle = guard_.handle()] {
    handle.run([](Engine& self) {
      self.submit(Work{[engine = &self] {
        engine->timer_ = 0;
        engine->try_again();
        engine->end_leases();
        engine->forget_outcomes();
        engine->arm();
      }});
    });
  };
  timer_ = options_.executor->at(std::max(next, options_.clock->now() + kLookMin), look);
}

}  // namespace hector::stores
