// What: Inside, which threads are in the midst of using something that is about to change.
// Why: a session's channels and parties change under traffic; who uses them must not pay for that with a lock or a counter. A thread
// writes what it is inside of into a place of its own; who makes a change first bars the way, then waits until nobody is left inside.
// Who: PartySession.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace hector {

/// One thread's places. The order of "I am inside" and "may I?" against "nobody may" and "who is inside?" is kept by the
/// kernel's membarrier(2), on the side of who makes the change.
struct InsidePlaces {
  static constexpr std::uint32_t kPlaces = 8;
  std::array<std::atomic<const void*>, kPlaces> what{};
  std::uint32_t depth = 0;
  bool is_known = false;
};
extern constinit thread_local InsidePlaces inside_places;

class Inside {
 public:
  /// From here to the end of the scope, or to leave_all(), this thread uses `what`.
  explicit Inside(const void* what) noexcept : depth_(inside_places.depth) { enter(what); }
  ~Inside() { leave_to(depth_); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  /// Before code that is not the kernel's own runs on this thread: it may take any time, and make changes itself.
  static void leave_all() noexcept { leave_to(0); }
  /// Tells the operating system that settle() will be used: free in a process of one thread, tens of milliseconds later on.
  static void make_ready() noexcept;
  /// Returns when every other thread that was inside `what` has left; first see to it that none enters any more.
  static void settle(const void* what) noexcept;

 private:
  static void enter(const void* what) noexcept {
    auto& places = inside_places;
    if (!places.is_known) [[unlikely]] make_known();
    // Deeper than there are places: the last one then stands for anything.
    const std::uint32_t at = places.depth < InsidePlaces::kPlaces - 1 ? places.depth : InsidePlaces::kPlaces - 1;
    places.what[at].store(at == InsidePlaces::kPlaces - 1 ? anything() : what, std::memory_order_release);
    ++places.depth;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  static void leave_to(std::uint32_t depth) noexcept {
    auto& places = inside_places;
    while (places.depth > depth) {
      --places.depth;
      if (places.depth < InsidePlaces::kPlaces) places.what[places.depth].store(nullptr, std::memory_order_release);
    }
  }
  static const void* anything() noexcept { return &inside_places; }
  static void make_known() noexcept;
  const std::uint32_t depth_;
};

}  // namespace hector
