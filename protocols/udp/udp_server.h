// What: the offering side: an endpoint with the conversations of its clients, and multicasts.
// Why: the two sides share the conversation and nothing else.
// Who: the udp protocol.
#pragma once

#include <memory>

#include "hector/protocol.h"
#include "tls/tls.h"

namespace hector::udp {

/// `tls`, which outlives the endpoint: of the context's credentials; null where it has none.
Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const NetworkAddress& address,
                                                tls::Tls* tls = nullptr);

}  // namespace hector::udp
