// What: network addresses as text and as keys.
// Why: the simulated network uses the same addresses as the real one.
// Who: protocols, networks.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "hector/network.h"

namespace hector {

bool NetworkAddress::is_ipv4() const noexcept {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(octets, kMapped, 12) == 0;
}

bool NetworkAddress::is_multicast() const noexcept {
  return is_ipv4() ? (octets[12] & 0xf0) == 0xe0 : octets[0] == 0xff;
}

Result<NetworkAddress> NetworkAddress::parse(std::string_view text) {
  const auto refused = [&] {
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is not an address; expected 127.0.0.1:7300 or [::1]:7300", text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return refused();
  std::string host(text.substr(0, colon));
  NetworkAddress address;
  const auto port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return refused();
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), address.octets) != 1)
      return refused();
  } else {
    address.octets[10] = address.octets[11] = 0xff;
    if (inet_pton(AF_INET, host.c_str(), address.octets + 12) != 1) return refused();
  }
  return address;
}

std::string NetworkAddress::text() const {
  char host[INET6_ADDRSTRLEN] = "";
  if (is_ipv4()) {
    inet_ntop(AF_INET, octets + 12, host, sizeof host);
    return fmt::format("{}:{}", host, port);
  }
  inet_ntop(AF_INET6, octets, host, sizeof host);
  return fmt::format("[{}]:{}", host, port);
}

std::size_t NetworkAddressHash::operator()(const NetworkAddress& address) const noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, address.octets, 16);
  return (halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ULL) ^
          (static_cast<std::uint64_t>(address.port) << 32)) *
         0xbf58476d1ce4e5b9ULL;
}

}  // namespace hector
