// What: ROC: a broker with its relays, and a node whose services are this capsule's Objects, and
// the other way round.
// Why: labs that run ROC servers join as they are.
// Who: the ZeroMQ protocol's Endpoints.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker.h"
#include "hector/protocol.h"
#include "objects/world_options.h"
#include "rpc.h"

namespace hector::zeromq {

/// As ROC's Endpoints: the broker at a port, the relays at the two behind it (the second pair is
/// ours to choose).
struct RocAddresses {
  std::string broker, general_xsub, general_xpub;
  /// INVALID_ARGUMENT: "tcp://HOST:PORT".
  static Result<RocAddresses> of(const std::string& broker);
};
struct RocOptions {
  RocAddresses at;
  BrokerOptions broker;
  std::string name = "roc";  ///< the Object for status and logs; empty: none
  objects::WorldOptions
      world;  ///< "*" in `adopt` is any where the broker tells which services there are
};

/// Binds. ALREADY_EXISTS.
Result<std::unique_ptr<Endpoint>> open_broker(const ProtocolContext& context,
                                              const RocOptions& options);
/// Connects: Objects are services of the broker, its services are Objects.
Result<std::unique_ptr<Endpoint>> open_roc(const ProtocolContext& context,
                                           const RocOptions& options);

/// A status message as it matches a mask of whole segments: the sensor and its value; a parent's
/// message holds its children's. Nothing: it does not match.
std::optional<std::pair<std::string, Value>> status_for(const std::string& sensor,
                                                        const Value& value,
                                                        const std::string& mask);

}  // namespace hector::zeromq
