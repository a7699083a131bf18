// What: quality of service and concurrency in types: whether what is offered meets what is
// required, one dimension at a time.
// Why: a party whose promise is too weak is refused before it is bound, with the dimension and both
// values.
// Who: conformance, versions, channels (which measure it).
#pragma once

#include <string>
#include <vector>

#include "hector/type/v1/type.pb.h"
#include "types/model/qos_values.h"

namespace hector::types {

class CompiledInterface;
struct Reason;

/// Of an interaction: what it says itself, else what its Binding type says of all; cost_max is not
/// inherited, it is the whole Binding's.
hector::type::v1::Qos required_qos(const hector::type::v1::Binding& binding,
                                   const hector::type::v1::Interaction& interaction);
[[nodiscard]] bool is_private(const hector::type::v1::Qos& qos);

/// Reasons of the rules "concurrency" and "qos". Where the Interface says nothing of a dimension it
/// promises nothing and refuses nothing: the channel measures it then.
void check_contract(const CompiledInterface& offered, const hector::type::v1::Binding& binding,
                    std::uint32_t role, const CompiledInterface& required,
                    std::vector<Reason>& reasons);
/// The same of a newer version for all that the older promised.
void check_contract(const CompiledInterface& newer, const CompiledInterface& older,
                    std::vector<Reason>& reasons);

}  // namespace hector::types
