// What: Phases, the timed phases of a Binding's protocol that one party keeps the time of.
// Why: an interaction that comes after its phase's time is refused (counted phases); a phase that
// this party may begin and that is not over in time is a breach (watched phases).
// Who: PartySession, after each step of its monitor.
//
// Locking: counted phases are atomics and any thread may look at them; the mutex guards the watched
// ones. `overran` is called without it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "party/timers.h"
#include "types/check/phases.h"
#include "types/order/monitor.h"

namespace hector::party {

class Phases {
 public:
  /// A watched phase was not over in time; it may end the Binding.
  using Overran = std::function<void(const types::MandatoryPhase&)>;

  /// Those phases of the type whose time `role` keeps. `timers` outlives it.
  Phases(const hector::type::v1::Binding& type, const std::string& role, Timers& timers,
         Overran overran);

  /// Whether any has to be told of steps.
  [[nodiscard]] bool empty() const noexcept { return is_empty_; }
  [[nodiscard]] bool has_counted() const noexcept { return !counted_.empty(); }

  /// After each step of the order, and at its beginning (no step): phases that could start now
  /// begin, those that were left end.
  void advance(types::Monitor& monitor, std::optional<std::uint32_t> stepped) noexcept;
  /// The time for an interaction is over: it is late, not out of order.
  [[nodiscard]] bool is_overrun(std::uint32_t interaction) const noexcept;
  /// The counted phase of an interaction; null where none counts it.
  [[nodiscard]] const types::TimedPhase* counted(std::uint32_t interaction) const noexcept;
  /// The order begins elsewhere: phases that could start there begin now, none was left before.
  void restart(types::Monitor& monitor) noexcept;
  /// No watched phase overruns from now on.
  void close() noexcept;

 private:
  struct Counted {
    types::TimedPhase phase;
    /// When its time is over; 0 while nothing of it may come.
    std::atomic<TimePoint::rep> until{0};
    /// It was open, and has been left since: what comes of it now is late, not early.
    std::atomic<bool> was_left{false};
  };
  /// Invariants: a timer only while it is open; `opening` only grows.
  struct Watched {
    types::MandatoryPhase phase;
    bool is_open = false;
    std::uint64_t opening = 0;  ///< which one: a timer of an earlier opening is ignored
    TimerId timer = 0;
  };

  void count(Counted& counted, types::Monitor& monitor) noexcept;
  void watch(types::Monitor& monitor, std::optional<std::uint32_t> stepped);
  void open(std::size_t phase);
  void expire(std::size_t phase, std::uint64_t opening);
  [[nodiscard]] const Counted* find(std::uint32_t interaction) const noexcept;
  /// With the lock held.
  void check() const;

  Timers& timers_;
  const Overran overran_;
  std::vector<std::unique_ptr<Counted>> counted_;  ///< never changes after construction
  bool is_empty_ = true;
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::vector<Watched> watched_;
};

}  // namespace hector::party
