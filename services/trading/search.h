// What: Searches, queries that need others: linked traders, proxies' targets, evaluators of dynamic
// properties.
// Why: what this trader can answer from its own state it does at once; the rest is asked for
// together and put in one order.
// Who: the Trader.
#pragma once

#include "federation.h"
#include "plan.h"
#include "state/replica.h"

namespace hector::trading {

v1::TradingOffer model_of(const Offer& offer);

struct Search {
  Call& call;
  v1::TradingQuery query;
  std::function<void(Search&)> done;
  Plan plan;
  std::map<std::string, std::map<std::string, std::string>>
      dynamic;  ///< by offer: what its evaluators said, as JSON
  std::vector<v1::TradingOffer> offers;
  std::vector<std::string> limits, failed;
};

/// Any thread.
class Searches {
 public:
  static constexpr std::uint32_t kFoundMax = 10'000;  ///< offers; what there is beyond is left out
  using Done = std::function<void(Search&)>;
  Searches(const ServiceContext& context, const Offers& offers, const state::Replica& replica)
      : offers_(offers),
        replica_(replica),
        random_(*context.random),
        stem_(context.capsule),
        federation_(context) {}
  /// `done` runs once, with offers in their order, cut, and with limits and failures; or the call
  /// fails with the query's error.
  void start(Call& call, const v1::TradingQuery& query, Done done);

 private:
  using SearchPtr = std::shared_ptr<Search>;
  Result<Federation::Question> start_there(const v1::TradingQuery& query,
                                           const ImporterPolicies& asks) const;
  std::vector<Federation::Evaluation> dynamic_of(const Search& search) const;
  void scan(Search& search, const std::vector<const Type*>& scope) const;
  void go_on(const SearchPtr& search);
  void add_proxies(const Search& search, const std::vector<const Type*>& scope,
                   const std::string& id, std::vector<Federation::Question>& questions) const;
  void finish(const SearchPtr& search);

  const Offers& offers_;
  const state::Replica& replica_;
  Random& random_;
  const std::string stem_;
  Federation federation_;
};

}  // namespace hector::trading
