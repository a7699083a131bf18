// What: the checks of a transaction, a read and a lease before anything is touched; the errors of
// the store's contract.
// Why: every provider refuses the same, in the same words.
// Who: every provider.
#pragma once

#include "hector/store.h"

namespace hector::stores {

/// INVALID_ARGUMENT; of type kStoreTooLarge where it is about size.
Status check(const StoreTransaction& transaction, const StoreLimits& limits);
Status check(const StoreRead& request, const StoreLimits& limits);
Status check_ttl(Duration ttl);
/// Keys and values of compares and of both branches, as StoreLimits::transaction_octets_max counts.
std::size_t octets_of(const StoreTransaction& transaction);

Error compacted(Revision asked, Revision oldest);
Error other_epoch(std::uint64_t asked, std::uint64_t is);
Error in_future(Revision asked, Revision is);
Error lease_not_found(LeaseId lease);

/// The outcome of a transaction as it is kept under its idempotency key.
std::string outcome_text(const StoreOutcome& outcome);
StoreOutcome outcome_of_text(std::string_view text);

}  // namespace hector::stores
