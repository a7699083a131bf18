// What: the operations that change what Authentication knows, as plans of transactions.
// Why: a plan is made of the state and the request alone, so that it can be made again where
// another writer was faster, and tested without a store.
// Who: the Authentication servant.
#pragma once

#include "trust_state.h"

namespace hector::authentication {

/// Takes the place of the domain's bundle. INVALID_ARGUMENT: no trust domain; a text that is
/// neither PEM nor JWKS, or too long; nothing in it. RESOURCE_EXHAUSTED (TOO_MANY).
Result<StoreTransaction> plan_federate(const TrustState& state, const v1::Bundle& bundle);
/// NOT_FOUND. Keys that tokens are made with here stay.
Result<StoreTransaction> plan_defederate(const TrustState& state, const v1::Domain& domain);

/// INVALID_ARGUMENT: none, or several, of a serial, a jti and a principal; a serial of a domain
/// without authorities, and no key id. RESOURCE_EXHAUSTED (TOO_MANY).
Result<StoreTransaction> plan_revoke(const TrustState& state, const v1::Revocation& asked);
/// NOT_FOUND: it was not revoked. FAILED_PRECONDITION: only a principal comes back.
Result<StoreTransaction> plan_reinstate(const TrustState& state, const v1::Revocation& asked);

Result<StoreTransaction> plan_put_entry(const TrustState& state, const v1::Entry& entry);
Result<StoreTransaction> plan_remove_entry(const TrustState& state, const v1::Entry& entry);
Result<StoreTransaction> plan_map_realm(const TrustState& state, const v1::RealmMapping& mapping);
Result<StoreTransaction> plan_unmap_realm(const TrustState& state, const v1::RealmMapping& mapping);

/// Puts a key that tokens are signed with, and takes out those that have ended.
StoreTransaction plan_signing_key(const TrustState& state, const std::string& id,
                                  const v1::SigningKey& key, std::int64_t now_s);

}  // namespace hector::authentication
