// What: socket_owners(), the users of this machine whose sockets have an address.
// Why: over loopback the system knows who is at the other end, as it does for socket files.
// Who: what is for the user alone who runs a capsule: its management.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hector/network.h"

namespace hector {

/// As protocols write a peer: "127.0.0.1:5000", "[::1]:5000", or as gRPC's naming has it
/// ("ipv4:127.0.0.1:5000", "ipv6:%5B::1%5D:5000"). Nothing: it is on no loopback interface.
std::optional<NetworkAddress> loopback_address(std::string_view peer);

/// The user ids of all TCP and UDP sockets that are open with this own address; those that are only
/// waiting for their end have no owner any more. Reads the system's tables: some tenths of a
/// millisecond, more with thousands of sockets.
std::vector<std::uint32_t> socket_owners(const NetworkAddress& address);

}  // namespace hector
