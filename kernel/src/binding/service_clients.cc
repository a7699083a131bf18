#include "binding/service_clients.h"

#include "hector/service/v1/naming.pb.h"
#include "hector/service/v1/trading.pb.h"
#include "hector/typed.h"
#include "offers/builtin.h"
#include "runtime/reference_model.h"

namespace hector {

using namespace hector::service::v1;

hector::type::v1::Interface naming_interface() {
  return builtin_interface("hector.Naming", "Names for references (X/Open XFN).",
                           {builtin_rpc<NamingBind, NamingRevision>("bind"), builtin_rpc<NamingName, NamingBinding>("lookup"),
                            builtin_rpc<NamingName, NamingRevision>("unbind"), builtin_rpc<NamingName, NamingBindings>("list_bindings")});
}

hector::type::v1::Interface trading_interface() {
  return builtin_interface("hector.Trading", "Offers found by type, constraint and preference (ISO/IEC 13235-1).",
                           {builtin_rpc<TradingOffer, TradingOfferId>("export"), builtin_rpc<TradingOfferId, TradingOfferId>("withdraw"),
                            builtin_rpc<TradingQuery, TradingOffers>("query")});
}

namespace {

class NamingClient final : public NamingService {
 public:
  NamingClient(std::shared_ptr<Target> target, const Clock& clock) : target_(std::move(target)), clock_(clock) {}

  Status bind(const std::string& name, const Reference& reference, bool exclusive) override {
    NamingBind request;
    request.set_name(name);
    *request.mutable_reference() = to_model(reference);
    request.set_exclusive(exclusive);
    return call<NamingRevision>(0, "bind", request).map([](const auto&) {});
  }
  Result<Reference> lookup(const std::string& name) override {
    NamingName request;
    request.set_name(name);
    return call<NamingBinding>(1, "lookup", request).map([](const auto& binding) { return from_model(binding.reference()); });
  }
  Status unbind(const std::string& name) override {
    NamingName request;
    request.set_name(name);
    return call<NamingRevision>(2, "unbind", request).map([](const auto&) {});
  }
  Result<std::vector<NamedReference>> list(const std::string& prefix) override {
    NamingName request;
    request.set_name(prefix);
    return call<NamingBindings>(3, "list_bindings", request).map([](const auto& bindings) {
      std::vector<NamedReference> list;
      for (const auto& binding : bindings.bindings()) list.push_back({binding.name(), from_model(binding.reference())});
      return list;
    });
  }

 private:
  template <class Out, class In>
  Result<Out> call(std::uint32_t operation, const char* name, const In& request) {
    return call_and_wait<Out>(*target_, clock_, operation, name, request);
  }
  std::shared_ptr<Target> target_;
  const Clock& clock_;
};

class TradingClient final : public TradingService {
 public:
  TradingClient(std::shared_ptr<Target> target, const Clock& clock) : target_(std::move(target)), clock_(clock) {}

  Result<std::string> export_offer(const std::string& type, const Reference& reference, const std::map<std::string, std::string>& properties) override {
    TradingOffer offer;
    offer.set_type(type);
    *offer.mutable_reference() = to_model(reference);
    for (const auto& [name, value] : properties) (*offer.mutable_properties())[name] = value;
    return call_and_wait<TradingOfferId>(*target_, clock_, 0, "export", offer).map([](const auto& id) { return id.id(); });
  }
  Status withdraw(const std::string& id) override {
    TradingOfferId request;
    request.set_id(id);
    return call_and_wait<TradingOfferId>(*target_, clock_, 1, "withdraw", request).map([](const auto&) {});
  }
  Result<std::vector<TradedOffer>> query(const TradeQuery& query) override {
    TradingQuery request;
    request.set_type(query.type);
    request.set_constraint(query.constraint);
    request.set_preference(query.preference);
    request.set_how_many(query.how_many);
    return call_and_wait<TradingOffers>(*target_, clock_, 2, "query", request).map([](const auto& offers) {
      std::vector<TradedOffer> list;
      for (const auto& offer : offers.offers()) {
        list.push_back({offer.id(), from_model(offer.reference()), {offer.properties().begin(), offer.properties().end()}});
      }
      return list;
    });
  }

 private:
  std::shared_ptr<Target> target_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<NamingService> make_naming_client(std::shared_ptr<Target> target, const Clock& clock) {
  return std::make_unique<NamingClient>(std::move(target), clock);
}
std::unique_ptr<TradingService> make_trading_client(std::shared_ptr<Target> target, const Clock& clock) {
  return std::make_unique<TradingClient>(std::move(target), clock);
}

}  // namespace hector
