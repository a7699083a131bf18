// What: ThreadActivity, which Objects one thread is inside of and on which operations, for others
// to look at; ThreadActivities, all threads' that ever entered one.
// Why: an Object that burns or blocks is seen from outside. Entering an Object reads no clock and
// takes no lock for it: the thread writes a few words of a frame, and who looks works out the rest.
// Who: object hosts and waited calls write; ObjectWatch and the description of a Binding read.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <functional>

#include "call/frame.h"
#include "hector/clock.h"

namespace hector {

/// The frames of one thread, in a place where others find them. Each word of a frame may be read at
/// any time; they belong together only if its number is the same before and after.
class ThreadActivity {
 public:
  /// Deeper frames are on the thread's stack, and are not seen.
  static constexpr std::uint32_t kLevels = 16;

  ThreadActivity();
  /// This thread's, made when it is first asked for.
  static ThreadActivity& mine() noexcept;

  // --- its own thread
  /// The frame for what is entered from this depth, 0 to kLevels - 1. Its `outer` and `depth` never
  /// change.
  [[nodiscard]] Frame& frame(std::uint32_t depth) noexcept { return frames_[depth]; }
  /// The thread is this Object's own.
  void belongs_to(const Served* object) noexcept {
    owner_.store(object, std::memory_order_relaxed);
  }

  // --- others, while ThreadActivities lets them
  /// Of the frames that are seen.
  [[nodiscard]] std::uint32_t depth() const noexcept;
  /// `depth` from 1, the outermost.
  [[nodiscard]] const Frame& level(std::uint32_t depth) const noexcept {
    return frames_[depth - 1];
  }
  [[nodiscard]] const void* owner() const noexcept {
    return owner_.load(std::memory_order_relaxed);
  }
  /// Processor time that the thread has used.
  [[nodiscard]] Duration processor_time() const noexcept;

 private:
  friend class ThreadActivities;
  friend struct ActivityOfThread;
  std::array<Frame, kLevels> frames_;
  Frame** innermost_ = nullptr;  ///< where the thread keeps its innermost frame
  std::atomic<const Served*> owner_{nullptr};
  clockid_t clock_{};
  std::uint64_t id_ = 0;
};

// One word, set when a thread first enters an Object.
[[gnu::tls_model(
    "initial-exec")]] extern constinit thread_local ThreadActivity* activity_of_this_thread;

inline ThreadActivity& activity_here() noexcept {
  ThreadActivity* const known = activity_of_this_thread;
  if (known != nullptr) [[likely]]
    return *known;
  return ThreadActivity::mine();
}

class ThreadActivities {
 public:
  /// Visits those of all threads that live; none ends meanwhile. `id` names a thread for ever.
  static void each(
      const std::function<void(std::uint64_t id, const ThreadActivity& activity)>& visit);
};

}  // namespace hector
