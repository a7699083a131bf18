// What: the initiating side: a Channel on gRPC's generic stub.
// Why: an Object can be bound to any gRPC server, ours or foreign.
// Who: grpc_protocol.cc.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::grpcp {

Result<std::unique_ptr<Channel>> make_channel(const ProtocolContext& context,
                                              const std::string& address);

}  // namespace hector::grpcp
