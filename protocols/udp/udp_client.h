// What: the initiating side: a channel to one peer.
// Why: the two sides share the conversation and nothing else.
// Who: the udp protocol.
#pragma once

#include <memory>

#include "hector/protocol.h"
#include "tls/tls.h"

namespace hector::udp {

struct ChannelPeer {
  NetworkAddress address;
  std::string principal;  ///< who must answer there; empty: anybody who is trusted
};
/// `tls`, which outlives the channel: of the context's credentials; null where it has none.
Result<std::unique_ptr<Channel>> make_channel(const ProtocolContext& context,
                                              const ChannelPeer& peer, tls::Tls* tls = nullptr);

}  // namespace hector::udp
