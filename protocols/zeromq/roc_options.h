// What: where a broker and its relays are, and the settings of a broker or a node.
// Why: the parts of a node take them without knowing the whole.
// Who: RocLink; the ZeroMQ protocol.
#pragma once

#include <cstdint>
#include <string>

#include "broker.h"
#include "hector/result.h"
#include "objects/world_options.h"

namespace hector::zeromq {

/// As ROC's Endpoints: the broker at a port, the relay of status and logs at the next two.
struct RocAddresses {
  std::string broker, general_xsub, general_xpub;
  /// INVALID_ARGUMENT: "tcp://HOST:PORT".
  static Result<RocAddresses> of(const std::string& broker);
};
/// How a node finds out which services there are.
enum class Discover : std::uint8_t {
  kByMmi,   ///< of the broker (8/MMI); the services themselves where it does not answer
  kByNames  ///< of the services themselves, those in `adopt` whose names are whole
};
struct RocOptions {
  RocAddresses at;
  BrokerOptions broker;
  Discover discover = Discover::kByMmi;
  std::string name = "roc";  ///< the Object for status and logs; empty: none
  /// "*" in `adopt` is any where the broker lists its services.
  objects::WorldOptions world;
};

}  // namespace hector::zeromq
