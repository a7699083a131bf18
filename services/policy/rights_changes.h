// What: the operations of Policy on rights: plans that change them, and the names of what is there.
// Why: as changes.h, over the state of rights.
// Who: the Policy servant.
#pragma once

#include "rights.h"

namespace hector::policy {

/// Rules have to fit the schema, where there is one. BAD_POLICY, RESOURCE_EXHAUSTED.
Result<StoreTransaction> plan_put_rules(const Rights& rights, const v1::PolicyRules& asked);
/// NOT_FOUND (NO_MATCH).
Result<StoreTransaction> plan_remove_rules(const Rights& rights, const v1::PolicyName& asked);
/// As Authorisation::check_entity(); SCHEMA, RESOURCE_EXHAUSTED.
Result<StoreTransaction> plan_put_entity(const Rights& rights, const v1::PolicyEntity& asked);
/// NOT_FOUND (NO_MATCH).
Result<StoreTransaction> plan_remove_entity(const Rights& rights, const v1::PolicyName& asked);
/// The rules that are there have to fit it.
Result<StoreTransaction> plan_put_schema(const Rights& rights, const v1::PolicySchema& asked);
/// The names of rules that begin like this.
v1::PolicyNames list_rules(const Rights& rights, const v1::PolicyName& asked);

}  // namespace hector::policy
