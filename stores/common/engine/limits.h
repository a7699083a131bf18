// What: what a transaction and a read must be like, before anything is touched.
// Why: the same is refused by every provider, with the same words.
// Who: every provider.
#pragma once

#include "hector/store.h"

namespace hector::stores {

/// INVALID_ARGUMENT; of type kStoreTooLarge where it is about size.
Status check(const StoreTransaction& transaction, const StoreLimits& limits);
Status check(const StoreRead& request, const StoreLimits& limits);
Status check_ttl(Duration ttl);

Error compacted(Revision asked, Revision oldest);
Error other_epoch(std::uint64_t asked, std::uint64_t is);
Error in_future(Revision asked, Revision is);
Error lease_not_found(LeaseId lease);

/// How the outcome of a transaction is kept under its idempotency key.
std::string outcome_text(const StoreOutcome& outcome);
StoreOutcome outcome_of_text(std::string_view text);

}  // namespace hector::stores
