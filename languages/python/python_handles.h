// What: the objects that Python sees behind `_hector`: a call, a capsule, a target, a session.
// Why: thin holders; whatever can be written in Python is in the hector package.
// Who: python_module.cc exposes them, python_language.cc makes them.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "hector/capsule.h"

namespace hector::python {

/// A call being handled. Python ends it once; a second end is ignored.
class PyCall {
 public:
  explicit PyCall(Call& call) : call_(&call), stream_(call.stream) {}
  Call* take() { return call_.exchange(nullptr); }
  Call* call_or_null() { return call_.load(); }
  void defer() {
    if (Call* call = call_.load()) call_.store(&call->defer());
  }
  const std::shared_ptr<Stream>& stream() const { return stream_; }

 private:
  std::atomic<Call*> call_;
  std::shared_ptr<Stream> stream_;
};

struct PyCapsule {
  Capsule* capsule;
};
struct PyTarget {
  std::shared_ptr<Target> target;
  const Clock* clock;
};
struct PySession {
  std::shared_ptr<Session> session;
  const Clock* clock;
  Capsule* capsule;
};

}  // namespace hector::python
