// What: Relay, an XSUB that publishers connect to and an XPUB that subscribers connect to; messages
// of each go out at the other.
// Why: Hermes' post office is one, and so is the relay of ROC's status and logs.
// Who: their Endpoints.
#pragma once

#include <string>

#include "reactor.h"

namespace hector::zeromq {

/// On the reactor's thread. Outlives the reactor's run.
class Relay {
 public:
  /// Binds. `debug`, where it is not empty, publishes the messages of both directions.
  /// ALREADY_EXISTS, INVALID_ARGUMENT.
  Status open(Reactor& reactor, const std::string& in, const std::string& out,
              const std::string& debug);

 private:
  Reactor::OnMessage pass_to(Reactor::Socket*& to);
  Reactor::Socket *in_ = nullptr, *out_ = nullptr, *debug_ = nullptr;
};

}  // namespace hector::zeromq
