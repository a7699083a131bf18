// What: the offering side: an endpoint with the conversations of its clients, and multicasts.
// Why: the two sides share the conversation and nothing else.
// Who: the udp protocol.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::udp {

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const NetworkAddress& address);

}  // namespace hector::udp
