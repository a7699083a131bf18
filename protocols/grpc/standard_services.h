// What: server reflection (v1 and v1alpha) and health checking for whatever is offered now.
// Why: grpcurl and every gRPC tool list, describe, call and watch Objects without files.
// Who: grpc_server.cc.
#pragma once

#include <optional>
#include <string>

#include "hector/protocol.h"

namespace hector::grpcp {

/// Answers one request of a standard service, octets in and out. Any thread.
class StandardServices {
 public:
  explicit StandardServices(const Inbound& inbound) : inbound_(inbound) {}
  static bool is_reflection(const std::string& service);
  static bool is_health(const std::string& service);
  std::string reflect(const std::string& request) const;
  /// Nothing: the service is unknown (NOT_FOUND for Check, SERVICE_UNKNOWN for Watch).
  std::optional<std::string> health(const std::string& request) const;
  static std::string service_unknown();

 private:
  const Inbound& inbound_;
};

}  // namespace hector::grpcp
