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
struct InsidePlace {
  std::atomic<std::uint64_t> turn{0};  ///< odd: inside
  std::uint32_t depth = 0;
  bool is_known = false;
};
[[gnu::tls_model("initial-exec")]] extern constinit thread_local InsidePlace inside_place;

class Inside {
 public:
  /// From here to the end of the scope, or to leave_all(). Cheap within another.
  Inside() noexcept : depth_(inside_place.depth) {
    auto& place = inside_place;
    if (depth_ == 0) {
      if (!place.is_known) [[unlikely]]
        make_known();
      place.turn.store(place.turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    place.depth = depth_ + 1;
  }
  ~Inside() {
    if (inside_place.depth > depth_) leave_to(depth_);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  /// Before code that is not the kernel's own runs on this thread: it may take any time, and make
  /// changes itself.
  static void leave_all() noexcept {
    if (inside_place.depth != 0) leave_to(0);
  }
  /// Tells the operating system that settle() will be used: free in a process of one thread, tens
  /// of milliseconds later on.
  static void make_ready() noexcept;
  /// Returns when every other thread that was inside has left at least once.
  static void settle() noexcept;

 private:
  static void leave_to(std::uint32_t depth) noexcept {
    auto& place = inside_place;
    place.depth = depth;
    if (depth == 0)
      place.turn.store(place.turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  static void make_known() noexcept;
  const std::uint32_t depth_;
};

}  // namespace hector
