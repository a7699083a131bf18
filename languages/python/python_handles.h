// What: the objects that Python sees behind `_hector`: a call, a capsule, a target, a session, a
// log, and the inbox of the event loop.
// Why: thin holders; whatever can be written in Python is in the hector package.
// Who: python_module.cc exposes them, python_language.cc makes them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hector/capsule.h"

namespace hector::python {

/// Numbers that any thread puts in, without the interpreter's lock, and that Python's event loop
/// takes out: a thread of the kernel must not wait for an Object that keeps the lock. A copy is the
/// same inbox; the descriptor is closed with the last one.
class Inbox {
 public:
  Inbox();
  /// Becomes readable when there is something to take; -1 where the process has no descriptor left.
  [[nodiscard]] int descriptor() const { return numbers_->descriptor; }
  void put(std::uint64_t number) const noexcept;
  [[nodiscard]] std::vector<std::uint64_t> take() const;

 private:
  struct Numbers {
    Numbers();
    ~Numbers();
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    const int descriptor;
    std::mutex mutex;
    std::vector<std::uint64_t> waiting;
  };
  /// Owners: Python's loop, and each call in flight that will put its number.
  std::shared_ptr<Numbers> numbers_;
};

/// A call being handled. Python ends it once; a second end is ignored. One that Python lets go
/// without an end fails with INTERNAL.
class PyCall {
 public:
  PyCall(Call& call, const Clock& clock) : call_(&call), stream_(call.stream), clock_(clock) {}
  ~PyCall();
  PyCall(const PyCall&) = delete;
  PyCall& operator=(const PyCall&) = delete;
  Call* take() { return call_.exchange(nullptr); }
  Call* call_or_null() { return call_.load(); }
  void defer() {
    if (Call* call = call_.load()) call_.store(&call->defer());
    is_deferred_ = true;
  }
  [[nodiscard]] bool is_deferred() const { return is_deferred_; }
  /// Null where the call has no flow.
  [[nodiscard]] Stream* stream() const { return stream_.get(); }
  /// Puts `number` into the inbox when the caller cancels the call. After defer(), before the end.
  void tell_cancelled(const Inbox& inbox, std::uint64_t number);
  /// Why the caller cancelled it, as told by tell_cancelled(); nothing: it has not.
  [[nodiscard]] std::optional<Error> why_cancelled() const;
  /// Whether the caller cancelled the call, or its deadline has passed.
  [[nodiscard]] bool is_cancelled();
  /// Seconds; nothing without a deadline.
  [[nodiscard]] std::optional<double> time_left();

 private:
  /// Outlives the call: the action that the call holds writes it, this class reads it.
  struct Cancelled {
    std::mutex mutex;
    std::optional<Error> why;
  };
  std::atomic<Call*> call_;
  std::shared_ptr<Stream> stream_;
  const Clock& clock_;
  std::atomic<bool> is_deferred_{false};
  const std::shared_ptr<Cancelled> cancelled_ = std::make_shared<Cancelled>();
};

/// A call that Python has started and awaits. Held by Python and by the call until it ends.
class PyStarted {
 public:
  struct Outcome {
    Bytes reply;
    std::optional<Error> error;
  };
  /// Puts `number` into the inbox at the call's end.
  static std::pair<std::shared_ptr<PyStarted>, Call*> make(Inbox inbox, std::uint64_t number);
  /// Valid once the inbox gave the number.
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  void cancel();

 private:
  std::recursive_mutex mutex_;  ///< a cancelled call may end on the thread that cancels it
  Call* call_ = nullptr;        ///< until it ends
  Outcome outcome_;
};

/// The capsule's log, for as long as the language is loaded.
class PyLog {
 public:
  explicit PyLog(Log& log) : log_(&log) {}
  void close();
  /// Empty ones of the places are left out.
  struct Place {
    std::string object, operation, trace;
  };
  void write(Level level, const std::string& event, const Place& place, const std::string& text);

 private:
  std::mutex mutex_;
  Log* log_;
};

struct PyCapsule {
  Capsule* capsule;
};
struct PyTarget {
  std::unique_ptr<Target> target;
  const Clock* clock;
};
struct PySession {
  std::shared_ptr<Session> session;
  const Clock* clock;
  Capsule* capsule;
};

}  // namespace hector::python
