#include "search.h"

#include <fmt/format.h>

#include <algorithm>

#include "state/answer.h"

namespace hector::trading {

using state::refuse;

namespace {

/// An offer with what its evaluators said.
v1::TradingOffer with_dynamic(const Search& search, const Offer& offer) {
  auto model = model_of(offer);
  if (const auto said = search.dynamic.find(model.id()); said != search.dynamic.end()) {
    for (const auto& [name, value] : said->second) (*model.mutable_properties())[name] = value;
  }
  return model;
}

}  // namespace

v1::TradingOffer model_of(const Offer& offer) {
  v1::TradingOffer model;
  static_cast<void>(model.ParseFromArray(offer.model.data(), static_cast<int>(offer.model.size())));
  return model;
}

void Searches::start(Call& call, const v1::TradingQuery& query, Done done) {
  auto search = std::make_shared<Search>(Search{call, query, std::move(done), {}, {}});
  std::vector<Federation::Evaluation> evaluations;
  std::vector<Federation::Question> started;
  {
    const auto lock = replica_.read();
    auto plan = plan_of(offers_, query);
    if (!plan) return call.fail(std::move(plan.error()));
    search->plan = std::move(*plan);
    auto& asks = search->plan.asks;
    if (!asks.starting_trader.empty()) {
      auto question = start_there(query, asks);
      if (!question) return call.fail(std::move(question.error()));
      started.push_back(std::move(*question));
    } else {
      evaluations = dynamic_of(*search);
    }
  }
  if (!started.empty()) {
    return federation_.ask(std::move(started), call.header.deadline,
                           [this, search](Federation::Found found) {
                             search->offers = std::move(found.offers);
                             search->limits = std::move(found.limits);
                             search->failed = std::move(found.failed);
                             finish(search);
                           });
  }
  if (const auto& id = search->plan.asks.request_id; !id.empty() && !federation_.is_new(id))
    return search->done(*search);
  federation_.evaluate(std::move(evaluations),
                       [this, search](const std::vector<Federation::Evaluation>& told) {
                         for (const auto& each : told) {
                           if (!each.value.empty())
                             search->dynamic[each.offer][each.property] = each.value;
                         }
                         go_on(search);
                       });
}

/// Only what lies behind those links is asked for.
Result<Federation::Question> Searches::start_there(const v1::TradingQuery& query,
                                                   const ImporterPolicies& asks) const {
  auto link = trading::describe_link(offers_, asks.starting_trader.front());
  if (!link)
    return refuse("InvalidPolicyValue", fmt::format("starting_trader: {}", link.error().message));
  auto target = HECTOR_TRY(Reference::parse(link->target().SerializeAsString()));
  v1::TradingQuery next = query;
  std::string rest;
  for (std::size_t i = 1; i < asks.starting_trader.size(); ++i)
    rest += (i > 1 ? "/" : "") + asks.starting_trader[i];
  if (rest.empty())
    next.mutable_policies()->erase("starting_trader");
  else
    (*next.mutable_policies())["starting_trader"] = rest;
  next.set_how_many(0);
  return Federation::Question{link->name(), target.text(), std::move(next)};
}

/// What the constraint and the preference ask of dynamic properties.
std::vector<Federation::Evaluation> Searches::dynamic_of(const Search& search) const {
  std::vector<Federation::Evaluation> all;
  if (!search.plan.asks.uses_dynamic || offers_.attributes().no_dynamic_properties()) return all;
  std::set<std::string> names(search.plan.constraint.tree().names.begin(),
                              search.plan.constraint.tree().names.end());
  names.insert(search.plan.preference.program.tree().names.begin(),
               search.plan.preference.program.tree().names.end());
  for (const auto* type : offers_.scope(search.query.type(), search.plan.is_exact)) {
    for (const auto number : type->dynamic) {
      const auto model = model_of(*type->offers.at(number));
      for (const auto& [name, dynamic] : model.dynamic()) {
        if (names.contains(name) && all.size() < Federation::kEvaluationsMax)
          all.push_back({model.id(), name, dynamic, {}});
      }
    }
  }
  return all;
}

/// One by one in the order of export, for what no index knows.
void Searches::scan(Search& search, const std::vector<const Type*>& scope) const {
  std::vector<const Offer*> all;
  for (const auto* type : scope) {
    for (const auto& [number, offer] : type->offers) all.push_back(offer.get());
  }
  std::sort(all.begin(), all.end(),
            [](const Offer* a, const Offer* b) { return a->number < b->number; });
  const auto& cards = search.plan.cards;
  if (all.size() > cards.search) {
    all.resize(cards.search);
    search.limits.emplace_back("search_card");
  }
  const auto& names = search.plan.constraint.tree().names;
  for (const auto* offer : all) {
    auto model = with_dynamic(search, *offer);
    Names scratch;
    auto values = Properties::of(model.properties(), scratch);
    if (!values) continue;
    std::vector<Value> slots;
    for (const auto& name : names) slots.push_back(values->get(scratch.find(name)));
    if (!search.plan.constraint.matches(slots)) continue;
    if (search.offers.size() >= cards.match) {
      search.limits.emplace_back("match_card");
      break;
    }
    search.offers.push_back(std::move(model));
  }
  order_offers(search.offers, search.plan.preference, random_);
}

void Searches::go_on(const SearchPtr& search) {
  std::vector<Federation::Question> questions;
  std::string id = search->plan.asks.request_id;
  {
    const auto lock = replica_.read();
    const auto scope = offers_.scope(search->query.type(), search->plan.is_exact);
    if (std::any_of(scope.begin(), scope.end(),
                    [](const Type* type) { return !type->dynamic.empty(); })) {
      scan(*search, scope);
    } else {
      Cards cards = search->plan.cards;
      cards.result = std::min<std::uint32_t>(cards.result, kFoundMax);
      const Answer found =
          offers_.query(scope, search->plan.constraint, search->plan.preference, cards, random_);
      for (const auto* offer : found.offers) search->offers.push_back(model_of(*offer));
      search->limits = found.limits_applied;
    }
    if (id.empty())
      id = fmt::format("{}:{:016x}",
                       offers_.attributes().request_id_stem().empty()
                           ? stem_
                           : offers_.attributes().request_id_stem(),
                       random_.next());
    for (const auto& step : steps_of(offers_, search->plan.asks, !search->offers.empty()))
      questions.push_back({step.link, step.target, onward(search->query, step, id)});
    add_proxies(*search, scope, id, questions);
  }
  if (questions.empty()) return finish(search);
  static_cast<void>(federation_.is_new(id));
  federation_.ask(
      std::move(questions), search->call.header.deadline, [this, search](Federation::Found found) {
        for (auto& offer : found.offers) search->offers.push_back(std::move(offer));
        search->limits.insert(search->limits.end(), found.limits.begin(), found.limits.end());
        search->failed = std::move(found.failed);
        order_offers(search->offers, search->plan.preference, random_);
        finish(search);
      });
}

void Searches::add_proxies(const Search& search, const std::vector<const Type*>& scope,
                           const std::string& id,
                           std::vector<Federation::Question>& questions) const {
  const auto& asks = search.plan.asks;
  if (!asks.uses_proxies || offers_.attributes().no_proxy_offers() || asks.hops.value_or(1) == 0)
    return;
  Slots slots(search.plan.constraint, offers_.names());
  for (const auto* type : scope) {
    for (const auto& [number, offer] : type->proxies) {
      const auto model = model_of(*offer);
      if (!model.proxy().if_match_all() && !search.plan.constraint.matches(slots.of(*offer)))
        continue;
      auto recipe =
          follow_recipe(model.proxy().recipe(), search.query.constraint(), model.properties());
      auto target = Reference::parse(model.proxy().target().SerializeAsString());
      if (!recipe || !target) continue;
      Step step{model.id(), target->text(), asks.rule.value_or(Follow::kIfNoLocal),
                asks.hops.value_or(5) - 1};
      auto query = onward(search.query, step, id);
      query.set_constraint(*recipe);
      for (const auto& [name, value] : model.proxy().policies_to_pass_on())
        (*query.mutable_policies())[name] = value;
      questions.push_back({model.id(), target->text(), std::move(query)});
    }
  }
}

/// Cuts, lets the evaluators say what is desired of those that are given, and answers.
void Searches::finish(const SearchPtr& search) {
  if (search->offers.size() > search->plan.cards.result) {
    search->offers.resize(search->plan.cards.result);
    search->limits.emplace_back("return_card");
  }
  std::vector<Federation::Evaluation> evaluations;
  const auto& desired = search->query.desired();
  const bool is_asked = search->plan.asks.uses_dynamic && !search->query.no_properties();
  for (const auto& offer : search->offers) {
    for (const auto& [name, dynamic] : offer.dynamic()) {
      if (!is_asked || offer.properties().contains(name) ||
          evaluations.size() >= Federation::kEvaluationsMax)
        continue;
      if (desired.empty() || std::find(desired.begin(), desired.end(), name) != desired.end())
        evaluations.push_back({offer.id(), name, dynamic, {}});
    }
  }
  federation_.evaluate(
      std::move(evaluations), [this, search](const std::vector<Federation::Evaluation>& told) {
        for (const auto& each : told) {
          const auto found =
              std::find_if(search->offers.begin(), search->offers.end(),
                           [&](const auto& offer) { return offer.id() == each.offer; });
          if (found != search->offers.end() && !each.value.empty())
            (*found->mutable_properties())[each.property] = each.value;
        }
        search->done(*search);
      });
}

}  // namespace hector::trading
