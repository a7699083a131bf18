// What: the operations of Policy that change entries, bundles and chains, as plans of transactions.
// Why: a plan is made of the state and the request alone, so that it can be made again where
// another writer was faster, and tested without a store.
// Who: the Policy servant.
#pragma once

#include "contexts.h"

namespace hector::policy {

// Each is INVALID_ARGUMENT for a context or spec that is none (BAD_SPEC).

Result<StoreTransaction> plan_put(const v1::PolicyEntry& entry);
/// NOT_FOUND (NO_MATCH).
Result<StoreTransaction> plan_remove(const Contexts& contexts, const v1::PolicySpec& asked);
/// CYCLE if the context would come after itself.
Result<StoreTransaction> plan_chain(const Contexts& contexts, const Place& place,
                                    const v1::PolicyChain& chain);

struct BundleTrust {
  const std::vector<std::string>& keys;  ///< Ed25519 keys, 32 octets each
  std::int64_t now_s;                    ///< since 1970
};
/// BAD_SIGNATURE, EXPIRED, ROLLBACK, BAD_BUNDLE; what was there stays then.
Result<StoreTransaction> plan_bundle(const Contexts& contexts, const BundleTrust& trust,
                                     const v1::PolicyBundle& bundle);

}  // namespace hector::policy
