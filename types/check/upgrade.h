// What: whether a newer Binding type can take the place of an older one.
// Why: a type that others use changes safely or gets a new major.
// Who: `hector type breaking`, and the Type service through hector/types.h.
#pragma once

#include <vector>

#include "hector/conformance.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// Appends a finding for each role that is gone, each new one that must be played, each that takes
/// fewer members or needs more, and each order that players of the older role break ("roles",
/// R1 … R5).
void check_upgrade(const hector::type::v1::Binding& before, const hector::type::v1::Binding& after,
                   std::vector<Finding>& findings);

}  // namespace hector::types
