// What: whether an Interface may play a Role, with every reason why not.
// Why: a Binding that was accepted runs; one that was refused says what to change.
// Who: the Binding pipeline, `hector type conforms`.
#pragma once

#include <string>
#include <vector>

#include "types/check/reason.h"
#include "types/model/compiled_interface.h"
#include "types/order/projection.h"

namespace hector::types {

struct Verdict {
  std::vector<Reason> reasons;
  bool order_compared =
      true;  ///< false: the Interface has no protocol, signatures alone were compared
  [[nodiscard]] bool conforms() const { return reasons.empty(); }
};

/// types.md 4. `required` is the Interface that the Role names, `offered` the candidate's.
Result<Verdict> check_role(const CompiledInterface& offered,
                           const hector::type::v1::Binding& binding, std::uint32_t role,
                           const CompiledInterface& required);

/// The same against a Role's order that is at hand already.
Verdict check_order(const CompiledInterface& offered, const RoleOrder& order,
                    const CompiledInterface& required);

/// R1 to R5 alone, between two automata over the order's symbols.
std::vector<Reason> check_order_alone(const Automaton& offered, const RoleOrder& order);

/// types.md 6: whether `newer` plays the protocol of `older`, and so every Role that `older`
/// played.
Result<Verdict> check_replacement(const CompiledInterface& newer, const CompiledInterface& older);

/// Signatures alone (ISO 10746-3, 7.2.4): `sent` may be given to whoever expects `expected`. The
/// reasons are appended.
void check_message(const google::protobuf::Descriptor& sent,
                   const google::protobuf::Descriptor& expected, const std::string& where,
                   std::vector<Reason>& reasons);

/// A refusal as an Error of type kIncompatible.
Error incompatible(const std::string& what, const Verdict& verdict);

}  // namespace hector::types
