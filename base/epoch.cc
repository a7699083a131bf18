#include "base/epoch.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "hector/check.h"

namespace hector {

[[gnu::tls_model("initial-exec")]] constinit thread_local EpochSlot epoch_slot;

namespace {

/// The slots of all threads that ever began a section and have not ended. Threads are the
/// process's, so this is one a process.
struct Registry {
  std::mutex mutex;
  std::vector<EpochSlot*> slots;
  Registry() { syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0); }
};
Registry& registry() {
  static auto* const kRegistry = new Registry();  // threads may end after statics are destroyed
  return *kRegistry;
}

/// A thread's membership: from its first section to its end.
struct Registration {
  explicit Registration(EpochSlot& own) : slot(own) {
    auto& all = registry();
    const std::lock_guard lock(all.mutex);
    HECTOR_CHECK(std::find(all.slots.begin(), all.slots.end(), &slot) == all.slots.end(),
                 "a thread is registered twice");
    all.slots.push_back(&slot);
  }
  ~Registration() {
    auto& all = registry();
    const std::lock_guard lock(all.mutex);
    const auto gone = std::erase(all.slots, &slot);
    HECTOR_CHECK(gone == 1, "a thread ends that was not registered");
    slot.is_registered = false;
  }
  EpochSlot& slot;
};

struct OpenSection {
  EpochSlot* slot;
  std::uint64_t turn;
};

}  // namespace

void EpochGuard::prepare() noexcept { static_cast<void>(registry()); }

void EpochGuard::register_thread() noexcept {
  HECTOR_CHECK(epoch_slot.turn % 2 == 0, "a section was open before the thread was registered");
  static thread_local Registration registration(epoch_slot);
  epoch_slot.is_registered = true;
}

void EpochGuard::synchronize() noexcept {
  HECTOR_CHECK((epoch_slot.turn % 2 == 1) == (epoch_slot.depth != 0),
               "this thread's depth and its turn differ");
  auto& all = registry();
  // After this, each thread's earlier writes to its slot are visible here, and its later reads see
  // what was published before.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
    const long done = syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    HECTOR_CHECK(done == 0, "the system has no membarrier(2)");
  }
  std::vector<OpenSection> open;
  {
    const std::lock_guard lock(all.mutex);
    for (auto* const slot : all.slots) {
      const std::uint64_t turn = slot->turn.load(std::memory_order_acquire);
      if (slot != &epoch_slot && turn % 2 == 1) open.push_back({slot, turn});
    }
  }
  while (!open.empty()) {
    {
      const std::lock_guard lock(all.mutex);  // a thread that ended has ended its sections
      std::erase_if(open, [&](const OpenSection& section) {
        return std::find(all.slots.begin(), all.slots.end(), section.slot) == all.slots.end() ||
               section.slot->turn.load(std::memory_order_acquire) != section.turn;
      });
    }
    if (!open.empty()) sched_yield();
  }
}

}  // namespace hector
