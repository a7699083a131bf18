// What: the addresses that ZeroMQ's sockets are given.
// Why: see the header.
// Who: the Reactor, RocAddresses.
#include "socket_address.h"

#include "hector/host_port.h"

namespace hector::zeromq {

Status check_socket_address(const std::string& address) {
  if (!address.starts_with(kTcp)) return {};
  std::string place = address.substr(kTcp.size());
  place.erase(0, place.find(';') + 1);                                 // "SOURCE;HOST:PORT"
  if (place.ends_with(":*")) place.replace(place.size() - 1, 1, "0");  // ZeroMQ's word for any
  return HostPort::parse(place).map([](const HostPort&) {});
}

}  // namespace hector::zeromq
