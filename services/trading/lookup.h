// What: Lookup, the queries that this Trader answers from its own offers, and why it answers so.
// Why: no call, no lock and no store: a query is a function of the offers and the request.
// Who: the Trading servant.
#pragma once

#include "plan.h"

namespace hector::trading {

/// What of an answer is wanted: the first `skip` offers were given before.
struct Page {
  std::uint32_t how_many = 0;  ///< 0: all that the cards allow
  std::size_t skip = 0;
};

/// Called while the offers do not change.
class Lookup {
 public:
  Lookup(const Offers& offers, Random& random) : offers_(offers), random_(random) {}
  /// `left` is 1 if there are more. The query's own errors: IllegalConstraint and so on.
  Result<v1::TradingOffers> query(const v1::TradingQuery& query, Page page) const;
  /// Whether an answer needs anybody else: linked traders, targets of proxies, evaluators.
  [[nodiscard]] bool needs_others(const v1::TradingQuery& query) const;
  /// Each part of the constraint alone, on each offer in the scope (up to 1,000).
  Result<v1::TradingExplanation> explain(const v1::TradingQuery& asked) const;

 private:
  void explain_offer(const Plan& plan, const std::vector<expression::Program>& parts,
                     const Offer& offer, v1::TradingVerdict& verdict) const;
  const Offers& offers_;
  Random& random_;
};

/// Leaves the properties that the query desires.
void trim(const v1::TradingQuery& query, v1::TradingOffer& offer);

}  // namespace hector::trading
