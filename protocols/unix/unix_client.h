// What: the client's side of the unix protocol: calls to one socket file.
// Why: see README.md.
// Who: unix_protocol.cc.
#pragma once

#include "hector/protocol.h"
#include "link.h"
#include "socket_file.h"

namespace hector::unix_sockets {

/// It connects with the first call, and again with the first one after the peer was gone.
std::unique_ptr<Channel> make_channel(const ProtocolContext& context, std::shared_ptr<Io> io,
                                      SocketFile place);

}  // namespace hector::unix_sockets
