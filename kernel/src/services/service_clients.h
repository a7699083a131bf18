// What: ServiceClients, the services of this capsule as its kernel and Objects reach them.
// Why: embedded or joined does not show. Any service is reached through its Target; those that the
// kernel itself uses have a client as well.
// Who: the kernel.
#pragma once

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

/// Clients of what is there now, and their targets. Earlier ones live until clear(): a thread may
/// still be calling. One thread at a time.
class ServiceClients {
 public:
  /// A service that the kernel has no client for is reached by its name only.
  void use(const std::string& service, std::unique_ptr<Target> target,
           const ClientContext& context);
  void drop(const std::string& service);
  void clear();
  [[nodiscard]] const Services& services() const noexcept { return services_; }

  /// A client of any of the services.
  using AnyClient = std::unique_ptr<void, void (*)(void*)>;

 private:
  struct Used {
    std::unique_ptr<Target> target;
    AnyClient client;  ///< calls the target
  };
  Services services_;
  std::vector<Used> used_;
};

}  // namespace hector
