// What: Arrivals, what comes for one party from the members of other roles and cannot be handed on
// yet: numbered messages before a gap, early messages, and all of them while the party is sealed.
// Why: protocols that keep no order, channels that move and senders that are ahead all end here;
// the party sees each sender's messages in order, and its monitor sees them when their turn comes.
// Who: PartySession, for each message from another capsule and for each that the monitor refuses.
//
// Locking: one mutex guards the queues; the counters on the fast path are atomics. Nothing is
// handed on, failed or told while it is held; the caller does that with what it is given. The lock
// may be taken within an epoch guard, and a monitor's and Phases' locks within this one.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hector/call.h"
#include "hector/id.h"
#include "party/pending_queue.h"
#include "party/timers.h"

namespace hector::party {

/// One message that waits for its turn in the order.
struct Arrived {
  /// Null: its caller was told that it has ended. When its turn comes the order moves on over it,
  /// as its sender's has, and nothing is handed on.
  Call* call = nullptr;
  std::uint32_t interaction = 0;
  std::uint32_t sender = 0;  ///< the member
  std::uint64_t number = 0;  ///< of those that came early, from 1; Arrivals' own
  TimePoint since{};         ///< when it came early
};

/// An early message, to be looked at.
struct HeldMessage {
  std::uint32_t interaction = 0;
  std::uint32_t sender = 0;
  std::uint64_t number = 0;
  TimePoint since{};
  Deadline deadline = kNever;
  bool has_ended = false;     ///< its caller was told so
  bool is_cancelled = false;  ///< and it has not ended
};

class Arrivals {
 public:
  static constexpr std::size_t kEarlyMax = 1'024;    ///< also of one sender's numbered messages
  static constexpr std::size_t kSealedMax = 65'536;  ///< messages that wait while a change is made
  /// How long a numbered message waits for an earlier one over a protocol that keeps no order. The
  /// sender has given up the earlier one if it has not come by then.
  static constexpr Duration kGapWait = std::chrono::seconds(1);

  /// What has come from one member over channels from other capsules, in order. A message with a
  /// number waits for all before it, whichever channel they take: those without one, over a
  /// protocol that keeps order, are counted.
  class Sender {
   public:
    explicit Sender(Place at) : place(at) {}
    const Place place;
    std::atomic<const Peer*> peer{nullptr};  ///< who it is; kept by Arrivals

   private:
    friend class Arrivals;
    std::atomic<std::uint64_t> plain_{0};  ///< messages without a number that were handed on
    std::atomic<std::uint64_t> flows_{0};
    // Under the lock. Invariants, whenever it is free: the first that waits is not the next one in
    // order; there is a timer exactly while one waits; one thread delivers at a time.
    std::uint64_t placed_ = 0;  ///< messages with a number handed on, and numbers given up
    std::map<std::uint64_t, Call*> waiting_;
    /// In order. Not counted: late or doubled ones, and those that order was given up for.
    struct Ready {
      Call* call;
      bool is_counted;
    };
    std::deque<Ready> ready_;
    std::uint64_t ready_counted_ = 0;  ///< of ready_
    bool is_delivering_ = false;
    TimerId timer_ = 0;
  };
  struct Counts {
    std::uint64_t messages = 0;
    std::uint64_t flows = 0;
  };
  /// What became of a message that was given away here.
  enum class Taken { kPending, kFull, kClosed, kNotNeeded };

  /// `gap_given_up` is called when a sender's messages have become ready without a new one.
  Arrivals(Timers& timers, std::function<void(Sender&)> gap_given_up)
      : timers_(timers), gap_given_up_(std::move(gap_given_up)) {}
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  /// The sender at a place, made when it is first asked for; lives as long as this.
  Sender& sender(Place place);
  /// Who plays it from now on. A Peer that calls still point to stays.
  void set_peer(Sender& sender, const std::string& principal, const std::string& capsule);

  // --- the order of one sender's messages

  /// A message without a number was handed on. True: deliver() has something to do.
  [[nodiscard]] bool count(Sender& sender, Kind kind) noexcept;
  /// A message with a number; deliver() follows. Where too many wait, order is given up rather than
  /// the message. False: closed, and the caller fails it.
  [[nodiscard]] bool put(Sender& sender, Call& call) noexcept;
  /// Hands on what is ready, in order: `take(call)` is called without the lock. Where another
  /// thread is at it, that one takes these too.
  template <class Take>
  void deliver(Sender& sender, Take&& take) noexcept {
    for (Call* next = begin_delivery(sender); next != nullptr; next = next_delivery(sender))
      take(*next);
  }
  /// Handed on from there so far.
  [[nodiscard]] Counts received(Place place) const;
  [[nodiscard]] std::vector<std::pair<Place, Counts>> all_received() const;
  /// A successor continues its predecessor's counts; a place that has no sender is passed over.
  /// False: more has arrived here than that, so it is not where this party stands.
  [[nodiscard]] bool set_received(Place place, Counts counts);
  /// The member left: the next at this place begins at 0. What still waited is the caller's to
  /// fail.
  [[nodiscard]] std::vector<Call*> forget(Place place);

  // --- early messages: the order does not allow them yet

  /// On the fast path.
  [[nodiscard]] std::size_t early() const noexcept {
    return early_count_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] Taken hold_early(Arrived message) noexcept;
  /// In the order in which they came.
  [[nodiscard]] std::vector<HeldMessage> held() const;
  /// Takes the call of one out, for the caller to fail; its place in the order stays. Null: it has
  /// been handed on, or has ended.
  [[nodiscard]] Call* end_early(std::uint64_t number) noexcept;
  /// The first that `allows(message)` says yes to; none while sealed. Asked under the lock.
  template <class Allows>
  [[nodiscard]] std::optional<Arrived> next_early(Allows&& allows) noexcept {
    const std::lock_guard lock(mutex_);
    if (is_sealed_.load()) return std::nullopt;
    auto found = early_.take_first(allows);
    early_count_ = early_.size();
    return found;
  }

  // --- sealed: all that comes waits

  /// On the fast path.
  [[nodiscard]] bool is_sealed() const noexcept {
    return is_sealed_.load(std::memory_order_acquire);
  }
  void seal() noexcept { is_sealed_.store(true); }
  /// kNotNeeded: it was opened meanwhile.
  [[nodiscard]] Taken hold_sealed(Arrived message) noexcept;
  /// What waited, in order; the seal is broken when nothing is left, and then none is returned.
  [[nodiscard]] std::optional<Arrived> unseal_next() noexcept;

  /// The order begins elsewhere: early messages and what waits behind the seal, for the caller to
  /// fail.
  [[nodiscard]] std::vector<Arrived> take_all_held() noexcept;
  /// Nothing is taken from now on. All that waits, for the caller to fail.
  [[nodiscard]] std::vector<Call*> close() noexcept;

 private:
  Call* begin_delivery(Sender& sender) noexcept;
  Call* next_delivery(Sender& sender) noexcept;
  void skip_gap(Sender& sender) noexcept;
  // With the lock held.
  /// What is early or behind the seal, and whose caller still waits.
  [[nodiscard]] std::vector<Arrived> take_waiting() noexcept;
  /// What has come to its turn goes from waiting to ready.
  void make_ready(Sender& sender) noexcept;
  void set_timer(Sender& sender) noexcept;
  Call* pop_ready(Sender& sender) noexcept;
  std::vector<Call*> empty(Sender& sender) noexcept;
  void check(const Sender& sender) const noexcept;
  [[nodiscard]] static Counts counts(const Sender& sender) noexcept;

  Timers& timers_;
  const std::function<void(Sender&)> gap_given_up_;
  std::atomic<std::size_t> early_count_{0};  ///< early_.size()
  std::atomic<bool> is_sealed_{false};
  std::atomic<std::size_t> waiting_count_{0};  ///< in all senders' waiting_
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::map<Place, std::unique_ptr<Sender>> senders_;
  std::deque<Peer> peers_;
  PendingQueue<Arrived> early_{kEarlyMax};
  std::uint64_t last_early_ = 0;
  PendingQueue<Arrived> sealed_{kSealedMax};
};

}  // namespace hector::party
