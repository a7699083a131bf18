// What: Parker, where a thread sleeps until something it waits for has happened; Frame, which
// Objects a thread is inside of. Why: a thread that waits for a reply serves its own Objects' other
// requests meanwhile, so it must be woken for both. Who: WaitedCall, private Objects.
#pragma once

#include <atomic>
#include <cstdint>

#include "hector/clock.h"

namespace hector {

/// One for each thread. wake() on any thread; the rest on its own.
class Parker {
 public:
  static Parker& mine() noexcept;
  [[nodiscard]] std::uint32_t ticket() const noexcept {
    return word_.load(std::memory_order_acquire);
  }
  /// Returns when wake() was called after the ticket was drawn, or at the deadline, or for no
  /// reason. The clock may be null where `until` is kNever.
  void park(std::uint32_t ticket, TimePoint until, const Clock* clock) noexcept;
  void wake() noexcept;

 private:
  std::atomic<std::uint32_t> word_{0};
  std::atomic<bool> sleeps_{false};
};

/// An Object's queue that a waiting thread may serve.
class Served {
 public:
  virtual ~Served() = default;
  /// Runs what is queued; false if there was nothing.
  virtual bool serve() noexcept = 0;
  /// From now on a push wakes this parker too; null ends it.
  virtual void wake_also(Parker* parker) noexcept = 0;
};

/// The Objects a thread is inside of, innermost first.
struct Frame {
  Served* object = nullptr;
  const class Call* call = nullptr;  ///< the call it handles
  Frame* outer = nullptr;
  std::uint32_t depth = 0;
};

/// What the kernel keeps for each thread.
struct ThreadState {
  Frame* frames = nullptr;
  bool may_block = true;  ///< false on event loops and protocols' threads
};
// Programs link this library, so its few words a thread need no look-up.
[[gnu::tls_model(
    "initial-exec")]] extern constinit thread_local ThreadState thread_state_of_this_thread;
// Programs link this library, so its few words a thread need no look-up.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local Parker parker_of_this_thread;
inline ThreadState& this_thread_state() noexcept { return thread_state_of_this_thread; }
inline Parker& Parker::mine() noexcept { return parker_of_this_thread; }

/// While it lives, the current thread may not block.
class NonBlockingScope {
 public:
  NonBlockingScope() noexcept : before_(this_thread_state().may_block) {
    this_thread_state().may_block = false;
  }
  ~NonBlockingScope() { this_thread_state().may_block = before_; }
  NonBlockingScope(const NonBlockingScope&) = delete;
  NonBlockingScope& operator=(const NonBlockingScope&) = delete;

 private:
  bool before_;
};

}  // namespace hector
