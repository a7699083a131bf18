// What: EpochGuard, user-space RCU: a guard marks a read-side section; synchronize() waits for a
// grace period.
// Why: a session's channels and parties change under traffic, and readers must pay neither a lock
// nor a shared counter. A thread marks its sections in a slot of its own. A writer publishes the
// new version first, then waits until every section that may see the old one has ended, and only
// then frees it.
// Who: sessions, Bindings.
#pragma once

#include <atomic>
#include <cstdint>

namespace hector {

/// One thread's slot. A reader orders "my section began" before its reads by a compiler barrier
/// alone; the writer's membarrier(2) makes every thread's order hold in hardware.
struct EpochSlot {
  std::atomic<std::uint64_t> turn{0};  ///< odd within a section; each section has its own number
  std::uint32_t depth = 0;             ///< of nested sections; its own thread only
  bool is_registered = false;
};
[[gnu::tls_model("initial-exec")]] extern constinit thread_local EpochSlot epoch_slot;

/// A read-side section on this thread, until the end of the scope or leave_all(). What is reached
/// through a published pointer stays valid in it. Nests; nested ones cost an increment.
class EpochGuard {
 public:
  EpochGuard() noexcept : depth_(epoch_slot.depth) {
    auto& slot = epoch_slot;
    if (depth_ == 0) {
      if (!slot.is_registered) [[unlikely]]
        register_thread();
      slot.turn.store(slot.turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    slot.depth = depth_ + 1;
  }
  ~EpochGuard() {
    if (epoch_slot.depth > depth_) leave_to(depth_);
  }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;
  /// Ends all sections of this thread. Called before foreign code runs on it: that may take any
  /// time, and may itself call synchronize().
  static void leave_all() noexcept {
    if (epoch_slot.depth != 0) leave_to(0);
  }
  /// Registers the process for membarrier(2): free while it has one thread, tens of milliseconds
  /// later on. Called by what starts threads.
  static void prepare() noexcept;
  /// A grace period: returns when every section of another thread that was open at the call has
  /// ended. Blocks for as long; the caller's own sections are not waited for.
  static void synchronize() noexcept;

 private:
  static void leave_to(std::uint32_t depth) noexcept {
    auto& slot = epoch_slot;
    slot.depth = depth;
    if (depth == 0)
      slot.turn.store(slot.turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  static void register_thread() noexcept;
  const std::uint32_t depth_;
};

}  // namespace hector
