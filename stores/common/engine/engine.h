// What: Engine, a Store in this process: History in memory, a Journal for durability, leases,
// watches and one writer.
// Why: memory and SQLite differ in their Journal only.
// Who: the memory and SQLite providers; tests with journals that fail.
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <variant>

#include "engine/journal.h"
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

/// Writes that wait are made durable together (group commit): up to 256 in one append.
class Engine final : public Store {
 public:
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
  struct Watching {
    std::shared_ptr<Watch> watch;
  };
  struct Work {
    Task run;  ///< what is no commit: it happens alone, on the writer
  };
  using Request = std::variant<Commit, Watching, Work>;
  struct Outcome {
    Commit* commit;
    Result<StoreOutcome> outcome;
  };

  Engine(const EngineOptions& options, std::unique_ptr<Journal> journal);
  Status load();
  void submit(Request request);
  void write_until_stopped();
  void drain();
  void handle(std::deque<Request>& requests);
  void handle_commits(std::vector<Commit*>& commits);
  Result<StoreOutcome> evaluate(const StoreTransaction& transaction, Batch& batch);
  [[nodiscard]] bool holds(const StoreCompare& compare) const;
  void put(const StoreOperation& operation, Revision revision, Batch& batch);
  void erase(const KeyRange& range, Revision revision, Batch& batch);
  void add(Record record, Batch& batch);
  Status keep(const Batch& batch);
  void tell(Revision from, Revision to);
  void start(const std::shared_ptr<Watch>& watch);
  void follow_leases(const Batch& batch);
  void forget_history();
  void end_lease(LeaseId lease, Callback<void(Status)> done);
  void end_leases();
  void arm();
  void arm(TimePoint next);
  void try_again();
  [[nodiscard]] Loaded kept_state() const;

  const EngineOptions options_;
  std::unique_ptr<Journal> journal_;

  std::mutex queue_mutex_;
  std::condition_variable queued_;
  std::deque<Request> queue_;
  std::size_t commits_waiting_ = 0,
              watches_waiting_ = 0;  ///< in the queue: each has a limit of its own
  bool is_draining_ = false, is_stopping_ = false;
  Thread writer_;

  mutable std::shared_mutex state_mutex_;
  History history_;
  Revision visible_ =
      0;  ///< what is durable; the history may be ahead of it while a batch is being kept
  std::uint64_t epoch_ = 0;
  std::string fault_;

  // The writer's own.
  std::unordered_map<LeaseId, Lease> leases_;
  std::unordered_map<std::string, std::string> outcomes_;
  std::deque<std::pair<TimePoint, std::string>> outcomes_in_order_;
  std::list<std::shared_ptr<Watch>> watches_;
  Duration pause_ = std::chrono::milliseconds(50);

  /// What timers hold: they outlive the engine.
  struct Life {
    std::mutex mutex;
    Engine* engine;
  };
  std::shared_ptr<Life> life_;
  TimerId timer_ = 0;
  TimePoint due_ = TimePoint::max();
};

}  // namespace hector::stores
