// What: the embedded provider of Trading (OMG formal/00-06-27, ISO/IEC 13235-1): service types,
// offers, queries, on the store. Why: roles are filled by what Objects offer. Who: loaded by
// capsules whose configuration says `trading: embedded`.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <mutex>

#include "hector/message_calls.h"
#include "hector/plugin.h"
#include "hector/table_servant.h"
#include "search.h"
#include "state/answer.h"
#include "state/feed.h"
#include "state/leases.h"

namespace {

using namespace hector;
using namespace hector::trading;
using expression::CompileOptions;
using expression::Preference;
using expression::Program;
using state::refuse;

constexpr std::size_t kOffersMax = 4'000'000;
constexpr std::size_t kPropertiesMax = 100;
constexpr std::size_t kIteratorsMax = 1'000;
constexpr std::size_t kScratchNamesMax = 10'000;
constexpr std::size_t kExplainedMax = 1'000;
constexpr std::uint32_t kListMax = 10'000;
constexpr std::uint32_t kWatchedMax = 1'000;  // of a watched query
constexpr std::size_t kWatchesMax = 100;
constexpr Duration kIteratorLives = std::chrono::minutes(1);

bool is_readonly(v1::TradingMode mode) {
  return mode == v1::TRADING_READONLY || mode == v1::TRADING_MANDATORY_READONLY;
}
bool is_mandatory(v1::TradingMode mode) {
  return mode == v1::TRADING_MANDATORY || mode == v1::TRADING_MANDATORY_READONLY;
}

class Trader final : public Service {
 public:
  explicit Trader(const ServiceContext& context)
      : clock_(*context.clock),
        random_(*context.random),
        replica_({context.store, context.clock, context.executor, context.log}, "tr/", offers_),
        leases_(*context.store, "tr-leases/"),
        searches_(context, offers_, replica_),
        servant_({[this](Call& call) { export_offer(call); },
                  [this](Call& call) { withdraw(call); },
                  [this](Call& call) { query(call); },
                  [this](Call& call) { describe(call); },
                  [this](Call& call) { modify(call); },
                  [this](Call& call) { withdraw_using_constraint(call); },
                  [this](Call& call) { next_offers(call); },
                  [this](Call& call) { explain(call); },
                  [this](Call& call) { add_type(call); },
                  [this](Call& call) { remove_type(call); },
                  [this](Call& call) { list_types(call); },
                  [this](Call& call) { describe_type(call, false); },
                  [this](Call& call) { describe_type(call, true); },
                  [this](Call& call) { mask_type(call, true); },
                  [this](Call& call) { mask_type(call, false); },
                  [this](Call& call) { get_attributes(call); },
                  [this](Call& call) { set_attributes(call); },
                  [this](Call& call) { list_offers(call); },
                  [this](Call& call) { state::open_lease<v1::TradingLease>(leases_, call); },
                  [this](Call& call) {
                    state::with_lease<v1::TradingLease, &state::Leases::renew>(leases_, call);
                  },
                  [this](Call& call) {
                    state::with_lease<v1::TradingLease, &state::Leases::close>(leases_, call);
                  },
                  [this](Call& call) { change_link(call, add_link); },
                  [this](Call& call) { remove_link(call); },
                  [this](Call& call) { describe_link(call); },
                  [this](Call& call) { list_links(call); },
                  [this](Call& call) { change_link(call, modify_link); },
                  [this](Call& call) { export_offer(call); },
                  [this](Call& call) { withdraw(call, true); },
                  [this](Call& call) { describe(call, true); },
                  [this](Call& call) { list_proxies(call); },
                  [this](Call& call) { resolve(call); },
                  [this](Call& call) { watch(call); }}) {
    offers_.on_change = [this](Revision revision) { tell_watches(revision); };
  }
  Status start() {
    auto started = replica_.start();
    next_ = offers_.highest();
    return started;
  }
  std::string interface_id() const override { return "hector.Trading/1"; }
  Servant& servant() override { return servant_; }

 private:
  // --- Register
  // --------------------------------------------------------------------------------------------

  Status check_properties(const v1::TradingOffer& offer, const Type* type) {
    if (offer.properties_size() > static_cast<int>(kPropertiesMax))
      return refuse("IllegalPropertyName",
                    fmt::format("an offer may have {} properties", kPropertiesMax));
    for (const auto& [name, value] : offer.properties()) {
      if (!is_property_name(name))
        return refuse(
            "IllegalPropertyName",
            fmt::format("'{}': a property is a letter, then letters, digits and '_'", name));
    }
    if (scratch_names_.size() > kScratchNamesMax) scratch_names_ = {};
    for (const auto& [name, dynamic] : offer.dynamic()) {
      if (!is_property_name(name))
        return refuse(
            "IllegalPropertyName",
            fmt::format("'{}': a property is a letter, then letters, digits and '_'", name));
      if (offer.properties().contains(name))
        return refuse("DuplicatePropertyName",
                      fmt::format("'{}' is given a value and an evaluator", name));
      if (dynamic.evaluator().profiles().empty())
        return refuse("InvalidObjectRef", fmt::format("the evaluator of '{}' leads nowhere", name));
      if (!is_property_type(dynamic.returned_type()))
        return refuse("PropertyTypeMismatch", fmt::format("the returned type of '{}' is none: '{}'",
                                                          name, dynamic.returned_type()));
    }
    auto values = HECTOR_TRY(Properties::of(offer.properties(), scratch_names_));
    if (type == nullptr || !type->is_declared) return {};
    for (const auto& property : offers_.all_properties(type->model)) {
      const auto given = offer.properties().find(property.name());
      if (const auto dynamic = offer.dynamic().find(property.name());
          dynamic != offer.dynamic().end()) {
        if (is_readonly(property.mode()))
          return refuse(
              "ReadonlyDynamicProperty",
              fmt::format("'{}' of service type '{}' cannot change, so it cannot be dynamic",
                          property.name(), type->model.name()));
        if (dynamic->second.returned_type() != property.type())
          return refuse(
              "PropertyTypeMismatch",
              fmt::format("'{}' of service type '{}' is a {}, not {}", property.name(),
                          type->model.name(), property.type(), dynamic->second.returned_type()));
        continue;
      }
      if (given == offer.properties().end()) {
        if (is_mandatory(property.mode()))
          return refuse("MissingMandatoryProperty",
                        fmt::format("'{}' of service type '{}' must be given", property.name(),
                                    type->model.name()));
        continue;
      }
      if (!fits(values.get(scratch_names_.find(property.name())), property.type())) {
        return refuse("PropertyTypeMismatch",
                      fmt::format("'{}' of service type '{}' is a {}, not {}", property.name(),
                                  type->model.name(), property.type(), given->second));
      }
    }
    return {};
  }

  void export_offer(Call& call) {
    state::change<v1::TradingOffer, v1::TradingOfferId>(
        replica_, call,
        [this](const v1::TradingOffer& asked,
               v1::TradingOfferId& reply) -> Result<StoreTransaction> {
          auto type = HECTOR_TRY(known_type(offers_, asked.type()));
          if (type != nullptr && type->model.masked())
            return refuse(
                "UnknownServiceType",
                fmt::format("'{}' is masked: it takes no new offers, those that are there stay",
                            asked.type()),
                Code::kFailedPrecondition);
          if (asked.has_proxy()) {
            if (asked.proxy().target().profiles().empty())
              return refuse("InvalidLookupRef", "the proxy's target leads nowhere");
            if (auto recipe = follow_recipe(asked.proxy().recipe(), "TRUE", asked.properties());
                !recipe)
              return fail(recipe.error());
          } else if (asked.reference().profiles().empty() && asked.reference().offer() == 0 &&
                     asked.reference().object().empty())
            return refuse("InvalidObjectRef", "the reference leads nowhere");
          if (type != nullptr && !asked.has_proxy() && !type->model.interface().empty() &&
              type->model.interface() != asked.reference().interface_id()) {
            return refuse(
                "InterfaceTypeMismatch",
                fmt::format("offers of '{}' have the Interface {}, this reference has '{}'",
                            asked.type(), type->model.interface(),
                            asked.reference().interface_id()));
          }
          {
            const std::lock_guard lock(scratch_mutex_);
            if (auto fit = check_properties(asked, type); !fit) return fail(fit.error());
          }
          if (offers_.size() >= kOffersMax)
            return refuse("RESOURCE_EXHAUSTED",
                          fmt::format("the Trader holds {} offers, its limit", kOffersMax),
                          Code::kResourceExhausted);
          v1::TradingOffer offer = asked;
          offer.set_id(fmt::format("{}#{}", asked.type(), ++next_));
          reply.set_id(offer.id());
          const std::string key = "o/" + offer.id();
          StoreTransaction transaction;
          transaction.compares.push_back(StoreCompare::absent(key));
          transaction.then.push_back(StoreOperation::put(
              key, Bytes::take(offer.SerializeAsString()), static_cast<LeaseId>(offer.lease())));
          return transaction;
        });
  }

  Result<const Offer*> known_offer(const std::string& id) const {
    const Offer* offer = offers_.find(id);
    if (offer != nullptr) return offer;
    if (id.find('#') == std::string::npos)
      return refuse("IllegalOfferId", fmt::format("'{}' is no offer's id", id));
    return refuse("UnknownOfferId", fmt::format("'{}' was withdrawn, or never was", id),
                  Code::kNotFound);
  }
  static bool is_proxy(const Offer& offer) { return offer.type->proxies.contains(offer.number); }
  /// Offers and proxy offers have operations of their own.
  Result<const Offer*> known_offer(const std::string& id, bool proxy) const {
    auto known = known_offer(id);
    if (!known || is_proxy(**known) == proxy) return known;
    if (proxy) return refuse("NotProxyOfferId", fmt::format("'{}' is an ordinary offer", id));
    return refuse("ProxyOfferId",
                  fmt::format("'{}' is a proxy offer: withdraw_proxy, describe_proxy", id));
  }

  void withdraw(Call& call, bool proxy = false) {
    state::change<v1::TradingOfferId, v1::TradingOfferId>(
        replica_, call,
        [this, proxy](const v1::TradingOfferId& asked,
                      v1::TradingOfferId& reply) -> Result<StoreTransaction> {
          HECTOR_TRY(known_offer(asked.id(), proxy));
          reply = asked;
          StoreTransaction transaction;
          transaction.then.push_back(StoreOperation::erase("o/" + asked.id()));
          return transaction;
        });
  }
  void describe(Call& call, bool proxy = false) {
    answer<v1::TradingOfferId>(call,
                               [&](const v1::TradingOfferId& asked) -> Result<v1::TradingOffer> {
                                 const auto lock = replica_.read();
                                 auto known = HECTOR_TRY(known_offer(asked.id(), proxy));
                                 return model_of(*known);
                               });
  }

  /// Atomic: what is wrong with one property leaves all as they were.
  void modify(Call& call) {
    state::change<v1::TradingModify, v1::TradingOfferId>(
        replica_, call,
        [this](const v1::TradingModify& asked,
               v1::TradingOfferId& reply) -> Result<StoreTransaction> {
          if (offers_.attributes().no_modifiable_properties())
            return refuse("NotImplemented",
                          "this trader modifies no offers; withdraw it and export it again",
                          Code::kUnimplemented);
          auto known = HECTOR_TRY(known_offer(asked.id(), false));
          v1::TradingOffer offer = model_of(*known);
          const v1::TradingOffer was = offer;
          std::map<std::string, v1::TradingMode> modes;
          if (known->type->is_declared) {
            for (const auto& property : offers_.all_properties(known->type->model))
              modes[property.name()] = property.mode();
          }
          for (const auto& name : asked.deleted()) {
            if (was.dynamic().contains(name) && !is_mandatory(modes[name])) {
              offer.mutable_dynamic()->erase(name);
              continue;
            }
            if (asked.modified().contains(name))
              return refuse("DuplicatePropertyName",
                            fmt::format("'{}' is both deleted and modified", name));
            if (!was.properties().contains(name))
              return refuse("UnknownPropertyName", fmt::format("the offer has no '{}'", name),
                            Code::kNotFound);
            if (is_mandatory(modes[name]))
              return refuse("MandatoryProperty", fmt::format("'{}' must stay", name),
                            Code::kFailedPrecondition);
            if (is_readonly(modes[name]))
              return refuse("ReadonlyProperty",
                            fmt::format("'{}' cannot change once it is set", name),
                            Code::kFailedPrecondition);
            offer.mutable_properties()->erase(name);
          }
          for (const auto& [name, value] : asked.modified()) {
            if (is_readonly(modes[name]) && was.properties().contains(name))
              return refuse("ReadonlyProperty",
                            fmt::format("'{}' cannot change once it is set", name),
                            Code::kFailedPrecondition);
            offer.mutable_dynamic()->erase(name);
            (*offer.mutable_properties())[name] = value;
          }
          {
            const std::lock_guard lock(scratch_mutex_);
            if (auto fit = check_properties(offer, known->type); !fit) return fail(fit.error());
          }
          reply.set_id(asked.id());
          StoreTransaction transaction;
          const std::string key = "o/" + asked.id();
          transaction.compares.push_back({key, StoreCompare::Field::kValue,
                                          StoreCompare::Relation::kEqual, 0, known->model.str()});
          transaction.then.push_back(StoreOperation::put(
              key, Bytes::take(offer.SerializeAsString()), static_cast<LeaseId>(offer.lease())));
          return transaction;
        });
  }

  void withdraw_using_constraint(Call& call) {
    state::change<v1::TradingSelection, v1::TradingWithdrawn>(
        replica_, call,
        [this](const v1::TradingSelection& asked,
               v1::TradingWithdrawn& reply) -> Result<StoreTransaction> {
          constexpr std::uint32_t kTogether = 90;  // a transaction's limit
          auto type = HECTOR_TRY(known_type(offers_, asked.type()));
          auto constraint = HECTOR_TRY(expression::compile_constraint(
              asked.constraint(), options_for(offers_, type, expression::Undefined::kKleene)));
          const auto found = offers_.query(offers_.scope(asked.type(), true), constraint, {},
                                           {UINT32_MAX, UINT32_MAX, kTogether + 1}, random_);
          if (found.offers.empty())
            return refuse(
                "NoMatchingOffers",
                fmt::format("no offer of '{}' matches '{}'", asked.type(), asked.constraint()),
                Code::kNotFound);
          if (found.offers.size() > kTogether)
            return refuse(
                "RESOURCE_EXHAUSTED",
                fmt::format(
                    "more than {} offers match; withdraw them in parts, nothing was withdrawn",
                    kTogether),
                Code::kResourceExhausted);
          StoreTransaction transaction;
          for (const auto* offer : found.offers)
            transaction.then.push_back(StoreOperation::erase(
                fmt::format("o/{}#{}", offer->type->model.name(), offer->number)));
          reply.set_count(static_cast<std::uint32_t>(found.offers.size()));
          return transaction;
        });
  }

  // --- Lookup
  // --------------------------------------------------------------------------------------------

  static void show(const v1::TradingQuery& query, const Offer& offer, v1::TradingOffer& out) {
    static_cast<void>(out.ParseFromArray(offer.model.data(), static_cast<int>(offer.model.size())));
    trim(query, out);
  }
  static void trim(const v1::TradingQuery& query, v1::TradingOffer& out) {
    if (query.no_properties()) out.clear_properties();
    if (query.desired_size() == 0) return;
    auto& properties = *out.mutable_properties();
    for (auto at = properties.begin(); at != properties.end();) {
      if (std::find(query.desired().begin(), query.desired().end(), at->first) ==
          query.desired().end())
        at = properties.erase(at);
      else
        ++at;
    }
  }

  /// `given` of the answer were given before.
  Result<v1::TradingOffers> run(const v1::TradingQuery& query, std::uint32_t how_many,
                                std::size_t given) const {
    const Revision revision = replica_.revision();
    const auto lock = replica_.read();
    auto plan = HECTOR_TRY(plan_of(offers_, query));
    const std::uint32_t most = plan.cards.result;
    const std::size_t wanted =
        std::min<std::size_t>(most, given + (how_many == 0 ? most : how_many));
    Cards cards = plan.cards;
    cards.result = static_cast<std::uint32_t>(std::min<std::size_t>(wanted + 1, UINT32_MAX));
    const Answer found = offers_.query(offers_.scope(query.type(), plan.is_exact), plan.constraint,
                                       plan.preference, cards, random_);
    v1::TradingOffers reply;
    for (std::size_t i = given; i < std::min(wanted, found.offers.size()); ++i)
      show(query, *found.offers[i], *reply.add_offers());
    for (const auto& limit : found.limits_applied) reply.add_limits_applied(limit);
    if (found.offers.size() > wanted) {
      if (wanted == most)
        reply.add_limits_applied("return_card");
      else
        reply.set_left(1);
    }
    reply.set_revision(revision);
    return reply;
  }

  /// Whether an answer needs anybody else: linked traders, proxies' targets, evaluators.
  bool is_wide(const v1::TradingQuery& query) const {
    const auto lock = replica_.read();
    if (!offers_.links().empty() || query.policies().contains("request_id") ||
        query.policies().contains("starting_trader"))
      return true;
    const auto types = offers_.scope(query.type(), false);
    return std::any_of(types.begin(), types.end(), [](const Type* type) {
      return !type->proxies.empty() || !type->dynamic.empty();
    });
  }

  void query(Call& call) {
    auto read = read_message<v1::TradingQuery>(call.request);
    if (!read) return call.fail(std::move(read.error()));
    if (is_wide(*read))
      return searches_.start(call.defer(), *read, [this](Search& found) { give(found); });
    auto reply = local(*read);
    if (!reply) return call.fail(std::move(reply.error()));
    call.complete(write_message(*reply));
  }
  Result<v1::TradingOffers> local(const v1::TradingQuery& asked) {
    auto reply = run(asked, asked.how_many(), 0);
    if (!reply || reply->left() == 0) return reply;
    const std::lock_guard lock(iterators_mutex_);
    const TimePoint now = clock_.now();
    std::erase_if(iterators_, [&](const auto& each) { return each.second.until <= now; });
    if (iterators_.size() >= kIteratorsMax) return reply;  // the rest is for who asks again
    const std::uint64_t id = random_.next() | 1;
    iterators_[id] = {asked, static_cast<std::size_t>(reply->offers_size()), now + kIteratorLives,
                      nullptr};
    reply->set_iterator(id);
    return reply;
  }

  struct Iterator {
    v1::TradingQuery query;
    std::size_t given = 0;
    TimePoint until;
    std::shared_ptr<const std::vector<v1::TradingOffer>>
        rest;  ///< of a query that asked others: all it found
  };
  v1::TradingOffers next_of(const v1::TradingNext& asked, const Iterator& at) {
    v1::TradingOffers reply;
    const std::size_t last = std::min<std::size_t>(at.rest->size(), at.given + asked.how_many());
    for (std::size_t i = at.given; i < last; ++i) *reply.add_offers() = (*at.rest)[i];
    const std::lock_guard lock(iterators_mutex_);
    if (last == at.rest->size()) {
      iterators_.erase(asked.iterator());
      return reply;
    }
    iterators_[asked.iterator()] = {at.query, last, clock_.now() + kIteratorLives, at.rest};
    reply.set_iterator(asked.iterator());
    reply.set_left(1);
    return reply;
  }
  void next_offers(Call& call) {
    answer<v1::TradingNext>(call, [&](const v1::TradingNext& asked) -> Result<v1::TradingOffers> {
      Iterator at;
      {
        const std::lock_guard lock(iterators_mutex_);
        const auto found = iterators_.find(asked.iterator());
        if (found == iterators_.end())
          return refuse("UnknownIterator",
                        "it has come to its end, or nobody asked it for a minute: query again",
                        Code::kNotFound);
        at = found->second;
        if (asked.how_many() == 0) {
          iterators_.erase(found);
          return v1::TradingOffers();
        }
      }
      if (at.rest) return next_of(asked, at);
      auto reply = run(at.query, asked.how_many(), at.given);
      if (!reply) return reply;
      const std::lock_guard lock(iterators_mutex_);
      if (reply->left() == 0) {
        iterators_.erase(asked.iterator());
      } else {
        iterators_[asked.iterator()] = {at.query,
                                        at.given + static_cast<std::size_t>(reply->offers_size()),
                                        clock_.now() + kIteratorLives, nullptr};
        reply->set_iterator(asked.iterator());
      }
      return reply;
    });
  }

  void give(Search& search) {
    v1::TradingOffers reply;
    const std::size_t first =
        search.query.how_many() == 0
            ? search.offers.size()
            : std::min<std::size_t>(search.offers.size(), search.query.how_many());
    for (auto& offer : search.offers) trim(search.query, offer);
    for (std::size_t i = 0; i < first; ++i) *reply.add_offers() = search.offers[i];
    std::sort(search.limits.begin(), search.limits.end());
    search.limits.erase(std::unique(search.limits.begin(), search.limits.end()),
                        search.limits.end());
    for (auto& limit : search.limits) reply.add_limits_applied(std::move(limit));
    for (auto& failed : search.failed) reply.add_failed_links(std::move(failed));
    reply.set_revision(replica_.revision());
    if (first < search.offers.size()) {
      const std::lock_guard lock(iterators_mutex_);
      const TimePoint now = clock_.now();
      std::erase_if(iterators_, [&](const auto& each) { return each.second.until <= now; });
      if (iterators_.size() < kIteratorsMax) {
        const std::uint64_t id = random_.next() | 1;
        iterators_[id] = {
            search.query, first, now + kIteratorLives,
            std::make_shared<const std::vector<v1::TradingOffer>>(std::move(search.offers))};
        reply.set_iterator(id);
        reply.set_left(1);
      }
    }
    search.call.complete(write_message(reply));
  }

  /// Each part of the constraint alone, on one offer.
  void explain_offer(const Plan& plan, const std::vector<Program>& parts, const Offer& offer,
                     v1::TradingVerdict& verdict) const {
    const auto truth = [](const Value& value) {
      return value.kind != expression::Kind::kBoolean ? "undefined"
             : value.boolean                          ? "TRUE"
                                                      : "FALSE";
    };
    for (const auto& part : parts) {
      Slots asked(part, offers_.names());
      const auto& slots = asked.of(offer);
      std::string with;
      for (std::size_t i = 0; i < slots.size(); ++i)
        with += fmt::format("{}{} is {}", i == 0 ? "" : ", ", part.tree().names[i],
                            slots[i].is_defined() ? expression::print(slots[i]) : "not there");
      verdict.add_reasons(fmt::format("{}: {}{}", expression::print(part.tree(), part.tree().root),
                                      truth(part.run(slots)),
                                      with.empty() ? "" : " (" + with + ")"));
    }
    verdict.set_matches(plan.constraint.matches(Slots(plan.constraint, offers_.names()).of(offer)));
    Slots ranked(plan.preference.program, offers_.names());
    const Value rank = rank_of(plan.preference, offer, ranked);
    if (!plan.preference.program.is_always())
      verdict.set_rank(rank.is_defined() ? expression::print(rank) : "cannot be evaluated: last");
  }

  void explain(Call& call) {
    answer<v1::TradingQuery>(
        call, [&](const v1::TradingQuery& asked) -> Result<v1::TradingExplanation> {
          const auto lock = replica_.read();
          auto plan = HECTOR_TRY(plan_of(offers_, asked));
          std::vector<Program> parts;
          if (!plan.constraint.is_always()) {
            for (const auto id : plan.constraint.tree().conjuncts()) {
              expression::Tree part = plan.constraint.tree();
              part.root = id;
              CompileOptions options;
              options.result = expression::Kind::kUndefined;
              if (auto program = Program::compile(std::move(part), options))
                parts.push_back(std::move(*program));
            }
          }
          const auto scope = offers_.scope(asked.type(), plan.is_exact);
          const Answer found =
              offers_.query(scope, plan.constraint, plan.preference, plan.cards, random_);
          v1::TradingExplanation reply;
          reply.set_plan(found.plan);
          reply.set_candidates(found.looked_at);
          std::map<const Offer*, std::uint32_t> places;
          for (const auto* offer : found.offers)
            places.emplace(offer, static_cast<std::uint32_t>(places.size() + 1));
          std::vector<const Offer*> all;
          for (const auto* type : scope) {
            reply.set_offers(reply.offers() + type->offers.size());
            for (const auto& [number, offer] : type->offers) {
              if (all.size() < kExplainedMax) all.push_back(offer.get());
            }
          }
          const auto place = [&](const Offer* offer) {
            return places.contains(offer) ? places[offer] : UINT32_MAX;
          };
          std::sort(all.begin(), all.end(), [&](const Offer* a, const Offer* b) {
            return std::pair(place(a), a->number) < std::pair(place(b), b->number);
          });
          for (const auto* offer : all) {
            auto& verdict = *reply.add_verdicts();
            const auto model = model_of(*offer);
            verdict.set_id(model.id());
            verdict.set_object(model.reference().object());
            explain_offer(plan, parts, *offer, verdict);
            if (places.contains(offer))
              verdict.set_place(places[offer]);
            else if (verdict.matches())
              verdict.add_reasons("it matches, and a card cut it off");
          }
          return reply;
        });
  }

  // --- ServiceTypeRepository
  // --------------------------------------------------------------------------------------------

  Status check_supers(const v1::TradingType& asked) const {
    std::set<std::string> known;
    for (const auto& super : asked.supers()) {
      if (!known.insert(super).second)
        return refuse("DuplicateServiceTypeName", fmt::format("'{}' is named twice", super));
      const Type* type = offers_.type(super);
      if (type == nullptr || !type->is_declared)
        return refuse("UnknownServiceType", fmt::format("the supertype '{}' is not there", super),
                      Code::kNotFound);
      if (!type->model.interface().empty() && asked.interface().empty())
        return refuse(
            "InterfaceTypeMismatch",
            fmt::format("'{}' has the Interface {}; a subtype has it or one that conforms", super,
                        type->model.interface()));
      for (const auto& property : offers_.all_properties(type->model)) {
        const auto own =
            std::find_if(asked.properties().begin(), asked.properties().end(),
                         [&](const auto& each) { return each.name() == property.name(); });
        if (own == asked.properties().end()) continue;
        const bool is_weaker = (is_readonly(property.mode()) && !is_readonly(own->mode())) ||
                               (is_mandatory(property.mode()) && !is_mandatory(own->mode()));
        if (own->type() != property.type() || is_weaker) {
          return refuse(
              "ValueTypeRedefinition",
              fmt::format("'{}' is {} {} in '{}'; a subtype may only make its mode stronger",
                          property.name(), v1::TradingMode_Name(property.mode()), property.type(),
                          super));
        }
      }
    }
    return {};
  }
  void add_type(Call& call) {
    state::change<v1::TradingType, v1::TradingRevision>(
        replica_, call,
        [this](const v1::TradingType& asked, v1::TradingRevision&) -> Result<StoreTransaction> {
          if (!is_type_name(asked.name()))
            return refuse("IllegalServiceType",
                          fmt::format("'{}' is no name of a service type", asked.name()));
          const Type* there = offers_.type(asked.name());
          if (there != nullptr && there->is_declared)
            return refuse("ServiceTypeExists", fmt::format("'{}' is there", asked.name()),
                          Code::kAlreadyExists);
          std::set<std::string> known;
          for (const auto& property : asked.properties()) {
            if (!is_property_name(property.name()))
              return refuse("IllegalPropertyName",
                            fmt::format("'{}' is no property's name", property.name()));
            if (!known.insert(property.name()).second)
              return refuse("DuplicatePropertyName",
                            fmt::format("'{}' is declared twice", property.name()));
            if (!is_property_type(property.type()))
              return refuse("PropertyTypeMismatch",
                            fmt::format("'{}' is none of boolean, short, long, unsigned …, float, "
                                        "double, char, string, sequence<…>",
                                        property.type()));
          }
          HECTOR_TRY(check_supers(asked));
          return keep_type(asked, false);
        });
  }
  StoreTransaction keep_type(const v1::TradingType& type, bool masked) const {
    v1::TradingType kept = type;
    kept.set_masked(masked);
    kept.clear_incarnation();
    StoreTransaction transaction;
    transaction.then.push_back(
        StoreOperation::put("t/" + type.name(), Bytes::take(kept.SerializeAsString())));
    return transaction;
  }
  Result<const Type*> declared_type(const std::string& name) const {
    const Type* type = offers_.type(name);
    if (type != nullptr && type->is_declared) return type;
    if (!is_type_name(name))
      return refuse("IllegalServiceType", fmt::format("'{}' is no name of a service type", name));
    return refuse("UnknownServiceType", fmt::format("there is no service type '{}'", name),
                  Code::kNotFound);
  }
  void remove_type(Call& call) {
    state::change<v1::TradingTypeName, v1::TradingRevision>(
        replica_, call,
        [this](const v1::TradingTypeName& asked, v1::TradingRevision&) -> Result<StoreTransaction> {
          auto type = HECTOR_TRY(declared_type(asked.name()));
          if (const auto subtypes = offers_.subtypes(asked.name()); !subtypes.empty())
            return refuse("HasSubTypes",
                          fmt::format("'{}' is a subtype of it", subtypes.front()->model.name()),
                          Code::kFailedPrecondition);
          if (!type->offers.empty())
            return refuse("HasOffers",
                          fmt::format("it has {} offers; mask it, so that it takes no new ones",
                                      type->offers.size()),
                          Code::kFailedPrecondition);
          StoreTransaction transaction;
          transaction.then.push_back(StoreOperation::erase("t/" + asked.name()));
          return transaction;
        });
  }
  void list_types(Call& call) {
    answer<v1::TradingTypesSince>(
        call, [&](const v1::TradingTypesSince& asked) -> Result<v1::TradingTypes> {
          const auto lock = replica_.read();
          v1::TradingTypes reply;
          for (const auto& name : offers_.types_since(asked.incarnation())) reply.add_names(name);
          return reply;
        });
  }
  void describe_type(Call& call, bool fully) {
    answer<v1::TradingTypeName>(call,
                                [&](const v1::TradingTypeName& asked) -> Result<v1::TradingType> {
                                  const auto lock = replica_.read();
                                  auto type = HECTOR_TRY(declared_type(asked.name()));
                                  v1::TradingType reply = type->model;
                                  if (fully) {
                                    reply.clear_properties();
                                    for (const auto& property : offers_.all_properties(type->model))
                                      *reply.add_properties() = property;
                                  }
                                  return reply;
                                });
  }
  void mask_type(Call& call, bool masks) {
    state::change<v1::TradingTypeName, v1::TradingRevision>(
        replica_, call,
        [this, masks](const v1::TradingTypeName& asked,
                      v1::TradingRevision&) -> Result<StoreTransaction> {
          auto type = HECTOR_TRY(declared_type(asked.name()));
          if (type->model.masked() == masks)
            return refuse(masks ? "AlreadyMasked" : "NotMasked", fmt::format("'{}'", asked.name()),
                          Code::kFailedPrecondition);
          return keep_type(type->model, masks);
        });
  }

  // --- Link, Proxy and watches
  // --------------------------------------------------------------------------------------------

  void change_link(Call& call,
                   Result<StoreTransaction> (*plan)(const Offers&, const v1::TradingLink&)) {
    state::change<v1::TradingLink, v1::TradingRevision>(
        replica_, call, [this, plan](const v1::TradingLink& asked, v1::TradingRevision&) {
          return plan(offers_, asked);
        });
  }
  void remove_link(Call& call) {
    state::change<v1::TradingName, v1::TradingRevision>(
        replica_, call, [this](const v1::TradingName& asked, v1::TradingRevision&) {
          return trading::remove_link(offers_, asked.name());
        });
  }
  void describe_link(Call& call) {
    answer<v1::TradingName>(call, [&](const v1::TradingName& asked) {
      const auto lock = replica_.read();
      return trading::describe_link(offers_, asked.name());
    });
  }
  void list_links(Call& call) {
    answer<v1::TradingNothing>(call, [&](const v1::TradingNothing&) -> Result<v1::TradingIds> {
      const auto lock = replica_.read();
      v1::TradingIds reply;
      for (const auto& [name, link] : offers_.links()) reply.add_ids(name);
      return reply;
    });
  }
  void list_proxies(Call& call) {
    answer<v1::TradingNothing>(call, [&](const v1::TradingNothing&) -> Result<v1::TradingIds> {
      const auto lock = replica_.read();
      v1::TradingIds reply;
      for (auto& id : offers_.proxies()) reply.add_ids(std::move(id));
      return reply;
    });
  }
  /// Register.resolve: the trader that a path of links leads to; the first step is here, the others
  /// are asked there.
  void resolve(Call& call) {
    answer<v1::TradingTraderName>(
        call, [&](const v1::TradingTraderName& asked) -> Result<v1::TradingTarget> {
          if (asked.links_size() != 1)
            return refuse(asked.links_size() == 0 ? "IllegalTraderName" : "RegisterNotSupported",
                          "name one link; ask the trader behind it for the next one");
          const auto lock = replica_.read();
          auto link = trading::describe_link(offers_, asked.links(0));
          if (!link) return refuse("UnknownTraderName", link.error().message, Code::kNotFound);
          v1::TradingTarget reply;
          *reply.mutable_target() = link->target();
          return reply;
        });
  }

  struct Watching {
    v1::TradingQuery query;
    std::shared_ptr<state::Feed> feed;
    Call* call = nullptr;
    std::vector<v1::TradingOffer> last;
    bool is_over = false;
  };
  /// What matches now, then each change of this trader's own answer: who comes, who goes, who has
  /// another place or other properties.
  void watch(Call& given) {
    auto asked = read_message<v1::TradingQuery>(given.request);
    if (!asked) return given.fail(std::move(asked.error()));
    {
      const auto lock = replica_.read();
      if (auto plan = plan_of(offers_, *asked); !plan) return given.fail(std::move(plan.error()));
    }
    auto watching = std::make_shared<Watching>(
        Watching{std::move(*asked), std::make_shared<state::Feed>(given.stream), nullptr, {}});
    {
      const std::lock_guard lock(watches_mutex_);
      if (watches_.size() >= kWatchesMax)
        return given.fail({Code::kResourceExhausted,
                           fmt::format("the Trader has {} watches, its limit", kWatchesMax)});
      watches_.push_back(watching);
    }
    watching->call = &given.defer();
    watching->call->on_cancel([this, watching] { end(watching, {}); });
    tell(watching, replica_.revision());
  }
  void end(const std::shared_ptr<Watching>& watching, std::optional<Error> why) {
    {
      const std::lock_guard lock(watches_mutex_);
      if (std::exchange(watching->is_over, true)) return;
      std::erase(watches_, watching);
    }
    watching->feed->when_told([watching, why = std::move(why)] {
      if (why)
        watching->call->fail(*why);
      else
        watching->call->complete();
    });
  }
  void tell_watches(Revision revision) {
    std::vector<std::shared_ptr<Watching>> watches;
    {
      const std::lock_guard lock(watches_mutex_);
      watches = watches_;
    }
    for (const auto& each : watches) tell(each, revision);
  }
  void tell(const std::shared_ptr<Watching>& watching, Revision revision) {
    auto found = run(watching->query,
                     watching->query.how_many() == 0 ? kWatchedMax : watching->query.how_many(), 0);
    if (!found) return end(watching, found.error());
    std::vector<v1::TradingOffer> now(found->offers().begin(), found->offers().end());
    bool is_told = true;
    {
      const std::lock_guard lock(watches_mutex_);
      if (watching->is_over) return;
      const auto say = [&](v1::TradingChangeKind kind, std::size_t place,
                           const v1::TradingOffer& offer) {
        v1::TradingChange change;
        change.set_kind(kind);
        change.set_place(static_cast<std::uint32_t>(place + 1));
        *change.mutable_offer() = offer;
        change.set_revision(revision);
        is_told = is_told && watching->feed->push(write_message(change));
      };
      const auto at = [](const std::vector<v1::TradingOffer>& list, const std::string& id) {
        return std::find_if(list.begin(), list.end(),
                            [&](const auto& each) { return each.id() == id; }) -
               list.begin();
      };
      for (std::size_t i = 0; i < watching->last.size(); ++i) {
        if (at(now, watching->last[i].id()) == static_cast<std::ptrdiff_t>(now.size()))
          say(v1::TRADING_LEAVE, i, watching->last[i]);
      }
      for (std::size_t i = 0; i < now.size(); ++i) {
        const auto was = static_cast<std::size_t>(at(watching->last, now[i].id()));
        if (was == watching->last.size())
          say(v1::TRADING_ENTER, i, now[i]);
        else if (was != i || now[i].SerializeAsString() != watching->last[was].SerializeAsString())
          say(v1::TRADING_REORDER, i, now[i]);
      }
      watching->last = std::move(now);
    }
    if (!is_told)
      end(watching,
          Error{Code::kResourceExhausted, "too many changes wait for this watch; watch again"});
  }

  // --- Admin
  // --------------------------------------------------------------------------------------------

  void get_attributes(Call& call) {
    answer<v1::TradingNothing>(call,
                               [&](const v1::TradingNothing&) -> Result<v1::TradingAttributes> {
                                 const auto lock = replica_.read();
                                 return offers_.attributes();
                               });
  }
  void set_attributes(Call& call) {
    state::change<v1::TradingAttributes, v1::TradingRevision>(
        replica_, call,
        [](const v1::TradingAttributes& asked, v1::TradingRevision&) -> Result<StoreTransaction> {
          for (const auto* policy : {&asked.def_follow_policy(), &asked.max_follow_policy(),
                                     &asked.max_link_follow_policy()}) {
            if (auto known = follow_of(*policy, Follow::kAlways); !known)
              return fail(known.error());
          }
          StoreTransaction transaction;
          transaction.then.push_back(
              StoreOperation::put("a", Bytes::take(asked.SerializeAsString())));
          return transaction;
        });
  }
  void list_offers(Call& call) {
    answer<v1::TradingNext>(call, [&](const v1::TradingNext& asked) -> Result<v1::TradingIds> {
      const auto lock = replica_.read();
      const std::uint32_t most = std::min(
          offers_.attributes().max_list() == 0 ? kListMax : offers_.attributes().max_list(),
          kListMax);
      v1::TradingIds reply;
      for (auto& id : offers_.ids(asked.iterator(),
                                  std::min(asked.how_many() == 0 ? most : asked.how_many(), most)))
        reply.add_ids(std::move(id));
      return reply;
    });
  }
  const Clock& clock_;
  Random& random_;
  Offers offers_;
  state::Replica replica_;
  state::Leases leases_;
  Searches searches_;
  std::atomic<std::uint64_t> next_{0};
  std::mutex scratch_mutex_;
  Names scratch_names_;  ///< for checks, apart from the state's
  std::mutex iterators_mutex_;
  std::map<std::uint64_t, Iterator> iterators_;
  std::mutex watches_mutex_;
  std::vector<std::shared_ptr<Watching>> watches_;
  TableServant servant_;
};

Service* make(const ServiceContext& context) {
  const auto refused = [&](const std::string& why) -> Service* {
    context.log->write(Level::kError, "trading cannot start", {{"why", why}});
    return nullptr;
  };
  if (context.store == nullptr) return refused("there is no store");
  auto trader = std::make_unique<Trader>(context);
  if (auto started = trader->start(); !started) return refused(started.error().text());
  return trader.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    sizeof(hector_plugin), HECTOR_ABI_VERSION, "trading", nullptr, nullptr, make};
