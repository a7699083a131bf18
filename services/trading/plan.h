// What: Plan, a query as it is carried out: compiled, with the importer's policies within the
// trader's limits.
// Why: whoever answers, explains or watches a query reads it in the same way.
// Who: the Trader.
#pragma once

#include "links.h"

namespace hector::trading {

bool is_property_name(std::string_view name);
bool is_type_name(std::string_view name);

/// What a type says of its offers; null if it is an Interface that nobody declared.
/// UnknownServiceType, IllegalServiceType.
Result<const Type*> known_type(const Offers& offers, const std::string& name);
/// For expressions over a type's properties.
expression::CompileOptions options_for(const Offers& offers, const Type* type,
                                       expression::Undefined undefined);

struct Plan {
  expression::Program constraint = expression::Program::always();
  expression::Preference preference;
  Cards cards;
  bool is_exact = false;
  ImporterPolicies asks;
};

/// Under the replica's lock. The errors of Lookup.query.
Result<Plan> plan_of(const Offers& offers, const v1::TradingQuery& query);

}  // namespace hector::trading
