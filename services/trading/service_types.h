// What: the operations of the Trader's ServiceTypeRepository, Link and Admin on its offers.
// Why: as registration.h: plans and reads of the state and the request alone.
// Who: the Trading servant.
#pragma once

#include "offers.h"

namespace hector::trading {

// Refusals bear the specification's names. Called while the offers do not change.

Result<StoreTransaction> plan_add_type(const Offers& offers, const v1::TradingType& asked);
/// HasSubTypes, HasOffers: FAILED_PRECONDITION.
Result<StoreTransaction> plan_remove_type(const Offers& offers, const v1::TradingTypeName& asked);
enum class Mask : std::uint8_t { kMasked, kUnmasked };
/// AlreadyMasked, NotMasked.
Result<StoreTransaction> plan_mask(const Offers& offers, const v1::TradingTypeName& asked,
                                   Mask mask);
[[nodiscard]] v1::TradingTypes list_types(const Offers& offers, const v1::TradingTypesSince& asked);
enum class PropertiesShown : std::uint8_t { kOwn, kAll };  ///< kAll: with those of supertypes
Result<v1::TradingType> describe_type(const Offers& offers, const v1::TradingTypeName& asked,
                                      PropertiesShown shown);

/// InvalidPolicyValue for a follow policy that is none.
Result<StoreTransaction> plan_attributes(const v1::TradingAttributes& asked);
[[nodiscard]] v1::TradingIds list_links(const Offers& offers);
/// Register.resolve: the trader that a path of links leads to; the first step is here, the others
/// are asked there.
Result<v1::TradingTarget> resolve_trader(const Offers& offers, const v1::TradingTraderName& asked);

}  // namespace hector::trading
