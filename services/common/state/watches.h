// What: Watches, flows that tell what changes in a part of the store, from a revision on.
// Why: who watches is told every change of every revision, in order, also of those that were before
// he came back.
// Who: Naming, the Type service.
#pragma once

#include <functional>
#include <mutex>
#include <set>

#include "hector/store.h"
#include "state/feed.h"

namespace hector::state {

/// Any thread.
class Watches {
 public:
  static constexpr std::size_t kMax = 1'000;  ///< of one service
  /// What a watcher is told of an event, under its revision.
  using Told = std::function<Payload(Revision revision, const StoreEvent& event)>;
  explicit Watches(Store& store) : store_(store) {}
  /// Ends them all with UNAVAILABLE.
  ~Watches();
  /// Takes the call, or fails it with RESOURCE_EXHAUSTED. `range`: of the store's own keys.
  void add(Call& call, KeyRange range, Revision from, Told told);

 private:
  class Watching;
  void forget(const std::shared_ptr<Watching>& watching) {
    const std::lock_guard lock(mutex_);
    all_.erase(watching);
  }
  Store& store_;
  std::mutex mutex_;
  std::set<std::shared_ptr<Watching>> all_;
};

}  // namespace hector::state
