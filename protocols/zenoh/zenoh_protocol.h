// What: the zenoh protocol: its maker.
// Why: tests build it without loading the plugin.
// Who: plugin.cc, tests.
#pragma once

#include <memory>

#include "hector/protocol.h"

namespace hector::zenohp {

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context);

}  // namespace hector::zenohp
