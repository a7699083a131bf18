// What: Federation, calls of the Trader to others: linked traders, proxies' targets, evaluators of
// dynamic properties.
// Why: all of them are asked at once, within a budget; who does not answer holds nobody up.
// Who: the Trader.
#pragma once

#include <functional>
#include <mutex>

#include "hector/service.h"
#include "hector/service/v1/trading.pb.h"
#include "state/peers.h"
#include "state/seen.h"

namespace hector::trading {

namespace v1 = hector::service::v1;

/// Any thread.
class Federation {
 public:
  /// A caller waits for the slowest.
  static constexpr Duration kTraderAnswersWithin = std::chrono::seconds(5);
  /// For all dynamic properties of one query.
  static constexpr Duration kEvaluationBudget = std::chrono::milliseconds(50);
  /// Dynamic properties that one query asks for.
  static constexpr std::size_t kEvaluationsMax = 1'000;
  explicit Federation(const ServiceContext& context)
      : context_(context),
        traders_(*context.handle, "trading", "hector.Trading/1"),
        evaluators_(*context.handle, "", "") {}

  struct Question {
    std::string name;    ///< the link's, or the proxy offer's id
    std::string target;  ///< a "hector:" reference
    v1::TradingQuery query;
  };
  struct Found {
    std::vector<v1::TradingOffer> offers;  ///< in the order of the questions
    std::vector<std::string> limits, failed;
  };
  /// `done` runs once, when all have answered or failed.
  void ask(std::vector<Question> questions, Deadline deadline, std::function<void(Found)> done);

  struct Evaluation {
    std::string offer, property;
    v1::TradingDynamic dynamic;
    std::string value;  ///< as JSON; empty: undefined
  };
  /// evalDP of each, at once. `done` runs once, after the budget at the latest: what is not there
  /// then is undefined. An evaluator that failed three times in a row is not asked for a second.
  void evaluate(std::vector<Evaluation> evaluations,
                std::function<void(std::vector<Evaluation>)> done);

  /// False: a query of that id has been here.
  bool is_new(const std::string& request_id) { return seen_.is_new(request_id); }

 private:
  bool is_broken(const std::string& evaluator);
  void note(const std::string& evaluator, bool failed);
  const ServiceContext context_;
  state::Peers traders_, evaluators_;
  std::mutex mutex_;
  state::Seen<std::string> seen_;
  struct Breaker {
    int failures = 0;
    TimePoint until;
  };
  std::map<std::string, Breaker> breakers_;
};

}  // namespace hector::trading
