// What: the unix protocol: calls between processes of one user on one machine.
// Why: who connects to a socket file is known by the system's word, without keys.
// Who: the plugin's entry.
#pragma once

#include "hector/protocol.h"

namespace hector::unix_sockets {

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context);

}  // namespace hector::unix_sockets
