// What: TradingService over the client generated from hector.Trading/1.
// Why: the kernel and Objects export and query Offers without knowing where the Trader is.
// Who: the table in service_clients.cc.
#include "call/reference_model.h"
#include "hector/trading.hector.h"
#include "services/client_makers.h"
#include "services/leasing_client.h"

namespace hector {

namespace {

using namespace hector::service::v1;

class RemoteTrading final : public LeasingClient<TradingService, TradingClient, TradingLease> {
 public:
  using LeasingClient::LeasingClient;

  Result<std::string> export_offer(const std::string& type, const Reference& reference,
                                   const std::map<std::string, std::string>& properties,
                                   std::uint64_t lease) override {
    TradingOffer offer;
    offer.set_lease(lease);
    offer.set_type(type);
    *offer.mutable_reference() = to_model(reference);
    for (const auto& [name, value] : properties) (*offer.mutable_properties())[name] = value;
    return client_.export_(offer).map([](const auto& id) { return id.id(); });
  }
  Status withdraw(const std::string& id) override {
    TradingOfferId request;
    request.set_id(id);
    return client_.withdraw(request).map([](const auto&) {});
  }
  Result<std::vector<TradedOffer>> query(const TradeQuery& query) override {
    TradingQuery request;
    request.set_type(query.type);
    request.set_constraint(query.constraint);
    request.set_preference(query.preference);
    request.set_how_many(query.how_many);
    return client_.query(request).map(offers_of);
  }

 private:
  static std::vector<TradedOffer> offers_of(const TradingOffers& offers) {
    std::vector<TradedOffer> list;
    for (const auto& offer : offers.offers()) {
      list.push_back({offer.id(),
                      from_model(offer.reference()),
                      {offer.properties().begin(), offer.properties().end()}});
    }
    return list;
  }
};

}  // namespace

std::unique_ptr<TradingService> make_trading_client(Target& target, const ClientContext& context) {
  return std::make_unique<RemoteTrading>(target, *context.clock);
}

}  // namespace hector
