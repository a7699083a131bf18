// What: HostPort, the two parts of "HOST:PORT".
// Why: libraries take a port of 80000 for 14464, and none at all for one of their own; an address
// that is wrong is refused here, with what is wrong with it, before any of them sees it.
// Who: protocols whose addresses name a host and a port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hector/result.h"

namespace hector {

struct HostPort {
  std::string host;  ///< an IPv6 address without its brackets
  std::uint16_t port = 0;

  /// HOST is a name, an IPv4 address, an IPv6 address in brackets, or `*`; PORT is a decimal number
  /// of 0 to 65535. INVALID_ARGUMENT with what is wrong.
  static Result<HostPort> parse(std::string_view text);
  /// The same, to reach something: neither `*` nor port 0 can be reached.
  static Result<HostPort> parse_reachable(std::string_view text);
  [[nodiscard]] std::string text() const;
};

}  // namespace hector
