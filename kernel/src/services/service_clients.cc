// What: the services that this capsule uses, and which of them the kernel itself is a client of.
// Why: any service can be embedded or joined; the kernel knows four of them by their contract.
// Who: the kernel.
#include "services/service_clients.h"

#include <utility>

#include "hector/check.h"
#include "hector/naming.hector.h"
#include "hector/policy.hector.h"
#include "hector/trading.hector.h"
#include "hector/type.hector.h"

namespace hector {

namespace {

/// A service whose contract the kernel itself uses.
struct KnownService {
  const char* name;
  const char* interface_id;
  std::string_view (*model)();
  std::shared_ptr<void> (*install)(Services&, std::shared_ptr<Target>,
                                   const ClientContext*);  ///< no target: takes it out
};
template <auto place, auto make>
std::shared_ptr<void> install(Services& services, std::shared_ptr<Target> target,
                              const ClientContext* context) {
  services.*place = nullptr;
  if (!target) return nullptr;
  auto client = make(std::move(target), *context);
  services.*place = client.get();
  return client;
}
constexpr KnownService kKnownServices[] = {
    {"naming", NamingOperations::kInterface, NamingServant::model,
     install<&Services::naming, make_naming_client>},
    {"trading", TradingOperations::kInterface, TradingServant::model,
     install<&Services::trading, make_trading_client>},
    {"policy", PolicyOperations::kInterface, PolicyServant::model,
     install<&Services::policy, make_policy_client>},
    {"type", TypeOperations::kInterface, TypeServant::model,
     install<&Services::type, make_type_client>},
};

const KnownService* find(std::string_view name) {
  for (const auto& each : kKnownServices) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

}  // namespace

Result<hector::type::v1::Interface> interface_of_model(std::string_view model) {
  hector::type::v1::Interface interface;
  if (interface.ParseFromArray(model.data(), static_cast<int>(model.size()))) return interface;
  return fail(Error::invalid_argument("the model of a service is no hector.type.v1.Interface"));
}

std::vector<hector::type::v1::Interface> standard_interfaces() {
  std::vector<hector::type::v1::Interface> all;
  for (const auto& each : kKnownServices) {
    auto interface = interface_of_model(each.model());
    HECTOR_CHECK(interface.has_value(), "a standard Interface is malformed");
    all.push_back(std::move(*interface));
  }
  return all;
}

std::string standard_interface_of(const std::string& service) {
  const auto* const found = find(service);
  return found == nullptr ? std::string() : found->interface_id;
}

void ServiceClients::use(const std::string& service, std::shared_ptr<Target> target,
                         const ClientContext& context) {
  targets_[service] = target;
  if (const auto* const known = find(service))
    clients_.push_back(known->install(services_, std::move(target), &context));
}

std::shared_ptr<Target> ServiceClients::target(const std::string& service) const {
  const auto found = targets_.find(service);
  return found == targets_.end() ? nullptr : found->second;
}

void ServiceClients::drop(const std::string& service) {
  targets_.erase(service);
  if (const auto* const known = find(service))
    static_cast<void>(known->install(services_, nullptr, nullptr));
}

void ServiceClients::clear() {
  services_ = {};
  targets_.clear();
  clients_.clear();
}

}  // namespace hector
