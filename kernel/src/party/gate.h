// What: Gate, what one party's own calls wait behind while its Binding is being changed.
// Why: a change needs a moment in which nothing starts, or nothing goes to one partner; calls made
// meanwhile are pending, in order, until their deadline, and are not refused.
// Who: PartySession asks it before each step that a call makes towards its channel.
//
// Locking: `waits_` is an atomic word that the fast path looks at within an epoch guard; who closes
// the gate synchronizes with the epoch after it. The mutex guards the queue and makes "it is
// closed" and "the call is pending" one step. No call is failed and no program is told while it is
// held.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "channel/out_channel.h"
#include "hector/call.h"
#include "party/pending_queue.h"
#include "party/timers.h"
#include "types/order/projection.h"

namespace hector::party {

/// How far a call had come when it had to wait: kStepped, the order has it; kPassed, it was past
/// the interceptors and its channel failed.
enum class Stage : std::uint8_t { kNew, kStepped, kPassed };

class Gate {
 public:
  static constexpr std::size_t kPendingMax = 65'536;  ///< calls that wait while a change is made

  struct Pending {
    std::vector<Call*> calls;  ///< several: a multicast; null where one gave up waiting
    std::uint32_t interaction = 0;
    std::uint32_t member = 0;  ///< the receiver
    Stage stage = Stage::kNew;
    TimerId timer = 0;  ///< the Gate's
    std::uint64_t number = 0;
  };
  enum class Entry : std::uint8_t { kOpen, kPending, kFull };

  /// `timers` outlives it.
  explicit Gate(Timers& timers) : timers_(timers) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // --- on the fast path
  [[nodiscard]] bool is_open() const noexcept {
    return waits_.load(std::memory_order_acquire) == 0;
  }
  [[nodiscard]] bool starts_wait() const noexcept {
    return (waits_.load(std::memory_order_acquire) & kStarts) != 0;
  }

  // --- closing it; the caller synchronizes with the epoch afterwards
  void stop_starts() noexcept { waits_.fetch_or(kStarts); }
  void pause(OutChannel& channel) noexcept {
    channel.pause();
    waits_.fetch_or(kSomeChannel);
  }

  /// Calls that are about to start. kOpen: they need not wait (any more, or the party is closed).
  [[nodiscard]] Entry enter(Pending calls) noexcept;
  /// A call that the order has, on its way to this channel.
  [[nodiscard]] Entry enter(const OutChannel& channel, Pending call) noexcept;
  /// A call whose channel failed: pauses the channel and keeps the call. kOpen: the party is
  /// closed.
  [[nodiscard]] Entry keep(OutChannel& channel, Pending call) noexcept;

  /// The next to continue, its timer stopped, without those that were cancelled meanwhile; the gate
  /// opens when none is left: `open()` then runs under the lock, for the channels' pauses.
  [[nodiscard]] std::optional<Pending> next(const std::function<void()>& open) noexcept;
  /// Of what is pending, what the order has: its receivers.
  [[nodiscard]] std::vector<types::Symbol> stepped() const;
  /// Those that the order has are taken out, for the caller to fail; what has not started stays.
  [[nodiscard]] std::vector<Call*> take_stepped() noexcept;
  /// Nothing waits from now on. All that was pending, for the caller to fail.
  [[nodiscard]] std::vector<Call*> close() noexcept;

 private:
  static constexpr std::uint32_t kStarts = 1, kSomeChannel = 2;

  // With the lock held.
  Entry push(Pending&& pending);
  void watch(Pending& pending);
  void check() const noexcept;
  /// The call was cancelled; null: the deadline of all of them has passed.
  void give_up(std::uint64_t number, const Call* call) noexcept;

  Timers& timers_;
  std::atomic<std::uint32_t> waits_{0};
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  PendingQueue<Pending> pending_{kPendingMax};
  std::uint64_t last_number_ = 0;
};

}  // namespace hector::party
