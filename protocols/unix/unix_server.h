// What: the server's side of the unix protocol: a socket file, and calls to this capsule's
// Objects.
// Why: see README.md.
// Who: unix_protocol.cc.
#pragma once

#include "hector/protocol.h"
#include "link.h"
#include "socket_file.h"

namespace hector::unix_sockets {

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                std::shared_ptr<Io> io, SocketFile place);

}  // namespace hector::unix_sockets
