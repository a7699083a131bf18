// What: the addresses that ZeroMQ's sockets are given.
// Why: libzmq takes port 70000 for 4464 and "80x" for 80.
// Who: the Reactor, which opens every socket; RocAddresses.
#pragma once

#include <string>
#include <string_view>

#include "hector/result.h"

namespace hector::zeromq {

inline constexpr std::string_view kTcp = "tcp://";
/// INVALID_ARGUMENT for a tcp:// address whose host or port is none; others are ZeroMQ's to judge.
Status check_socket_address(const std::string& address);

}  // namespace hector::zeromq
