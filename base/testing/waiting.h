// What: waiting::until() and waiting::spend(), for tests.
// Why: a test that sleeps is slow when all is well and wrong when the machine is busy. This is the
// one place that polls; tools/tidy.py keeps it so.
// Who: kits and unit tests.
#pragma once

#include <chrono>
#include <thread>

namespace hector::waiting {

/// Whether `condition` came to be true before `limit` was over; asked every millisecond.
template <class Condition>
[[nodiscard]] bool until(Condition&& condition,
                         std::chrono::nanoseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Lets time pass where time is what is tested or given, such as a slow Object or so many seconds
/// under load; `why` says which.
inline void spend(std::chrono::nanoseconds time, const char* why) {
  static_cast<void>(why);
  std::this_thread::sleep_for(time);
}

}  // namespace hector::waiting
