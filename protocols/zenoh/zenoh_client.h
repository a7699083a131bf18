// What: the initiating side: a Channel to one capsule.
// Why: calls are queries; announcements and flows are publications to its keys.
// Who: zenoh_protocol.cc.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::zenohp {

Result<std::unique_ptr<Channel>> make_channel(const ProtocolContext& context,
                                              const std::string& address);

}  // namespace hector::zenohp
