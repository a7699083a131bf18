#include "runtime/inside.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace hector {

constinit thread_local InsidePlaces inside_places;

namespace {

/// Every thread's places: threads are the process's, so this is too.
struct AllThreads {
  std::mutex mutex;
  std::vector<InsidePlaces*> places;
  AllThreads() { syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0); }
};
AllThreads& all_threads() {
  static auto* const kAll = new AllThreads();  // threads may end after statics are destroyed
  return *kAll;
}

struct Membership {
  explicit Membership(InsidePlaces& own) : places(own) {
    auto& all = all_threads();
    const std::lock_guard lock(all.mutex);
    all.places.push_back(&places);
  }
  ~Membership() {
    auto& all = all_threads();
    const std::lock_guard lock(all.mutex);
    std::erase(all.places, &places);
    places.is_known = false;
  }
  InsidePlaces& places;
};

}  // namespace

void Inside::make_ready() noexcept { static_cast<void>(all_threads()); }

void Inside::make_known() noexcept {
  static thread_local Membership membership(inside_places);
  inside_places.is_known = true;
}

void Inside::settle(const void* what) noexcept {
  auto& all = all_threads();
  // Every other thread's earlier writes are seen after this, and its later reads see what was written before it.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
    static_cast<void>(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
  }
  const auto is_inside = [&](const InsidePlaces* places) {
    for (const auto& each : places->what) {
      const void* const found = each.load(std::memory_order_acquire);
      if (found == what || found == places) return true;
    }
    return false;
  };
  for (;;) {
    {
      const std::lock_guard lock(all.mutex);
      const bool any = std::any_of(all.places.begin(), all.places.end(), [&](const InsidePlaces* places) { return places != &inside_places && is_inside(places); });
      if (!any) return;
    }
    sched_yield();
  }
}

}  // namespace hector
