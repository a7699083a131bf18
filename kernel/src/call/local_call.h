// What: LocalCall, the handler's side of an in-process call that outlives its hand-over;
// enter_local, how a call enters an Object of this process.
// Why: a call that waits in a queue or is answered later must not keep the caller beyond its
// deadline.
// Who: Call::defer, local targets, channels inside the process.
#pragma once

#include <memory>
#include <utility>

#include "call/call_state.h"
#include "hector/call.h"
#include "hector/stream.h"

namespace hector {

class LocalCall final : public Call {
 public:
  /// Takes over what the caller's call carries; the caller's call ends when this one does, or when
  /// it is cancelled, by its deadline among others. Frees itself at its end.
  static LocalCall& make(Call& origin);
  /// Makes the flow; its ends break with the call. The caller's end is returned.
  std::shared_ptr<Stream> open_flow();

 private:
  class Link;
  explicit LocalCall(Call& origin);
  void finished() noexcept override;
  std::shared_ptr<Link> link_;
};

/// The call to enter for a kStream, which is deferred.
[[nodiscard]] Call& enter_with_flow(Call& call);
/// Prepares a call, whose operation, kind and flow are known, for an Object of this process.
/// Returns the call to enter there: a kStream gets a flow and is deferred, others stay themselves.
[[nodiscard]] inline Call& enter_local(Call& call) {
  CallState::of(call).is_local = true;
  return call.kind == Kind::kStream ? enter_with_flow(call) : call;
}

/// The two ends of a flow inside one process.
struct LocalFlow {
  explicit LocalFlow(Flow flow);
  /// Each is its program's; neither keeps the other.
  std::shared_ptr<WindowedStream> callers, handlers;
};

}  // namespace hector
