// What: Replica, a service's part of the store as state in memory: what was written comes back as
// events, from whoever wrote it.
// Why: every service is a state machine fed by a watch, with writes that hold only if the state
// they were made from still is; here that is once.
// Who: services.
#pragma once

#include <functional>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "hector/guarded_self.h"
#include "hector/log.h"
#include "hector/store.h"

namespace hector::state {

/// A service's state. Called under the replica's exclusive lock, in the order of revisions; keys
/// come without the prefix.
class Machine {
 public:
  virtual ~Machine() = default;
  /// The state is read again: everything known is gone.
  virtual void clear() = 0;
  virtual void apply(const StoreEvent& event) = 0;
  /// All events of a revision have been applied.
  virtual void applied(Revision revision) { static_cast<void>(revision); }
  /// After that, without the lock, one thread at a time: who watches may be told.
  virtual void published(Revision revision) { static_cast<void>(revision); }
};

struct ReplicaOptions {
  Store* store = nullptr;
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Log* log = nullptr;
};

/// Any thread. Outlives every callback it was given.
class Replica final : public StoreObserver {
 public:
  Replica(const ReplicaOptions& options, std::string prefix, Machine& machine);
  ~Replica() override;
  /// Reads what is there and follows it from then on. Blocks.
  Status start();

  /// Makes a transaction out of the state as it is, under the shared lock; keys get the prefix. Its
  /// error is the change's.
  using Plan = std::function<Result<StoreTransaction>()>;
  /// Plans and commits, again where another writer was faster (up to 32 times, then ABORTED); when
  /// `done` runs the machine has seen it.
  void change(Plan plan, Callback<void(Result<Revision>)> done);

  /// Reads of the state hold it shared.
  [[nodiscard]] std::shared_lock<std::shared_mutex> read() const {
    return std::shared_lock(mutex_);
  }
  /// Runs `then` when the machine has come to the revision, at once if it has.
  void when_applied(Revision revision, Callback<void()> then);
  /// Runs `then` when the machine knows everything that was acknowledged before, by whoever: where
  /// others write as well the store is asked how far it is.
  void when_current(Callback<void(Status)> then);
  [[nodiscard]] Revision revision() const {
    const std::shared_lock lock(mutex_);
    return applied_;
  }

  void changed(const StoreChange& change) noexcept override;
  void progress(Revision revision) noexcept override;
  void ended(const Error& error) noexcept override;

 private:
  struct Waiting {
    Revision revision;
    Callback<void()> then;
  };
  struct Attempt;
  void attempt(std::unique_ptr<Attempt> attempt);
  void reached(Revision revision);
  Status load();
  void load_again();
  void prefix_keys(StoreTransaction& transaction) const;

  Store& store_;
  const Clock& clock_;
  Executor& executor_;
  Log& log_;
  const std::string prefix_;
  Machine& machine_;
  mutable std::shared_mutex mutex_;
  Revision applied_ = 0;
  std::mutex waiting_mutex_;
  std::vector<Waiting> waiting_;
  std::unique_ptr<StoreWatch> watch_;
  GuardedSelf<Replica> guard_{*this};
};

}  // namespace hector::state
