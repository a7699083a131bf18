// What: the operations of the Trader's ServiceTypeRepository, Link and Admin on its offers.
// Why: as registration.h: plans and reads of the state and the request alone.
// Who: the Trading servant.
#include "service_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "offer_check.h"
#include "plan.h"
#include "state/answer.h"

namespace hector::trading {

using state::refuse;

namespace {

bool is_weaker(v1::TradingMode mode, v1::TradingMode than) {
  return (is_readonly(than) && !is_readonly(mode)) || (is_mandatory(than) && !is_mandatory(mode));
}

Status check_redefinitions(const Offers& offers, const v1::TradingType& asked, const Type& super) {
  for (const auto& property : offers.all_properties(super.model)) {
    const auto own = std::find_if(asked.properties().begin(), asked.properties().end(),
                                  [&](const auto& each) { return each.name() == property.name(); });
    if (own == asked.properties().end()) continue;
    if (own->type() == property.type() && !is_weaker(own->mode(), property.mode())) continue;
    return refuse("ValueTypeRedefinition",
                  fmt::format("'{}' is {} {} in '{}'; a subtype may only make its mode stronger",
                              property.name(), v1::TradingMode_Name(property.mode()),
                              property.type(), super.model.name()));
  }
  return {};
}

Status check_supers(const Offers& offers, const v1::TradingType& asked) {
  std::set<std::string> known;
  for (const auto& super : asked.supers()) {
    if (!known.insert(super).second)
      return refuse("DuplicateServiceTypeName", fmt::format("'{}' is named twice", super));
    const Type* const type = offers.type(super);
    if (type == nullptr || !type->is_declared)
      return refuse("UnknownServiceType", fmt::format("the supertype '{}' is not there", super),
                    Code::kNotFound);
    if (!type->model.interface().empty() && asked.interface().empty())
      return refuse("InterfaceTypeMismatch",
                    fmt::format("'{}' has the Interface {}; a subtype has it or one that conforms",
                                super, type->model.interface()));
    HECTOR_TRY(check_redefinitions(offers, asked, *type));
  }
  return {};
}

Status check_property(const v1::TradingPropertyType& property, std::set<std::string>& known) {
  if (!is_property_name(property.name()))
    return refuse("IllegalPropertyName",
                  fmt::format("'{}' is no property's name", property.name()));
  if (!known.insert(property.name()).second)
    return refuse("DuplicatePropertyName", fmt::format("'{}' is declared twice", property.name()));
  if (is_property_type(property.type())) return {};
  return refuse("PropertyTypeMismatch",
                fmt::format("'{}' is none of boolean, short, long, unsigned …, float, double, "
                            "char, string, sequence<…>",
                            property.type()));
}

StoreTransaction keep_type(const v1::TradingType& type, Mask mask) {
  v1::TradingType kept = type;
  kept.set_masked(mask == Mask::kMasked);
  kept.clear_incarnation();
  return state::putting("t/" + type.name(), kept);
}

Result<const Type*> declared_type(const Offers& offers, const std::string& name) {
  const Type* const type = offers.type(name);
  if (type != nullptr && type->is_declared) return type;
  if (!is_type_name(name))
    return refuse("IllegalServiceType", fmt::format("'{}' is no name of a service type", name));
  return refuse("UnknownServiceType", fmt::format("there is no service type '{}'", name),
                Code::kNotFound);
}

}  // namespace

Result<StoreTransaction> plan_add_type(const Offers& offers, const v1::TradingType& asked) {
  if (!is_type_name(asked.name()))
    return refuse("IllegalServiceType",
                  fmt::format("'{}' is no name of a service type", asked.name()));
  const Type* const there = offers.type(asked.name());
  if (there != nullptr && there->is_declared)
    return refuse("ServiceTypeExists", fmt::format("'{}' is there", asked.name()),
                  Code::kAlreadyExists);
  std::set<std::string> known;
  for (const auto& property : asked.properties()) HECTOR_TRY(check_property(property, known));
  HECTOR_TRY(check_supers(offers, asked));
  return keep_type(asked, Mask::kUnmasked);
}

Result<StoreTransaction> plan_remove_type(const Offers& offers, const v1::TradingTypeName& asked) {
  const Type* const type = HECTOR_TRY(declared_type(offers, asked.name()));
  if (const auto subtypes = offers.subtypes(asked.name()); !subtypes.empty())
    return refuse("HasSubTypes",
                  fmt::format("'{}' is a subtype of it", subtypes.front()->model.name()),
                  Code::kFailedPrecondition);
  if (!type->offers.empty())
    return refuse(
        "HasOffers",
        fmt::format("it has {} offers; mask it, so that it takes no new ones", type->offers.size()),
        Code::kFailedPrecondition);
  return state::erasing("t/" + asked.name());
}

Result<StoreTransaction> plan_mask(const Offers& offers, const v1::TradingTypeName& asked,
                                   Mask mask) {
  const Type* const type = HECTOR_TRY(declared_type(offers, asked.name()));
  if (type->model.masked() == (mask == Mask::kMasked))
    return refuse(mask == Mask::kMasked ? "AlreadyMasked" : "NotMasked",
                  fmt::format("'{}'", asked.name()), Code::kFailedPrecondition);
  return keep_type(type->model, mask);
}

v1::TradingTypes list_types(const Offers& offers, const v1::TradingTypesSince& asked) {
  v1::TradingTypes reply;
  for (const auto& name : offers.types_since(asked.incarnation())) reply.add_names(name);
  return reply;
}

Result<v1::TradingType> describe_type(const Offers& offers, const v1::TradingTypeName& asked,
                                      PropertiesShown shown) {
  const Type* const type = HECTOR_TRY(declared_type(offers, asked.name()));
  v1::TradingType reply = type->model;
  if (shown == PropertiesShown::kOwn) return reply;
  reply.clear_properties();
  for (const auto& property : offers.all_properties(type->model))
    *reply.add_properties() = property;
  return reply;
}

Result<StoreTransaction> plan_attributes(const v1::TradingAttributes& asked) {
  for (const auto* policy :
       {&asked.def_follow_policy(), &asked.max_follow_policy(), &asked.max_link_follow_policy()})
    HECTOR_TRY(follow_of(*policy, Follow::kAlways));
  return state::putting("a", asked);
}

v1::TradingIds list_links(const Offers& offers) {
  v1::TradingIds reply;
  for (const auto& [name, link] : offers.links()) reply.add_ids(name);
  return reply;
}

Result<v1::TradingTarget> resolve_trader(const Offers& offers, const v1::TradingTraderName& asked) {
  if (asked.links_size() != 1)
    return refuse(asked.links_size() == 0 ? "IllegalTraderName" : "RegisterNotSupported",
                  "name one link; ask the trader behind it for the next one");
  const auto link = describe_link(offers, asked.links(0));
  if (!link) return refuse("UnknownTraderName", link.error().message, Code::kNotFound);
  v1::TradingTarget reply;
  *reply.mutable_target() = link->target();
  return reply;
}

}  // namespace hector::trading
