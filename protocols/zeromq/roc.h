// What: ROC: a broker with its relays, and a node whose services are this capsule's Objects, and
// the other way round.
// Why: labs that run ROC servers join as they are.
// Who: the ZeroMQ protocol's Endpoints.
#pragma once

#include <memory>

#include "hector/protocol.h"
#include "roc_options.h"

namespace hector::zeromq {

/// Binds. ALREADY_EXISTS.
Result<std::unique_ptr<Endpoint>> open_broker(const ProtocolContext& context,
                                              const RocOptions& options);
/// Connects: Objects are services of the broker, its services are Objects.
Result<std::unique_ptr<Endpoint>> open_roc(const ProtocolContext& context,
                                           const RocOptions& options);

}  // namespace hector::zeromq
