#include "state/leases.h"

#include "hector/check.h"

namespace hector::state {

void Leases::open(const std::string& owner, Duration ttl, Callback<void(Result<LeaseId>)> done) {
  const std::string key = prefix_ + owner;
  store_.read({KeyRange::one(key)},
              [this, key, ttl, done = std::move(done)](Result<StorePage> page) mutable {
                if (!page) return done(fail(page.error()));
                if (page->entries.empty()) return take(key, ttl, std::move(done));
                store_.revoke(page->entries[0].lease,
                              [this, key, ttl, done = std::move(done)](Status revoked) mutable {
                                if (!revoked && revoked.error().type != kStoreLeaseNotFound)
                                  return done(fail(revoked.error()));
                                take(key, ttl, std::move(done));
                              });
              });
}

std::vector<std::string> Leases::dependants() {
  std::vector<std::string> lines;
  const auto page = read_and_wait(store_, {KeyRange::prefix(prefix_)});
  if (!page) return lines;  // what cannot be read is lost already
  for (const auto& entry : page->entries) {
    const std::string owner = entry.key.substr(prefix_.size());
    if (owner != own_)
      lines.push_back(owner + " has entered what would not be found until the service is back");
  }
  return lines;
}

void Leases::take(const std::string& key, Duration ttl, Callback<void(Result<LeaseId>)> done) {
  store_.grant(ttl, [this, key, done = std::move(done)](Result<LeaseId> lease) mutable {
    if (!lease) return done(fail(lease.error()));
    HECTOR_CHECK(*lease != 0, "a store granted the lease that is none");
    store_.commit({{}, {StoreOperation::put(key, {}, *lease)}, {}, {}},
                  [lease = *lease, done = std::move(done)](Result<StoreOutcome> kept) mutable {
                    if (!kept) return done(fail(kept.error()));
                    done(lease);
                  });
  });
}

}  // namespace hector::state
