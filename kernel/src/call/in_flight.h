// What: InFlight, the count of one Object's calls that were entered and have not ended.
// Why: quiescing an Object means that this count is zero; counting is on the hot path, so the two
// sides count apart and a call that ends where it was entered pays no atomic read-modify-write.
// Who: object hosts count their calls; the end of a call counts itself out.
#pragma once

#include <atomic>
#include <cstdint>

#include "call/frame.h"
#include "hector/check.h"

namespace hector {

/// Of a parallel Object the threads inside are counted as well: a call may have ended while the
/// thread that ended it is still in the servant's function. A serial Object's word says that.
class InFlight {
 public:
  /// Whether one thread at a time enters the Object, or any number.
  enum class Entry : std::uint8_t { kSerial, kParallel };
  explicit InFlight(Entry entry) noexcept : entry_(entry) {}

  /// A call is entered; serial Objects: only by the thread that is inside. What the caller looks at
  /// next is not older than this (Dekker's order with ObjectHost::retire).
  void started() noexcept {
    if (entry_ == Entry::kParallel) {
      started_.fetch_add(1, std::memory_order_seq_cst);
    } else {
      started_.store(started_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  }
  /// A call that was entered here has ended. Any thread.
  void ended(const Call& call) noexcept {
    Frame* const frame = frames_of_this_thread;
    const bool is_here = frame != nullptr && frame->call == &call && frame->in_flight == this;
    if (is_here) {
      frame->call = nullptr;
      frame->has_ended = true;
    }
    if (!is_here) {
      done_.fetch_add(kEnded, std::memory_order_acq_rel);
    } else if (entry_ == Entry::kSerial) {
      const std::uint64_t ended = ended_inside_.load(std::memory_order_relaxed) + 1;
      HECTOR_CHECK(ended <= started_.load(std::memory_order_relaxed),
                   "more calls of an Object have ended than were entered");
      ended_inside_.store(ended, std::memory_order_release);
    }
  }
  /// A thread that entered leaves. After this it touches nothing of the Object.
  void left(const Frame& frame) noexcept {
    if (entry_ == Entry::kParallel)
      done_.fetch_add(frame.has_ended ? kLeft + kEnded : kLeft, std::memory_order_acq_rel);
  }
  /// What is no call enters; it has no end of its own.
  void notice_started(Frame& frame) noexcept {
    frame.has_ended = true;
    if (entry_ == Entry::kSerial) return;
    started_.fetch_add(1, std::memory_order_seq_cst);
    ended_inside_.fetch_add(1, std::memory_order_relaxed);
  }
  /// How many calls were ever entered. Any thread.
  [[nodiscard]] std::uint64_t total() const noexcept {
    return started_.load(std::memory_order_relaxed) -
           (entry_ == Entry::kParallel ? ended_inside_.load(std::memory_order_relaxed) : 0);
  }
  /// How many were entered and have not ended; about right while calls come and go. Any thread.
  [[nodiscard]] std::uint32_t outstanding() const noexcept {
    // Ends first: what ended was started before.
    const std::uint64_t done = done_.load(std::memory_order_acquire);
    const std::uint64_t inside =
        entry_ == Entry::kSerial ? ended_inside_.load(std::memory_order_acquire) : 0;
    return static_cast<std::uint32_t>(started_.load(std::memory_order_acquire)) -
           static_cast<std::uint32_t>(done + inside);
  }
  /// Whether all have ended, and of a parallel Object all threads have left. Exact while nothing
  /// enters; any thread.
  [[nodiscard]] bool is_zero() const noexcept {
    // Ends first: what ended was started before.
    const std::uint64_t done = done_.load();
    if (entry_ == Entry::kSerial) {
      const std::uint64_t ended = done + ended_inside_.load();
      const std::uint64_t started = started_.load();
      HECTOR_CHECK(ended <= started, "more calls of an Object have ended than were entered");
      return started == ended;
    }
    const std::uint64_t started = started_.load();
    HECTOR_CHECK(static_cast<std::int32_t>(started - done) >= 0,
                 "more calls of an Object have ended than were entered");
    return done == started * (kEnded + kLeft);  // modulo 2^64: both counts, as they wrap
  }

 private:
  static constexpr std::uint64_t kEnded = 1, kLeft = std::uint64_t{1} << 32;
  const Entry entry_;
  std::atomic<std::uint64_t> started_{0};
  /// Serial: calls that ended inside; written only by the thread that is there. Parallel: notices
  /// among started_.
  std::atomic<std::uint64_t> ended_inside_{0};
  /// Serial: calls that ended elsewhere. Parallel: all that ended, and kLeft for each that left.
  std::atomic<std::uint64_t> done_{0};
};

}  // namespace hector
