// What: HECTOR_CHECK, an assertion that stays on in release builds.
// Why: a mistake of ours must stop the process where it shows, with a message, before it damages
// what others rely on. A mistake of the world (input, peers, disks) is an Error and never a check.
// Who: everything; each state machine checks its invariants on the way in and out.
#pragma once

#include <string_view>

namespace hector {

/// Writes place, condition and message to standard error and ends the process (SIGABRT). Any
/// thread.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view message) noexcept;

}  // namespace hector

/// HECTOR_CHECK(queue.size() <= kMax, "the queue is longer than its limit");
/// The message says which invariant is broken; its expression is evaluated only then.
#define HECTOR_CHECK(condition, message)                                 \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::hector::check_failed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)
