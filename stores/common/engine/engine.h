// What: Engine, a Store in this process: History in memory, a Journal for durability, leases,
// watches and one writer.
// Why: the memory and the SQLite provider differ in their Journal only.
// Who: both providers; tests with journals that fail.
#pragma once

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <variant>

#include "engine/journal.h"
#include "hector/guarded_self.h"
#include "hector/thread.h"

namespace hector::stores {

struct EngineOptions {
  const Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  Log* log = nullptr;
  /// How many revisions can be read back and watched from.
  Revision history = 100'000;
};

/// Commits that wait are made durable together (group commit): up to kGroupMax of them and up to
/// kGroupOctetsMax in one append, so that a small one does not wait for many large ones.
class Engine final : public Store {
 public:
  /// As many callers as threads commit at a time; the append's cost is shared enough by then.
  static constexpr std::size_t kGroupMax = 256;
  /// Four of the largest transactions (StoreLimits::transaction_octets_max).
  static constexpr std::size_t kGroupOctetsMax = 4UL * 1024 * 1024;
  // Limits of docs/limits.md: a capsule's memory, not its speed, is what they protect.
  static constexpr std::size_t kWatchesMax = 10'000;
  static constexpr std::size_t kLeasesMax = 100'000;  ///< of one store
  /// Writes that wait for the disk; above it they are refused.
  static constexpr std::size_t kQueueMax = 100'000;

  /// DATA_LOSS, UNAVAILABLE: the journal's.
  static Result<std::unique_ptr<Engine>> make(const EngineOptions& options,
                                              std::unique_ptr<Journal> journal);
  ~Engine() override;

  void read(StoreRead request, Callback<void(Result<StorePage>)> done) override;
  void commit(StoreTransaction transaction, Callback<void(Result<StoreOutcome>)> done) override;
  std::unique_ptr<StoreWatch> watch(StoreWatchRequest request, StoreObserver& observer) override;
  void grant(Duration ttl, Callback<void(Result<LeaseId>)> done) override;
  void keep_alive(LeaseId lease, Callback<void(Status)> done) override;
  void revoke(LeaseId lease, Callback<void(Status)> done) override;
  void compact(Revision revision, Callback<void(Status)> done) override;
  void begin_epoch(std::uint64_t epoch, Callback<void(Status)> done) override;
  StoreLimits limits() const noexcept override { return {}; }
  StoreHealth health() override;

 private:
  struct Lease {
    Duration ttl;
    TimePoint until;
    std::set<std::string> keys;
  };
  class Watch;
  struct Commit {
    StoreTransaction transaction;
    Callback<void(Result<StoreOutcome>)> done;
  };
  /// Owners: this, in the queue and then in watches_, and the StoreWatch that the watcher holds,
  /// which may outlive the engine.
  struct Watching {
    std::shared_ptr<Watch> watch;
  };
  /// Everything else: it runs alone, on the writer.
  struct Work {
    Task run;
  };
  using Request = std::variant<Commit, Watching, Work>;
  struct Outcome {
    Commit* commit;
    Result<StoreOutcome> outcome;
  };

  Engine(const EngineOptions& options, std::unique_ptr<Journal> journal);
  Status load();
  /// Any thread.
  void submit(Request request);
  void write_until_stopped();
  void drain();

  // On the writer: its thread, or for an instant journal the thread that drains the queue.
  void check_on_writer() const;
  void handle(std::deque<Request>& requests);
  void handle_commits(std::vector<Commit*>& commits);
  Result<StoreOutcome> evaluate(const StoreTransaction& transaction, Batch& batch);
  [[nodiscard]] bool holds(const StoreCompare& compare) const;
  void put(const StoreOperation& operation, Revision revision, Batch& batch);
  void erase(const KeyRange& range, Revision revision, Batch& batch);
  void add(Record record, Batch& batch);
  /// Makes the batch durable and visible; or undoes it, as if it had never been evaluated.
  Status keep(const Batch& batch);
  void undo(const Batch& batch);
  void log_room(const Status& kept);
  /// The store is read-only until rewrite() has succeeded.
  void fault(const Error& why);
  void tell(Revision from, Revision to);
  void start(Watching watching);
  void follow_leases(const Batch& batch);
  void forget_history();
  void end_lease(LeaseId lease, Callback<void(Status)> done);
  void end_leases();
  void forget_outcomes();
  void arm();
  void arm(TimePoint next);
  void try_again();
  [[nodiscard]] Loaded kept_state() const;

  // Constant after construction; the journal's functions are called on the writer only.
  const EngineOptions options_;
  const std::unique_ptr<Journal> journal_;

  // Under queue_mutex_. Each kind that waits in the queue has a limit of its own.
  std::mutex queue_mutex_;
  std::condition_variable queued_;
  std::deque<Request> queue_;
  std::size_t commits_waiting_ = 0, watches_waiting_ = 0;
  bool is_draining_ = false, is_stopping_ = false;

  // Under state_mutex_, changed by the writer only, which may therefore read them without it.
  mutable std::shared_mutex state_mutex_;
  History history_;
  /// What is durable. The history is ahead of it while a batch is being kept.
  Revision visible_ = 0;
  std::uint64_t epoch_ = 0;
  std::string fault_;

  // The writer's own.
  std::unordered_map<LeaseId, Lease> leases_;
  std::unordered_map<std::string, std::string> outcomes_;
  std::deque<std::pair<TimePoint, std::string>> outcomes_in_order_;
  std::list<Watching> watches_;
  Duration pause_;
  std::string still_;             ///< why the last rewrite failed
  std::size_t no_room_ = 0;       ///< writes that were refused for want of room
  TimePoint no_room_at_;          ///< the last one
  bool leases_are_late_ = false;  ///< some have expired and could not be ended
  TimerId timer_ = 0;
  TimePoint due_ = TimePoint::max();

  std::atomic<std::thread::id> writer_id_{};  ///< for check_on_writer()
  Thread writer_;

  GuardedSelf<Engine> guard_{*this};
};

}  // namespace hector::stores
