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

class InFlight {
 public:
  /// Whether one thread at a time enters the Object, or any number.
  enum class Entry { kSerial, kParallel };
  explicit InFlight(Entry entry) noexcept : entry_(entry) {}

  /// A call is entered; serial Objects: only by the thread that is inside.
  void started() noexcept {
    if (entry_ == Entry::kParallel) {
      started_.fetch_add(1, std::memory_order_relaxed);
    } else {
      started_.store(started_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  }
  /// A call that was entered here has ended. Any thread.
  void ended(const Call& call) noexcept {
    const Frame* const frame = frames_of_this_thread;
    if (entry_ == Entry::kSerial && frame != nullptr && frame->call == &call) {
      const std::uint64_t ended = ended_inside_.load(std::memory_order_relaxed) + 1;
      HECTOR_CHECK(ended <= started_.load(std::memory_order_relaxed),
                   "more calls of an Object have ended than were entered");
      ended_inside_.store(ended, std::memory_order_release);
    } else {
      ended_elsewhere_.fetch_add(1, std::memory_order_acq_rel);
    }
  }
  /// How many were ever entered. Any thread.
  [[nodiscard]] std::uint64_t total() const noexcept {
    return started_.load(std::memory_order_relaxed);
  }
  /// Whether all have ended. Exact while nothing enters; any thread.
  [[nodiscard]] bool is_zero() const noexcept {
    // Ends first: what ended was started before.
    const std::uint64_t ended = ended_inside_.load() + ended_elsewhere_.load();
    const std::uint64_t started = started_.load();
    HECTOR_CHECK(ended <= started, "more calls of an Object have ended than were entered");
    return started == ended;
  }

 private:
  const Entry entry_;
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> ended_inside_{0};  ///< written only by the thread that is inside
  std::atomic<std::uint64_t> ended_elsewhere_{0};
};

}  // namespace hector
