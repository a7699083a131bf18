// What: whether an Interface may play a Role, with every finding why not.
// Why: a Binding that was accepted runs; one that was refused says what to change.
// Who: the Binding pipeline, the repository, upgrades, `hector type conforms`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hector/conformance.h"
#include "types/model/compiled_interface.h"
#include "types/order/projection.h"

namespace hector::types {

// hector/conformance.h lists all checks.

/// types.md 4. `required` is the Interface that the Role names, `offered` the candidate's.
/// RESOURCE_EXHAUSTED where the Role's order is too large to be decided.
Result<Conformance> check_role(const CompiledInterface& offered,
                               const hector::type::v1::Binding& binding, std::uint32_t role,
                               const CompiledInterface& required);
/// types.md 6: whether `newer` plays the protocol of `older`, and so every Role that `older`
/// played.
Conformance check_replacement(const CompiledInterface& newer, const CompiledInterface& older);
/// R1 to R5 alone; the automaton's symbols are the order's.
std::vector<Finding> check_order(const Automaton& offered, const RoleOrder& order);
/// A refusal as an Error of type kIncompatible.
Error incompatible(const std::string& what, const Conformance& conformance);

}  // namespace hector::types
