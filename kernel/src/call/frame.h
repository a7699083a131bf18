// What: Frame, the Objects that a thread is inside of; Served, an Object's queue that it may serve.
// Why: a call that waits lets its thread serve these Objects, and a nested call inherits deadline
// and trace from the call that its thread is handling.
// Who: object hosts, waited calls.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/parker.h"
#include "hector/clock.h"

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

/// One Object that a thread is inside of; the innermost comes first. Written by that thread only;
/// the atomics are for who looks at it from outside (ThreadActivity), which follows no address.
struct Frame {
  std::atomic<Served*> object{nullptr};
  class Call* call = nullptr;  ///< the call it handles; null once that has ended here
  Frame* outer = nullptr;
  std::uint32_t depth = 0;                      ///< from 1
  const class InFlight* in_flight = nullptr;    ///< the Object's calls
  bool has_ended = false;                       ///< its call, by this thread
  std::atomic<const void*> operation{nullptr};  ///< of the call, in its Object's Interface
  std::atomic<TimePoint::rep> deadline{0};      ///< of the call
  std::atomic<std::uint64_t> number{0};         ///< grows with each entry
  /// The target of the call that the thread waits for, here; null: it does not wait.
  std::atomic<const void*> waits_for{nullptr};
};

[[gnu::tls_model("initial-exec")]] extern constinit thread_local Frame* frames_of_this_thread;

}  // namespace hector
