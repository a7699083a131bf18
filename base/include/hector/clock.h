// What: Clock and Random, two of the five things that come into a capsule from outside.
// Why: a test runs many capsules on a simulated clock, and the same seed gives the same run.
// Who: the kernel and every plugin; nothing else may ask the system for the time or for chance.
#pragma once

#include <chrono>
#include <cstdint>

namespace hector {

using Duration = std::chrono::nanoseconds;
/// Monotonic.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// The moment until which a call may take; kNever if there is none.
using Deadline = TimePoint;
inline constexpr Deadline kNever = Deadline::max();

/// Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  /// Calendar time, for expiries and logs.
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall() const noexcept = 0;
};

/// Any thread. Implementations used outside tests are cryptographically strong.
class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() noexcept = 0;
};

}  // namespace hector
