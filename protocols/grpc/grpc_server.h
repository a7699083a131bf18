// What: the offering side: an Endpoint on gRPC's generic callback API.
// Why: any gRPC client calls any Object, with no generated code.
// Who: grpc_protocol.cc.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::grpcp {

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const std::string& address);

}  // namespace hector::grpcp
