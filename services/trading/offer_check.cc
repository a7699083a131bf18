// What: OfferCheck, whether the properties of an offer are what its service type says.
// Why: a query may rely on the declared types and modes of properties.
// Who: the Trader's Register.
#include "offer_check.h"

#include <fmt/format.h>

#include "plan.h"
#include "state/answer.h"

namespace hector::trading {

using state::refuse;

namespace {

constexpr std::size_t kPropertiesMax = 100;  ///< of one offer
constexpr std::size_t kNamesMax = 10'000;    ///< remembered between checks; then they start again

Status check_name(const std::string& name) {
  if (is_property_name(name)) return {};
  return refuse("IllegalPropertyName",
                fmt::format("'{}': a property is a letter, then letters, digits and '_'", name));
}

Status check_dynamic(const std::string& name, const v1::TradingDynamic& dynamic) {
  if (dynamic.evaluator().profiles().empty())
    return refuse("InvalidObjectRef", fmt::format("the evaluator of '{}' leads nowhere", name));
  if (is_property_type(dynamic.returned_type())) return {};
  return refuse("PropertyTypeMismatch", fmt::format("the returned type of '{}' is none: '{}'", name,
                                                    dynamic.returned_type()));
}

Status check_declared_dynamic(const v1::TradingPropertyType& property,
                              const v1::TradingDynamic& dynamic, const std::string& type) {
  if (is_readonly(property.mode()))
    return refuse("ReadonlyDynamicProperty",
                  fmt::format("'{}' of service type '{}' cannot change, so it cannot be dynamic",
                              property.name(), type));
  if (dynamic.returned_type() == property.type()) return {};
  return refuse("PropertyTypeMismatch",
                fmt::format("'{}' of service type '{}' is a {}, not {}", property.name(), type,
                            property.type(), dynamic.returned_type()));
}

}  // namespace

bool is_readonly(v1::TradingMode mode) {
  return mode == v1::TRADING_READONLY || mode == v1::TRADING_MANDATORY_READONLY;
}
bool is_mandatory(v1::TradingMode mode) {
  return mode == v1::TRADING_MANDATORY || mode == v1::TRADING_MANDATORY_READONLY;
}

Status OfferCheck::check_names(const v1::TradingOffer& offer) const {
  if (offer.properties_size() > static_cast<int>(kPropertiesMax))
    return refuse("IllegalPropertyName",
                  fmt::format("an offer may have {} properties", kPropertiesMax));
  for (const auto& [name, value] : offer.properties()) HECTOR_TRY(check_name(name));
  for (const auto& [name, dynamic] : offer.dynamic()) {
    HECTOR_TRY(check_name(name));
    if (offer.properties().contains(name))
      return refuse("DuplicatePropertyName",
                    fmt::format("'{}' is given a value and an evaluator", name));
    HECTOR_TRY(check_dynamic(name, dynamic));
  }
  return {};
}

Status OfferCheck::check_declared(const v1::TradingOffer& offer, const Type& type,
                                  const Properties& values) const {
  const std::string& type_name = type.model.name();
  for (const auto& property : offers_.all_properties(type.model)) {
    const std::string& name = property.name();
    if (const auto dynamic = offer.dynamic().find(name); dynamic != offer.dynamic().end()) {
      HECTOR_TRY(check_declared_dynamic(property, dynamic->second, type_name));
      continue;
    }
    const auto given = offer.properties().find(name);
    if (given == offer.properties().end()) {
      if (!is_mandatory(property.mode())) continue;
      return refuse("MissingMandatoryProperty",
                    fmt::format("'{}' of service type '{}' must be given", name, type_name));
    }
    if (!fits(values.get(names_.find(name)), property.type()))
      return refuse("PropertyTypeMismatch",
                    fmt::format("'{}' of service type '{}' is a {}, not {}", name, type_name,
                                property.type(), given->second));
  }
  return {};
}

Status OfferCheck::check(const v1::TradingOffer& offer, const Type* type) {
  HECTOR_TRY(check_names(offer));
  const std::lock_guard lock(mutex_);
  if (names_.size() > kNamesMax) names_ = {};
  const auto values = HECTOR_TRY(Properties::of(offer.properties(), names_));
  if (type == nullptr || !type->is_declared) return {};
  return check_declared(offer, *type, values);
}

}  // namespace hector::trading
