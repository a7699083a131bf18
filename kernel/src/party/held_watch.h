// What: HeldWatch, what becomes of messages that one party holds because their turn has not come:
// their callers are told why at their deadlines, and the Binding's initiator learns of them.
// Why: a program that never does what a held message waits for would leave its caller without a
// word, and the Binding "active".
// Who: PartySession.
//
// Locking: one mutex guards the timer. No call is failed and nothing is reported while it is held.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "hector/result.h"
#include "party/arrivals.h"
#include "party/timers.h"

namespace hector::party {

class HeldWatch {
 public:
  /// A message that is ahead of others by chance is not held for so long.
  static constexpr Duration kReportAfter = std::chrono::milliseconds(100);
  /// The time between two reports doubles up to this.
  static constexpr Duration kReportEveryMax = std::chrono::seconds(5);
  /// A held call ends this much before its deadline, or a twentieth of its time: its caller, who
  /// ends at the deadline itself, is to hear why.
  static constexpr Duration kEndBefore = std::chrono::milliseconds(50);

  /// Everything outlives it.
  struct Options {
    Timers& timers;
    Arrivals& arrivals;
    /// What the message waits for, in words.
    std::function<std::string(const HeldMessage&)> why;
    /// To the initiator: the party holds a message; empty: it holds none any more.
    std::function<void(const std::string& why)> report;
  };
  explicit HeldWatch(Options options) : options_(std::move(options)) {}
  HeldWatch(const HeldWatch&) = delete;
  HeldWatch& operator=(const HeldWatch&) = delete;

  /// One more message is held.
  void held() noexcept;
  /// None is held any more.
  void emptied() noexcept;
  /// Nothing is watched from now on.
  void close() noexcept;

 private:
  void look() noexcept;
  void end_late(const HeldMessage& message, TimePoint now) noexcept;
  [[nodiscard]] static TimePoint ends_at(const HeldMessage& message) noexcept;
  /// With the lock held: the next look is then, or earlier.
  void look_by(TimePoint when);

  const Options options_;
  std::atomic<bool> is_reported_{false};
  std::mutex mutex_;
  bool is_closed_ = false;
  TimerId timer_ = 0;
  TimePoint due_ = kNever;
  Duration report_every_ = kReportAfter;
  TimePoint report_at_ = kNever;
};

}  // namespace hector::party
