// What: whether parties of a Binding type's older version can go on with the newer one.
// Why: a Binding type that is published changes safely, or gets a new major.
// Who: `hector type breaking`, the Type service through hector/type_model.h.
#pragma once

#include <vector>

#include "hector/type/v1/type.pb.h"
#include "types/check/reason.h"

namespace hector::types {

/// Every Role must be played by whoever played the earlier one; the reasons are appended.
void binding_reasons(const hector::type::v1::Binding& before,
                     const hector::type::v1::Binding& after, std::vector<Reason>& reasons);

}  // namespace hector::types
