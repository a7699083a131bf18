#include "roc_options.h"

#include <fmt/format.h>

#include <cstdlib>

namespace hector::zeromq {

namespace {

constexpr int kPortMax = 65'535;

}  // namespace

Result<RocAddresses> RocAddresses::of(const std::string& broker) {
  const auto colon = broker.rfind(':');
  const int port = colon == std::string::npos ? 0 : std::atoi(broker.c_str() + colon + 1);
  if (!broker.starts_with("tcp://") || port <= 0 || port > kPortMax - 2)
    return fail(Error::invalid_argument(
        fmt::format("'{}' is no broker's address: tcp://HOST:PORT; the next two ports relay status "
                    "and logs",
                    broker)));
  const std::string host = broker.substr(0, colon + 1);
  return RocAddresses{broker, host + std::to_string(port + 1), host + std::to_string(port + 2)};
}

}  // namespace hector::zeromq
