// What: the initiating side: a channel to one peer.
// Why: the two sides share the conversation and nothing else.
// Who: the udp protocol.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::udp {

Result<std::unique_ptr<Channel>> make_channel(const ProtocolContext& context,
                                              const NetworkAddress& peer);

}  // namespace hector::udp
