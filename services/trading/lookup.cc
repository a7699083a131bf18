// What: Lookup, the queries that this Trader answers from its own offers, and why it answers so.
// Why: no call, no lock and no store: a query is a function of the offers and the request.
// Who: the Trading servant.
#include "lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"
#include "search.h"

namespace hector::trading {

using expression::Program;

namespace {

constexpr std::size_t kExplainedMax = 1'000;  ///< offers that an explanation looks at

const char* truth_of(const Value& value) {
  if (value.kind != expression::Kind::kBoolean) return "undefined";
  return value.boolean ? "TRUE" : "FALSE";
}

/// The conjuncts of the constraint, each as a program of its own.
std::vector<Program> parts_of(const Program& constraint) {
  std::vector<Program> parts;
  if (constraint.is_always()) return parts;
  for (const auto id : constraint.tree().conjuncts()) {
    expression::Tree part = constraint.tree();
    part.root = id;
    expression::CompileOptions options;
    options.result = expression::Kind::kUndefined;
    if (auto program = Program::compile(std::move(part), options))
      parts.push_back(std::move(*program));
  }
  return parts;
}

std::string explained(const Program& part, const std::vector<Value>& slots) {
  HECTOR_CHECK(slots.size() <= part.tree().names.size(), "a value has no name");
  std::string with;
  for (std::size_t i = 0; i < slots.size(); ++i)
    with += fmt::format("{}{} is {}", i == 0 ? "" : ", ", part.tree().names[i],
                        slots[i].is_defined() ? expression::print(slots[i]) : "not there");
  return fmt::format("{}: {}{}", expression::print(part.tree(), part.tree().root),
                     truth_of(part.run(slots)), with.empty() ? "" : " (" + with + ")");
}

using Places = std::map<const Offer*, std::uint32_t>;
Places places_of(const Answer& found) {
  Places places;
  for (const auto* offer : found.offers)
    places.emplace(offer, static_cast<std::uint32_t>(places.size() + 1));
  return places;
}

/// Those found in their order, then the others in the order of their export.
std::vector<const Offer*> in_order(const std::vector<const Type*>& scope, const Places& places) {
  std::vector<const Offer*> all;
  for (const auto* type : scope) {
    for (const auto& [number, offer] : type->offers) {
      if (all.size() < kExplainedMax) all.push_back(offer.get());
    }
  }
  const auto place = [&](const Offer* offer) {
    const auto found = places.find(offer);
    return found == places.end() ? UINT32_MAX : found->second;
  };
  std::sort(all.begin(), all.end(), [&](const Offer* a, const Offer* b) {
    return std::pair(place(a), a->number) < std::pair(place(b), b->number);
  });
  return all;
}

}  // namespace

void trim(const v1::TradingQuery& query, v1::TradingOffer& offer) {
  if (query.no_properties()) offer.clear_properties();
  if (query.desired_size() == 0) return;
  auto& properties = *offer.mutable_properties();
  for (auto at = properties.begin(); at != properties.end();) {
    const auto& desired = query.desired();
    if (std::find(desired.begin(), desired.end(), at->first) == desired.end())
      at = properties.erase(at);
    else
      ++at;
  }
}

Result<v1::TradingOffers> Lookup::query(const v1::TradingQuery& query, Page page) const {
  const auto plan = HECTOR_TRY(plan_of(offers_, query));
  const std::uint32_t most = plan.cards.result;
  const std::size_t wanted =
      std::min<std::size_t>(most, page.skip + (page.how_many == 0 ? most : page.how_many));
  Cards cards = plan.cards;
  cards.result = static_cast<std::uint32_t>(std::min<std::size_t>(wanted + 1, UINT32_MAX));
  const Answer found = offers_.query(offers_.scope(query.type(), plan.is_exact), plan.constraint,
                                     plan.preference, cards, random_);
  v1::TradingOffers reply;
  for (std::size_t i = page.skip; i < std::min(wanted, found.offers.size()); ++i) {
    auto& offer = *reply.add_offers();
    offer = model_of(*found.offers[i]);
    trim(query, offer);
  }
  for (const auto& limit : found.limits_applied) reply.add_limits_applied(limit);
  if (found.offers.size() <= wanted) return reply;
  if (wanted == most)
    reply.add_limits_applied("return_card");
  else
    reply.set_left(1);
  return reply;
}

bool Lookup::needs_others(const v1::TradingQuery& query) const {
  if (!offers_.links().empty() || query.policies().contains("request_id") ||
      query.policies().contains("starting_trader"))
    return true;
  const auto types = offers_.scope(query.type(), false);
  return std::any_of(types.begin(), types.end(), [](const Type* type) {
    return !type->proxies.empty() || !type->dynamic.empty();
  });
}

void Lookup::explain_offer(const Plan& plan, const std::vector<Program>& parts, const Offer& offer,
                           v1::TradingVerdict& verdict) const {
  for (const auto& part : parts) {
    Slots asked(part, offers_.names());
    verdict.add_reasons(explained(part, asked.of(offer)));
  }
  verdict.set_matches(plan.constraint.matches(Slots(plan.constraint, offers_.names()).of(offer)));
  Slots ranked(plan.preference.program, offers_.names());
  const Value rank = rank_of(plan.preference, offer, ranked);
  if (!plan.preference.program.is_always())
    verdict.set_rank(rank.is_defined() ? expression::print(rank) : "cannot be evaluated: last");
}

Result<v1::TradingExplanation> Lookup::explain(const v1::TradingQuery& asked) const {
  const auto plan = HECTOR_TRY(plan_of(offers_, asked));
  const auto parts = parts_of(plan.constraint);
  const auto scope = offers_.scope(asked.type(), plan.is_exact);
  const Answer found = offers_.query(scope, plan.constraint, plan.preference, plan.cards, random_);
  v1::TradingExplanation reply;
  reply.set_plan(found.plan);
  reply.set_candidates(found.looked_at);
  for (const auto* type : scope) reply.set_offers(reply.offers() + type->offers.size());
  const auto places = places_of(found);
  for (const auto* offer : in_order(scope, places)) {
    auto& verdict = *reply.add_verdicts();
    const auto model = model_of(*offer);
    verdict.set_id(model.id());
    verdict.set_object(model.reference().object());
    explain_offer(plan, parts, *offer, verdict);
    if (const auto place = places.find(offer); place != places.end())
      verdict.set_place(place->second);
    else if (verdict.matches())
      verdict.add_reasons("it matches, and a card cut it off");
  }
  return reply;
}

}  // namespace hector::trading
