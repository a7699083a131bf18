#include "base/epoch.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace hector {

[[gnu::tls_model("initial-exec")]] constinit thread_local EpochSlot epoch_slot;

namespace {

/// Every thread's place: threads are the process's, so this is too.
struct AllThreads {
  std::mutex mutex;
  std::vector<EpochSlot*> places;
  AllThreads() { syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0); }
};
AllThreads& all_threads() {
  static auto* const kAll = new AllThreads();  // threads may end after statics are destroyed
  return *kAll;
}

struct Membership {
  explicit Membership(EpochSlot& own) : place(own) {
    auto& all = all_threads();
    const std::lock_guard lock(all.mutex);
    all.places.push_back(&place);
  }
  ~Membership() {
    auto& all = all_threads();
    const std::lock_guard lock(all.mutex);
    std::erase(all.places, &place);
    place.is_known = false;
  }
  EpochSlot& place;
};

}  // namespace

void EpochGuard::prepare() noexcept { static_cast<void>(all_threads()); }

void EpochGuard::make_known() noexcept {
  static thread_local Membership membership(epoch_slot);
  epoch_slot.is_known = true;
}

void EpochGuard::synchronize() noexcept {
  auto& all = all_threads();
  // Every other thread's earlier writes are seen after this, and its later reads see what was
  // written before it.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
    static_cast<void>(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
  }
  std::vector<std::pair<EpochSlot*, std::uint64_t>> inside;
  {
    const std::lock_guard lock(all.mutex);
    for (auto* const place : all.places) {
      const std::uint64_t turn = place->turn.load(std::memory_order_acquire);
      if (place != &epoch_slot && turn % 2 == 1) inside.emplace_back(place, turn);
    }
  }
  while (!inside.empty()) {
    {
      const std::lock_guard lock(all.mutex);  // a thread that ended has left
      std::erase_if(inside, [&](const auto& each) {
        return std::find(all.places.begin(), all.places.end(), each.first) == all.places.end() ||
               each.first->turn.load(std::memory_order_acquire) != each.second;
      });
    }
    if (!inside.empty()) sched_yield();
  }
}

}  // namespace hector
