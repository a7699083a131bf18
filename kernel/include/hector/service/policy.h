// What: PolicyService, the standard interface of Policy (X resources in a chain of contexts) inside
// a capsule.
// Why: what the kernel and Objects choose by is said once, per host, network or enterprise, and
// every value can be explained.
// Who: the Binding pipeline, Objects through their Capsule handle, management.
#pragma once

#include <cstdint>
#include <string>

#include "hector/result.h"

namespace hector {

struct PolicyValue {
  std::string value;
  std::string context;  ///< "enterprise", "capsule:north", …
  std::string spec;     ///< the entry that decided
  bool is_final = false;
  std::int64_t revision = 0;
};

/// As NamingService.
class PolicyService {
 public:
  virtual ~PolicyService() = default;
  /// `name` and `class_name` have equally many components; `object` chooses the chain, empty: the
  /// capsule's. NOT_FOUND (NO_MATCH), INVALID_ARGUMENT (BAD_KEY).
  virtual Result<PolicyValue> get(const std::string& name, const std::string& class_name,
                                  const std::string& object) = 0;
  /// INVALID_ARGUMENT (BAD_SPEC) with the column.
  virtual Status put(const std::string& context, const std::string& spec, const std::string& value,
                     bool is_final) = 0;
};

}  // namespace hector
