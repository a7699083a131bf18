// What: PendingQueue, what waits for its turn, up to a limit.
// Why: each queue has a limit, and its caller answers for it: push() says that it is full, and the
// caller refuses with RESOURCE_EXHAUSTED.
// Who: Arrivals (early messages, sealed ones), Gate (calls that a change holds up).
//
// Locking: none of its own; its owner's lock is held.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "hector/check.h"

namespace hector::party {

/// Invariant: never more than `max` entries. First in, first out, but for take_first().
template <class T>
class PendingQueue {
 public:
  explicit PendingQueue(std::size_t max) : max_(max) {}

  /// False: it is full, and `entry` was not taken.
  [[nodiscard]] bool push(T&& entry) {
    HECTOR_CHECK(entries_.size() <= max_, "a queue is longer than its limit");
    if (entries_.size() == max_) return false;
    entries_.push_back(std::move(entry));
    return true;
  }
  [[nodiscard]] std::optional<T> pop() {
    if (entries_.empty()) return std::nullopt;
    std::optional<T> first(std::move(entries_.front()));
    entries_.pop_front();
    return first;
  }
  /// The first that `is_wanted(entry)` says yes to, asked in order; none is asked after it.
  template <class Wanted>
  [[nodiscard]] std::optional<T> take_first(Wanted&& is_wanted) {
    const auto at = std::find_if(entries_.begin(), entries_.end(), is_wanted);
    if (at == entries_.end()) return std::nullopt;
    std::optional<T> found(std::move(*at));
    entries_.erase(at);
    return found;
  }
  /// In order; valid until the next change.
  template <class Matches>
  [[nodiscard]] T* find(Matches&& matches) {
    const auto at = std::find_if(entries_.begin(), entries_.end(), matches);
    return at == entries_.end() ? nullptr : &*at;
  }
  [[nodiscard]] std::deque<T> take_all() { return std::exchange(entries_, {}); }
  [[nodiscard]] const std::deque<T>& entries() const { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] bool is_full() const { return entries_.size() == max_; }
  [[nodiscard]] std::size_t max() const { return max_; }

 private:
  const std::size_t max_;
  std::deque<T> entries_;
};

}  // namespace hector::party
