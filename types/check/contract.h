// What: whether the quality of service and the concurrency that are offered meet what is required,
// one dimension at a time.
// Why: a party whose promise is too weak is refused before it is bound, with the dimension and both
// values.
// Who: conformance.
#pragma once

#include <cstdint>
#include <vector>

#include "hector/conformance.h"
#include "types/model/compiled_interface.h"

namespace hector::types {

/// Findings of the rules "concurrency" and "qos" for an Interface in a Role. Where the Interface
/// says nothing of a dimension it promises nothing and refuses nothing: the channel measures it.
void check_contract(const CompiledInterface& offered, const hector::type::v1::Binding& binding,
                    std::uint32_t role, const CompiledInterface& required,
                    std::vector<Finding>& findings);
/// The same for a newer version against all that the older promised.
void check_contract(const CompiledInterface& newer, const CompiledInterface& older,
                    std::vector<Finding>& findings);

}  // namespace hector::types
