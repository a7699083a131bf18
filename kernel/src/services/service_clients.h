// What: the standard services as the kernel and Objects use them: clients of a Target, wherever the
// service is.
// Why: embedded or joined does not show; a service is one row of the table here.
// Who: the kernel.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/capsule.h"
#include "hector/service/naming.h"
#include "hector/service/policy.h"
#include "hector/service/trading.h"
#include "hector/service/type.h"
#include "hector/type/v1/type.pb.h"

namespace hector {

/// Valid as long as the kernel; null where this capsule has none.
struct Services {
  NamingService* naming = nullptr;
  TradingService* trading = nullptr;
  PolicyService* policy = nullptr;
  TypeService* type = nullptr;
};

/// The standard Interfaces, in whose order a provider's operations are numbered.
std::vector<hector::type::v1::Interface> standard_interfaces();
/// "naming": "hector.Naming/1". INVALID_ARGUMENT with the list if there is no such service.
Result<std::string> standard_interface_of(const std::string& service);

struct ClientContext {
  const Clock* clock = nullptr;
  std::string capsule;
};

/// Clients of what is there now. Earlier ones live on: another thread may still be calling. One
/// thread at a time.
class ServiceClients {
 public:
  Status use(const std::string& service, std::shared_ptr<Target> target,
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
