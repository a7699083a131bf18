// What: Iterators, the rests of long answers, by the id that the next page is asked with.
// Why: a client reads a long answer page by page and may never ask for the last one; nothing that
// it has begun may stay for ever.
// Who: Naming's searches, the Trader's queries.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "hector/check.h"
#include "hector/clock.h"

namespace hector::state {

struct IteratorLimits {
  std::size_t max = 0;
  Duration lives{};  ///< since it was last asked
};

/// Any thread. `Rest` is copied out: large parts of it are shared.
template <class Id, class Rest>
class Iterators {
 public:
  Iterators(const Clock& clock, IteratorLimits limits) : clock_(clock), limits_(limits) {
    HECTOR_CHECK(limits.max > 0 && limits.lives > Duration::zero(),
                 "iterators without a limit would stay for ever");
  }
  /// False: there are as many as there may be, and nothing was kept. The caller gives its answer
  /// without an iterator then.
  bool add(const Id& id, Rest rest) {
    const std::lock_guard lock(mutex_);
    const TimePoint now = clock_.now();
    std::erase_if(all_, [&](const auto& each) { return each.second.until <= now; });
    if (all_.size() >= limits_.max) return false;
    all_.insert_or_assign(id, Kept{std::move(rest), now + limits_.lives});
    return true;
  }
  /// Nothing if it has ended, or was none of this service's.
  [[nodiscard]] std::optional<Rest> find(const Id& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(id);
    if (found == all_.end() || found->second.until <= clock_.now()) return std::nullopt;
    return found->second.rest;
  }
  /// What is left of it from now on; its life begins again.
  void update(const Id& id, Rest rest) {
    const std::lock_guard lock(mutex_);
    all_.insert_or_assign(id, Kept{std::move(rest), clock_.now() + limits_.lives});
  }
  void erase(const Id& id) {
    const std::lock_guard lock(mutex_);
    all_.erase(id);
  }

 private:
  struct Kept {
    Rest rest;
    TimePoint until;
  };
  const Clock& clock_;
  const IteratorLimits limits_;
  mutable std::mutex mutex_;
  std::map<Id, Kept> all_;
};

}  // namespace hector::state
