// What: Seen, the last requests that came through here.
// Why: requests that go on to other capsules may come back; each is answered once.
// Who: Naming's searches, the Trader's queries.
#pragma once

#include <deque>
#include <mutex>
#include <unordered_set>

namespace hector::state {

/// Any thread.
template <class Id>
class Seen {
 public:
  static constexpr std::size_t kSeenMax = 10'000;  ///< the oldest is forgotten then
  /// False: a request of that id has been here.
  bool is_new(const Id& id) {
    const std::lock_guard lock(mutex_);
    if (!known_.insert(id).second) return false;
    order_.push_back(id);
    if (order_.size() > kSeenMax) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::unordered_set<Id> known_;
  std::deque<Id> order_;
};

}  // namespace hector::state
