// What: Registration, the operations of the Trader's Register as plans on its offers.
// Why: a plan is made of the state and the request alone, so that it can be made again where
// another writer was faster, and tested without a store.
// Who: the Trading servant.
#include "registration.h"

#include <fmt/format.h>

#include "hector/check.h"
#include "plan.h"
#include "search.h"
#include "state/answer.h"

namespace hector::trading {

using state::refuse;

namespace {

constexpr std::size_t kOffersMax = 4'000'000;        ///< all are in memory
constexpr std::uint32_t kListMax = 10'000;           ///< ids of one answer
constexpr std::uint32_t kWithdrawnTogetherMax = 90;  ///< below the store's limit of a transaction
static_assert(kWithdrawnTogetherMax < StoreLimits{}.operations_max);

StoreOperation put_offer(const std::string& key, const v1::TradingOffer& offer) {
  return StoreOperation::put(key, Bytes::take(offer.SerializeAsString()),
                             static_cast<LeaseId>(offer.lease()));
}

Status check_where_it_leads(const v1::TradingOffer& asked) {
  if (asked.has_proxy()) {
    if (asked.proxy().target().profiles().empty())
      return refuse("InvalidLookupRef", "the proxy's target leads nowhere");
    HECTOR_TRY(follow_recipe(asked.proxy().recipe(), "TRUE", asked.properties()));
    return {};
  }
  const auto& reference = asked.reference();
  if (reference.profiles().empty() && reference.offer() == 0 && reference.object().empty())
    return refuse("InvalidObjectRef", "the reference leads nowhere");
  return {};
}

Status check_type(const v1::TradingOffer& asked, const Type* type) {
  if (type == nullptr) return {};
  if (type->model.masked())
    return refuse("UnknownServiceType",
                  fmt::format("'{}' is masked: it takes no new offers, those that are there stay",
                              asked.type()),
                  Code::kFailedPrecondition);
  const auto& interface = type->model.interface();
  if (asked.has_proxy() || interface.empty() || interface == asked.reference().interface_id())
    return {};
  return refuse("InterfaceTypeMismatch",
                fmt::format("offers of '{}' have the Interface {}, this reference has '{}'",
                            asked.type(), interface, asked.reference().interface_id()));
}

using Modes = std::map<std::string, v1::TradingMode>;

Status check_deletion(const std::string& name, const v1::TradingOffer& was, Modes& modes,
                      const v1::TradingModify& asked) {
  if (asked.modified().contains(name))
    return refuse("DuplicatePropertyName", fmt::format("'{}' is both deleted and modified", name));
  if (!was.properties().contains(name))
    return refuse("UnknownPropertyName", fmt::format("the offer has no '{}'", name),
                  Code::kNotFound);
  if (is_mandatory(modes[name]))
    return refuse("MandatoryProperty", fmt::format("'{}' must stay", name),
                  Code::kFailedPrecondition);
  if (is_readonly(modes[name]))
    return refuse("ReadonlyProperty", fmt::format("'{}' cannot change once it is set", name),
                  Code::kFailedPrecondition);
  return {};
}

/// The offer as it is to be.
Result<v1::TradingOffer> modified(const v1::TradingOffer& was, Modes modes,
                                  const v1::TradingModify& asked) {
  v1::TradingOffer offer = was;
  for (const auto& name : asked.deleted()) {
    if (was.dynamic().contains(name) && !is_mandatory(modes[name])) {
      offer.mutable_dynamic()->erase(name);
      continue;
    }
    HECTOR_TRY(check_deletion(name, was, modes, asked));
    offer.mutable_properties()->erase(name);
  }
  for (const auto& [name, value] : asked.modified()) {
    if (is_readonly(modes[name]) && was.properties().contains(name))
      return refuse("ReadonlyProperty", fmt::format("'{}' cannot change once it is set", name),
                    Code::kFailedPrecondition);
    offer.mutable_dynamic()->erase(name);
    (*offer.mutable_properties())[name] = value;
  }
  return offer;
}

}  // namespace

Result<const Offer*> Registration::known(const std::string& id, OfferKind kind) const {
  const Offer* const offer = offers_.find(id);
  if (offer == nullptr && id.find('#') == std::string::npos)
    return refuse("IllegalOfferId", fmt::format("'{}' is no offer's id", id));
  if (offer == nullptr)
    return refuse("UnknownOfferId", fmt::format("'{}' was withdrawn, or never was", id),
                  Code::kNotFound);
  HECTOR_CHECK(offer->type != nullptr, "an offer has a service type");
  const bool is_proxy = offer->type->proxies.contains(offer->number);
  if (is_proxy == (kind == OfferKind::kProxy)) return offer;
  if (!is_proxy) return refuse("NotProxyOfferId", fmt::format("'{}' is an ordinary offer", id));
  return refuse("ProxyOfferId",
                fmt::format("'{}' is a proxy offer: withdraw_proxy, describe_proxy", id));
}

Result<StoreTransaction> Registration::plan_export(const v1::TradingOffer& asked,
                                                   v1::TradingOfferId& reply) {
  const Type* const type = HECTOR_TRY(known_type(offers_, asked.type()));
  HECTOR_TRY(check_where_it_leads(asked));
  HECTOR_TRY(check_type(asked, type));
  HECTOR_TRY(check_.check(asked, type));
  if (offers_.size() >= kOffersMax)
    return refuse("RESOURCE_EXHAUSTED",
                  fmt::format("the Trader holds {} offers, its limit", kOffersMax),
                  Code::kResourceExhausted);
  v1::TradingOffer offer = asked;
  offer.set_id(fmt::format("{}#{}", asked.type(), ++last_));
  reply.set_id(offer.id());
  const std::string key = "o/" + offer.id();
  StoreTransaction transaction;
  transaction.compares.push_back(StoreCompare::absent(key));
  transaction.then.push_back(put_offer(key, offer));
  return transaction;
}

Result<StoreTransaction> Registration::plan_withdraw(const v1::TradingOfferId& asked,
                                                     OfferKind kind,
                                                     v1::TradingOfferId& reply) const {
  HECTOR_TRY(known(asked.id(), kind));
  reply = asked;
  return state::erasing("o/" + asked.id());
}

Result<StoreTransaction> Registration::plan_modify(const v1::TradingModify& asked,
                                                   v1::TradingOfferId& reply) {
  if (offers_.attributes().no_modifiable_properties())
    return refuse("NotImplemented",
                  "this trader modifies no offers; withdraw it and export it again",
                  Code::kUnimplemented);
  const Offer* const there = HECTOR_TRY(known(asked.id(), OfferKind::kOrdinary));
  Modes modes;
  if (there->type->is_declared) {
    for (const auto& property : offers_.all_properties(there->type->model))
      modes[property.name()] = property.mode();
  }
  const auto offer = HECTOR_TRY(modified(model_of(*there), std::move(modes), asked));
  HECTOR_TRY(check_.check(offer, there->type));
  reply.set_id(asked.id());
  StoreTransaction transaction;
  const std::string key = "o/" + asked.id();
  transaction.compares.push_back(
      {key, StoreCompare::Field::kValue, StoreCompare::Relation::kEqual, 0, there->model.str()});
  transaction.then.push_back(put_offer(key, offer));
  return transaction;
}

Result<StoreTransaction> Registration::plan_withdraw_matching(const v1::TradingSelection& asked,
                                                              v1::TradingWithdrawn& reply) const {
  const Type* const type = HECTOR_TRY(known_type(offers_, asked.type()));
  const auto constraint = HECTOR_TRY(expression::compile_constraint(
      asked.constraint(), options_for(offers_, type, expression::Undefined::kKleene)));
  const auto found = offers_.query(offers_.scope(asked.type(), true), constraint, {},
                                   {UINT32_MAX, UINT32_MAX, kWithdrawnTogetherMax + 1}, random_);
  if (found.offers.empty())
    return refuse("NoMatchingOffers",
                  fmt::format("no offer of '{}' matches '{}'", asked.type(), asked.constraint()),
                  Code::kNotFound);
  if (found.offers.size() > kWithdrawnTogetherMax)
    return refuse("RESOURCE_EXHAUSTED",
                  fmt::format("more than {} offers match; withdraw them in parts, nothing was "
                              "withdrawn",
                              kWithdrawnTogetherMax),
                  Code::kResourceExhausted);
  StoreTransaction transaction;
  for (const auto* offer : found.offers)
    transaction.then.push_back(
        StoreOperation::erase(fmt::format("o/{}#{}", offer->type->model.name(), offer->number)));
  reply.set_count(static_cast<std::uint32_t>(found.offers.size()));
  return transaction;
}

Result<v1::TradingOffer> Registration::describe(const v1::TradingOfferId& asked,
                                                OfferKind kind) const {
  const Offer* const offer = HECTOR_TRY(known(asked.id(), kind));
  return model_of(*offer);
}

v1::TradingIds Registration::list(const v1::TradingNext& asked) const {
  const std::uint32_t own = offers_.attributes().max_list();
  const std::uint32_t most = std::min(own == 0 ? kListMax : own, kListMax);
  const std::uint32_t count = std::min(asked.how_many() == 0 ? most : asked.how_many(), most);
  v1::TradingIds reply;
  for (auto& id : offers_.ids(asked.iterator(), count)) reply.add_ids(std::move(id));
  return reply;
}

v1::TradingIds Registration::list_proxies() const {
  v1::TradingIds reply;
  for (auto& id : offers_.proxies()) reply.add_ids(std::move(id));
  return reply;
}

}  // namespace hector::trading
