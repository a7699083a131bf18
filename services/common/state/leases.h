// What: Leases, entries that live as long as their owner renews: one lease an owner.
// Why: what a capsule has put into a service goes when the capsule goes, and an earlier life's
// things go when it comes back.
// Who: Naming, Trading.
#pragma once

#include <memory>
#include <string>

#include "hector/store.h"

namespace hector::state {

/// Any thread.
class Leases {
 public:
  /// The owners' leases are kept below `prefix`.
  Leases(Store& store, std::string prefix) : store_(store), prefix_(std::move(prefix)) {}
  /// Ends the owner's earlier lease with everything on it.
  void open(const std::string& owner, Duration ttl, Callback<void(Result<LeaseId>)> done);
  void renew(LeaseId lease, Callback<void(Status)> done) {
    store_.keep_alive(lease, std::move(done));
  }
  void close(LeaseId lease, Callback<void(Status)> done) { store_.revoke(lease, std::move(done)); }

 private:
  void take(const std::string& key, Duration ttl, Callback<void(Result<LeaseId>)> done);
  Store& store_;
  const std::string prefix_;
};

}  // namespace hector::state
