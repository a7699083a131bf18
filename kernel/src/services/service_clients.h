// What: ServiceClients, the services of this capsule as its kernel and Objects reach them.
// Why: embedded or joined does not show. Any service is reached through its Target; those that the
// kernel itself uses have a client as well.
// Who: the kernel.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hector/type/v1/type.pb.h"
#include "services/client_makers.h"

namespace hector {

/// The services that the kernel itself uses. Valid as long as the kernel; null where this capsule
/// has none.
struct Services {
  NamingService* naming = nullptr;
  TradingService* trading = nullptr;
  PolicyService* policy = nullptr;
  TypeService* type = nullptr;
};

/// The Offer of an embedded service has it where those of Objects have their template's name.
inline constexpr const char* kServiceLabel = "service";

/// Of what a generated servant says it offers. INVALID_ARGUMENT if the octets are none.
Result<hector::type::v1::Interface> interface_of_model(std::string_view model);
/// The Interfaces of those services: every capsule knows them, also where none of them is loaded.
std::vector<hector::type::v1::Interface> standard_interfaces();
/// "naming": "hector.Naming/1". Empty for a service that brings its own Interface.
std::string standard_interface_of(const std::string& service);

/// Clients of what is there now. Earlier ones live on: a thread may still be calling. One thread at
/// a time.
class ServiceClients {
 public:
  void use(const std::string& service, std::shared_ptr<Target> target,
           const ClientContext& context);
  void drop(const std::string& service);
  void clear();
  [[nodiscard]] const Services& services() const noexcept { return services_; }
  /// Null if there is none.
  [[nodiscard]] std::shared_ptr<Target> target(const std::string& service) const;

 private:
  Services services_;
  std::map<std::string, std::shared_ptr<Target>> targets_;
  std::vector<std::shared_ptr<void>> clients_;
};

}  // namespace hector
