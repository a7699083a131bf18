// What: Registration, the operations of the Trader's Register as plans on its offers.
// Why: a plan is made of the state and the request alone, so that it can be made again where
// another writer was faster, and tested without a store.
// Who: the Trading servant.
#pragma once

#include <atomic>

#include "offer_check.h"

namespace hector::trading {

/// Offers and proxy offers have operations of their own.
enum class OfferKind : std::uint8_t { kOrdinary, kProxy };

/// Any thread, while the offers do not change. Refusals bear the specification's names.
class Registration {
 public:
  Registration(const Offers& offers, Random& random)
      : offers_(offers), random_(random), check_(offers) {}
  /// New ids are above every one that was given out. Before the first export.
  void start_after(std::uint64_t number) { last_ = number; }

  /// An ordinary offer, or a proxy's where the request has one; the reply has its id.
  Result<StoreTransaction> plan_export(const v1::TradingOffer& asked, v1::TradingOfferId& reply);
  Result<StoreTransaction> plan_withdraw(const v1::TradingOfferId& asked, OfferKind kind,
                                         v1::TradingOfferId& reply) const;
  /// Atomic: what is wrong with one property leaves all as they were.
  Result<StoreTransaction> plan_modify(const v1::TradingModify& asked, v1::TradingOfferId& reply);
  Result<StoreTransaction> plan_withdraw_matching(const v1::TradingSelection& asked,
                                                  v1::TradingWithdrawn& reply) const;
  Result<v1::TradingOffer> describe(const v1::TradingOfferId& asked, OfferKind kind) const;
  [[nodiscard]] v1::TradingIds list(const v1::TradingNext& asked) const;
  [[nodiscard]] v1::TradingIds list_proxies() const;

 private:
  Result<const Offer*> known(const std::string& id, OfferKind kind) const;
  const Offers& offers_;
  Random& random_;
  OfferCheck check_;
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace hector::trading
