#include "federation.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "hector/check.h"
#include "hector/message_calls.h"

namespace hector::trading {

namespace {

constexpr std::size_t kBreakersMax = 10'000;  ///< Traders; above it all are forgotten
constexpr int kFailuresMax = 3;               ///< in a row; then it is not asked for a while
/// A Trader that came back is asked again soon.
constexpr Duration kBrokenFor = std::chrono::seconds(1);

}  // namespace

void Federation::ask(std::vector<Question> questions, Deadline deadline,
                     std::function<void(Found)> done) {
  struct Gathering {
    std::mutex mutex;
    std::vector<v1::TradingOffers> answers;
    std::vector<std::string> failed;
    std::size_t left;
    std::function<void(Found)> done;
  };
  if (questions.empty()) return done({});
  auto gathering = std::make_shared<Gathering>();
  gathering->answers.resize(questions.size());
  gathering->left = questions.size();
  gathering->done = std::move(done);
  const auto finish = [gathering](std::size_t at, Result<v1::TradingOffers> answer,
                                  const std::string& name) {
    std::unique_lock lock(gathering->mutex);
    if (answer)
      gathering->answers[at] = std::move(*answer);
    else if (answer.error().type != "UnknownServiceType")
      gathering->failed.push_back(fmt::format("{}: {}", name, answer.error().message));
    HECTOR_CHECK(gathering->left > 0, "more traders answered than were asked");
    if (--gathering->left > 0) return;
    lock.unlock();
    Found found;
    found.failed = std::move(gathering->failed);
    for (auto& each : gathering->answers) {
      for (auto& offer : *each.mutable_offers()) found.offers.push_back(std::move(offer));
      for (auto& limit : *each.mutable_limits_applied()) found.limits.push_back(std::move(limit));
      for (auto& failed : *each.mutable_failed_links()) found.failed.push_back(std::move(failed));
    }
    gathering->done(std::move(found));
  };
  const Deadline until = std::min(deadline, context_.clock->now() + kTraderAnswersWithin);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    context_.run_blocking([this, i, question = std::move(questions[i]), finish, until] {
      const auto target = traders_.at(question.target);
      if (!target) return finish(i, fail(target.error()), question.name);
      auto& call = CallbackCall::make(
          [this, i, finish, name = question.name, text = question.target](Call& answered) {
            if (!answered.error)
              return finish(i, read_message<v1::TradingOffers>(answered.reply), name);
            if (answered.error->code == Code::kUnavailable) traders_.forget(text);
            finish(i, fail(*answered.error), name);
          });
      call.header.operation = kByName;
      call.header.operation_name = "query";
      call.header.deadline = until;
      call.request = write_message(question.query);
      (*target)->start(call);
    });
  }
}

bool Federation::is_broken(const std::string& evaluator) {
  const std::lock_guard lock(mutex_);
  const auto found = breakers_.find(evaluator);
  return found != breakers_.end() && found->second.failures >= kFailuresMax &&
         context_.clock->now() < found->second.until;
}
void Federation::note(const std::string& evaluator, bool failed) {
  const std::lock_guard lock(mutex_);
  if (!failed) {
    breakers_.erase(evaluator);
    return;
  }
  if (breakers_.size() >= kBreakersMax) breakers_.clear();
  auto& breaker = breakers_[evaluator];
  ++breaker.failures;
  breaker.until = context_.clock->now() + kBrokenFor;
}

void Federation::evaluate(std::vector<Evaluation> evaluations,
                          std::function<void(std::vector<Evaluation>)> done) {
  struct Gathering {
    std::mutex mutex;
    std::vector<Evaluation> evaluations;
    std::size_t left = 0;
    std::function<void(std::vector<Evaluation>)> done;  // empty: it has run
    void finish(std::unique_lock<std::mutex> lock) {
      if (!done) return;
      auto told = std::move(evaluations);
      auto then = std::exchange(done, nullptr);
      lock.unlock();
      then(std::move(told));
    }
  };
  if (evaluations.empty()) return done({});
  auto gathering = std::make_shared<Gathering>();
  gathering->evaluations = evaluations;
  gathering->left = evaluations.size();
  gathering->done = std::move(done);
  const auto settle = [gathering](std::size_t at, const std::string& value) {
    std::unique_lock lock(gathering->mutex);
    if (gathering->done) gathering->evaluations[at].value = value;
    HECTOR_CHECK(gathering->left > 0, "more evaluators answered than were asked");
    if (--gathering->left == 0) gathering->finish(std::move(lock));
  };
  const TimePoint until = context_.clock->now() + kEvaluationBudget;
  context_.executor->at(until,
                        [gathering] { gathering->finish(std::unique_lock(gathering->mutex)); });
  context_.run_blocking([this, evaluations = std::move(evaluations), settle, until] {
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
      auto reference = Reference::parse(evaluations[i].dynamic.evaluator().SerializeAsString());
      const std::string text = reference ? reference->text() : "";
      if (text.empty() || is_broken(text)) {
        settle(i, "");
        continue;
      }
      const auto target = evaluators_.at(text);
      if (!target) {
        note(text, true);
        settle(i, "");
        continue;
      }
      auto& call = CallbackCall::make([this, i, settle, text](Call& answered) {
        auto value = answered.error ? Result<v1::TradingAny>(fail(*answered.error))
                                    : read_message<v1::TradingAny>(answered.reply);
        if (!value) evaluators_.forget(text);
        note(text, !value);
        settle(i, value ? value->value() : "");
      });
      v1::TradingEvaluation request;
      request.set_name(evaluations[i].property);
      request.set_returned_type(evaluations[i].dynamic.returned_type());
      request.set_extra_info(evaluations[i].dynamic.extra_info());
      call.header.operation = kByName;
      call.header.operation_name = "evalDP";
      call.header.deadline = until;
      call.request = write_message(request);
      (*target)->start(call);
    }
  });
}

}  // namespace hector::trading
