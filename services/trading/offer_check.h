// What: OfferCheck, whether the properties of an offer are what its service type says.
// Why: a query may rely on the declared types and modes of properties.
// Who: the Trader's Register.
#pragma once

#include <mutex>

#include "offers.h"

namespace hector::trading {

bool is_readonly(v1::TradingMode mode);
bool is_mandatory(v1::TradingMode mode);

/// Any thread, while the offers do not change.
class OfferCheck {
 public:
  explicit OfferCheck(const Offers& offers) : offers_(offers) {}
  /// `type` may be null: an Interface that no service type declares. INVALID_ARGUMENT under the
  /// specification's names: IllegalPropertyName, DuplicatePropertyName, InvalidObjectRef,
  /// PropertyTypeMismatch, MissingMandatoryProperty, ReadonlyDynamicProperty.
  Status check(const v1::TradingOffer& offer, const Type* type);

 private:
  Status check_names(const v1::TradingOffer& offer) const;
  Status check_declared(const v1::TradingOffer& offer, const Type& type,
                        const Properties& values) const;
  const Offers& offers_;
  std::mutex mutex_;
  Names names_;  ///< for checks, apart from the state's
};

}  // namespace hector::trading
