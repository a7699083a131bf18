// What: LeasingService, the part that services have in common whose entries live under a lease.
// Why: what a capsule has put into a service goes when the capsule goes.
// Who: Naming and Trading; the kernel keeps one lease at each.
#pragma once

#include <cstdint>
#include <string>

#include "hector/clock.h"
#include "hector/result.h"

namespace hector {

/// As NamingService.
class LeasingService {
 public:
  virtual ~LeasingService() = default;
  /// Everything entered under it goes `ttl` after its last renewal. The owner's earlier one ends at
  /// once, with its entries.
  virtual Result<std::uint64_t> open_lease(const std::string& owner, Duration ttl) = 0;
  /// NOT_FOUND: it has ended; enter everything again under another.
  virtual Status renew_lease(std::uint64_t lease) = 0;
  virtual Status close_lease(std::uint64_t lease) = 0;
};

}  // namespace hector
