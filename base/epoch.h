// What: Inside, which threads are in the midst of using what may be about to change.
// Why: a session's channels and parties change under traffic; who uses them must not pay for that
// with a lock or a shared counter. A thread says in a place of its own that it is inside; who makes
// a change first puts the new in the place of the old, then waits until every thread that was
// inside has left once.
// Who: PartySession.
#pragma once

#include <atomic>
#include <cstdint>

namespace hector {

/// One thread's place. The order of "I am inside" and "what is there?" against "this is there now"
/// and "who is inside?" is kept by membarrier(2), on the side of who makes the change.
struct EpochSlot {
  std::atomic<std::uint64_t> turn{0};  ///< odd: inside
  std::uint32_t depth = 0;
  bool is_known = false;
};
[[gnu::tls_model("initial-exec")]] extern constinit thread_local EpochSlot epoch_slot;

class EpochGuard {
 public:
  /// From here to the end of the scope, or to leave_all(). Cheap within another.
  EpochGuard() noexcept : depth_(epoch_slot.depth) {
    auto& place = epoch_slot;
    if (depth_ == 0) {
      if (!place.is_known) [[unlikely]]
        make_known();
      place.turn.store(place.turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    place.depth = depth_ + 1;
  }
  ~EpochGuard() {
    if (epoch_slot.depth > depth_) leave_to(depth_);
  }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;
  /// Before code that is not the kernel's own runs on this thread: it may take any time, and make
  /// changes itself.
  static void leave_all() noexcept {
    if (epoch_slot.depth != 0) leave_to(0);
  }
  /// Tells the operating system that synchronize() will be used: free in a process of one thread,
  /// tens of milliseconds later on.
  static void prepare() noexcept;
  /// Returns when every other thread that was inside has left at least once.
  static void synchronize() noexcept;

 private:
  static void leave_to(std::uint32_t depth) noexcept {
    auto& place = epoch_slot;
    place.depth = depth;
    if (depth == 0)
      place.turn.store(place.turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  static void make_known() noexcept;
  const std::uint32_t depth_;
};

}  // namespace hector
