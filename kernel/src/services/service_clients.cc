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
  ServiceClients::AnyClient (*install)(Services&, Target&, const ClientContext&);
  void (*take_out)(Services&);
};
template <auto place, auto make>
ServiceClients::AnyClient install(Services& services, Target& target,
                                  const ClientContext& context) {
  auto* const client = make(target, context).release();
  services.*place = client;
  return {client, [](void* owned) { delete static_cast<decltype(client)>(owned); }};
}
template <auto place>
void take_out(Services& services) {
  services.*place = nullptr;
}
constexpr KnownService kKnownServices[] = {
    {"naming", NamingOperations::kInterface, NamingServant::model,
     install<&Services::naming, make_naming_client>, take_out<&Services::naming>},
    {"trading", TradingOperations::kInterface, TradingServant::model,
     install<&Services::trading, make_trading_client>, take_out<&Services::trading>},
    {"policy", PolicyOperations::kInterface, PolicyServant::model,
     install<&Services::policy, make_policy_client>, take_out<&Services::policy>},
    {"type", TypeOperations::kInterface, TypeServant::model,
     install<&Services::type, make_type_client>, take_out<&Services::type>},
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

void ServiceClients::use(const std::string& service, std::unique_ptr<Target> target,
                         const ClientContext& context) {
  const auto* const known = find(service);
  if (known == nullptr) return;
  auto client = known->install(services_, *target, context);
  used_.push_back({std::move(target), std::move(client)});
}

void ServiceClients::drop(const std::string& service) {
  if (const auto* const known = find(service)) known->take_out(services_);
}

void ServiceClients::clear() {
  services_ = {};
  used_.clear();
}

}  // namespace hector
