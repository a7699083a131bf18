// What: Leases, entries that live as long as their owner renews: one lease an owner.
// Why: what a capsule has put into a service goes when the capsule goes, and an earlier life's
// things go when it comes back.
// Who: Naming, Trading.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hector/store.h"

namespace hector::state {

/// Any thread.
class Leases {
 public:
  /// The owners' leases are kept below `prefix`. `capsule`: whose service this is.
  Leases(Store& store, std::string prefix, const std::string& capsule)
      : store_(store), prefix_(std::move(prefix)), own_("capsule:" + capsule) {}
  /// Ends the owner's earlier lease with everything on it.
  void open(const std::string& owner, Duration ttl, Callback<void(Result<LeaseId>)> done);
  void renew(LeaseId lease, Callback<void(Status)> done) {
    store_.keep_alive(lease, std::move(done));
  }
  /// A line for each owner but the service's own capsule: what it loses if the service ends.
  /// Blocks.
  [[nodiscard]] std::vector<std::string> dependants();
  void close(LeaseId lease, Callback<void(Status)> done) { store_.revoke(lease, std::move(done)); }

 private:
  void take(const std::string& key, Duration ttl, Callback<void(Result<LeaseId>)> done);
  Store& store_;
  const std::string prefix_;
  const std::string own_;
};

}  // namespace hector::state
