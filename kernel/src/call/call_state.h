// What: CallState, the kernel's own bookkeeping of one Call: route, queue link, cancellation, what
// is told at its end.
// Why: callers, handlers and plugins see only what is theirs; the kernel keeps its part in the same
// object, so that a call allocates nothing.
// Who: call, objects, party and channel.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <optional>

#include "call/in_flight.h"
#include "hector/call.h"

namespace hector {

/// Told once when a call is over, before finished().
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void ended(const Call& call) noexcept = 0;
  std::unique_ptr<CallObserver> next;
};

/// Each field has the owner of the call's public fields (see Call), but for those of cancellation,
/// which any thread may touch under their lock.
struct CallState {
  static CallState& of(Call& call) noexcept {
    return *std::launder(reinterpret_cast<CallState*>(call.state_));
  }
  static const CallState& of(const Call& call) noexcept {
    return *std::launder(reinterpret_cast<const CallState*>(call.state_));
  }

  /// What Inbound::resolve() found, for accept().
  struct Route {
    std::shared_ptr<void> to;  ///< a session if `is_session`, else an Offer
    bool is_session = false;
    std::uint32_t role = 0, member = 0;  ///< the sender's in its Binding
  } route;
  /// Asked about a failure before it ends the call; null if nothing is.
  std::shared_ptr<Recovery> recovery;
  /// The target that reads the reply, where the waiting thread may do the reading. Set while the
  /// call is started; null while there is none.
  std::atomic<CallTarget*> helper{nullptr};
  /// The next call of the queue that holds this one.
  Call* next = nullptr;
  /// The calls of the Object that this one was entered into; null before, and after its end.
  InFlight* in_flight = nullptr;
  bool is_waited = false;  ///< the starting thread does nothing else until the end
  bool is_local = false;   ///< the caller's own call, entered without a hand-over
  bool has_ended = false;  ///< end() has run; reset_call() begins the next use

  std::atomic<bool> is_cancelled{false};
  std::atomic<bool> has_cancel_action{false};
  std::mutex cancel_mutex;  ///< guards the two below
  Callback<void()> cancel_action;
  std::optional<Error> why_cancelled;  ///< set before is_cancelled, then constant

  /// Adds an observer: the last one added is told first.
  void observe(std::unique_ptr<CallObserver> observer) noexcept {
    observer->next = std::move(observers);
    observers = std::move(observer);
  }
  std::unique_ptr<CallObserver> observers;

 private:
  friend class Call;
  /// True: the recovery has taken the call.
  bool has_recovered(Call& call) noexcept;
  void drop_cancel_action() noexcept;
  void tell_observers(const Call& call) noexcept;
};

}  // namespace hector
