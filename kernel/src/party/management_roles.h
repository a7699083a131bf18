// What: what a principal may ask of a capsule's management, by the roles of its configuration.
// Why: management's guard goes by it, and who may load code into a capsule gives rights there too.
// Who: ManagementGuard, CallRights.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hector/kernel.h"

namespace hector {

/// As KernelOptions::management_roles says: the strongest that fits; none is none.
std::optional<ManagementRight> right_of(const std::vector<ManagementRole>& roles,
                                        std::string_view principal);

}  // namespace hector
