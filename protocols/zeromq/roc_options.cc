#include "roc_options.h"

#include <fmt/format.h>

#include "hector/host_port.h"
#include "socket_address.h"

namespace hector::zeromq {

namespace {

constexpr int kPortMax = 65'535;

}  // namespace

Result<RocAddresses> RocAddresses::of(const std::string& broker) {
  const auto refused = [&](const std::string& why) {
    return fail(Error::invalid_argument(
        fmt::format("'{}' is no broker's address{}: tcp://HOST:PORT; the next two ports relay "
                    "status and logs",
                    broker, why)));
  };
  if (!broker.starts_with(kTcp)) return refused("");
  auto place = HostPort::parse(broker.substr(kTcp.size()));
  if (!place) return refused(" (" + place.error().message + ")");
  if (place->port == 0 || place->port > kPortMax - 2)
    return refused(fmt::format(" (a port of 1 to {})", kPortMax - 2));
  const auto next = [&] {
    ++place->port;
    return std::string(kTcp) + place->text();
  };
  RocAddresses made{broker, "", ""};
  made.general_xsub = next();
  made.general_xpub = next();
  return made;
}

}  // namespace hector::zeromq
