// What: LocalCall, the handler's side of an in-process call that outlives its hand-over; local
// flows.
// Why: a call that waits in a queue or is answered later must not keep the caller beyond its
// deadline.
// Who: Call::defer, local channels.
#pragma once

#include <atomic>
#include <memory>

#include "hector/call.h"
#include "hector/stream.h"

namespace hector {

class LocalCall final : public Call {
 public:
  /// Takes over what the starter's call carries; the starter's call ends when this one does, or
  /// when it is cancelled by its deadline.
  static LocalCall& make(Call& origin);

 private:
  class Link;
  explicit LocalCall(Call& origin);
  void finished() noexcept override;
  std::shared_ptr<Link> link_;
};

/// The two ends of a flow inside one process: first the starter's, then the handler's.
std::pair<std::shared_ptr<WindowedStream>, std::shared_ptr<WindowedStream>> make_local_flow(
    Flow flow);

}  // namespace hector
