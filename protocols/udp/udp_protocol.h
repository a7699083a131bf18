// What: the udp protocol: its maker.
// Why: tests build it without loading the plugin.
// Who: plugin.cc, tests, kernel/testing's networks.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::udp {

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context);

}  // namespace hector::udp
