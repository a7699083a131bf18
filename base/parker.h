// What: Parker, a futex on which one thread sleeps until it is woken; NonBlockingScope, which marks
// threads that must not sleep.
// Why: a thread that waits for a reply serves its own Objects' other requests meanwhile, so one
// word wakes it for both.
// Who: waited calls, private Objects, event loops and protocols' threads.
#pragma once

#include <atomic>
#include <cstdint>

#include "hector/clock.h"

namespace hector {

/// One for each thread. wake() on any thread; the rest on its own. To wait for a condition: draw a
/// ticket, test the condition, park with the ticket.
class Parker {
 public:
  static Parker& mine() noexcept;
  [[nodiscard]] std::uint32_t ticket() const noexcept {
    return word_.load(std::memory_order_acquire);
  }
  /// Returns when wake() was called after the ticket was drawn, at the deadline, or spuriously. The
  /// clock may be null where `until` is kNever.
  void park(std::uint32_t ticket, TimePoint until, const Clock* clock) noexcept;
  void wake() noexcept;

 private:
  std::atomic<std::uint32_t> word_{0};
  std::atomic<bool> sleeps_{false};
};

// Programs link this library, so a thread's few words need no look-up.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local Parker parker_of_this_thread;
[[gnu::tls_model("initial-exec")]] extern constinit thread_local bool this_thread_may_block;
inline Parker& Parker::mine() noexcept { return parker_of_this_thread; }

/// While it lives, the current thread may not block.
class NonBlockingScope {
 public:
  NonBlockingScope() noexcept : before_(this_thread_may_block) { this_thread_may_block = false; }
  ~NonBlockingScope() { this_thread_may_block = before_; }
  NonBlockingScope(const NonBlockingScope&) = delete;
  NonBlockingScope& operator=(const NonBlockingScope&) = delete;

 private:
  const bool before_;
};

}  // namespace hector
