// What: HTTP/2 frames made by hand.
// Why: what a peer may send wrongly, no gRPC library sends.
// Who: the tests of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hector::grpcp {

using Octets = std::vector<std::uint8_t>;

/// Of stream 1, with so many octets behind its header (RFC 9113, 4.1).
inline Octets frame(std::uint8_t type, std::uint8_t flags, std::size_t size) {
  Octets out{static_cast<std::uint8_t>(size >> 16U),
             static_cast<std::uint8_t>(size >> 8U),
             static_cast<std::uint8_t>(size),
             type,
             flags,
             0,
             0,
             0,
             1};
  out.resize(out.size() + size, 0x61);
  return out;
}

}  // namespace hector::grpcp
