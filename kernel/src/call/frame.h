// What: Frame, the Objects that a thread is inside of; Served, an Object's queue that it may serve.
// Why: a call that waits lets its thread serve these Objects, and a nested call inherits deadline
// and trace from the call that its thread is handling.
// Who: object hosts, waited calls.
#pragma once

#include <cstdint>

#include "base/parker.h"

namespace hector {

/// An Object's queue that a waiting thread may serve.
class Served {
 public:
  virtual ~Served() = default;
  /// Runs what is queued; false if there was nothing.
  virtual bool serve() noexcept = 0;
  /// From now on a push wakes this parker too; null ends it.
  virtual void wake_also(Parker* parker) noexcept = 0;
};

/// One Object that a thread is inside of; the innermost comes first.
struct Frame {
  Served* object = nullptr;
  class Call* call = nullptr;  ///< the call it handles; null once that has ended here
  Frame* outer = nullptr;
  std::uint32_t depth = 0;
  const class InFlight* in_flight = nullptr;  ///< the Object's calls
  bool has_ended = false;                     ///< its call, by this thread
};

[[gnu::tls_model("initial-exec")]] extern constinit thread_local Frame* frames_of_this_thread;

}  // namespace hector
