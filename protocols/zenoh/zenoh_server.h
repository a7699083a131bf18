// What: the offering side: an Endpoint as queryable and subscriber under hector/CAPSULE.
// Why: any zenoh program calls any Object by its key.
// Who: zenoh_protocol.cc.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::zenohp {

/// "tcp/127.0.0.1:0" listens (0: any port); "router/tcp/127.0.0.1:7447" is reached through a router
/// there.
Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const std::string& address);

}  // namespace hector::zenohp
