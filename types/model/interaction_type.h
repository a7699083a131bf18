// What: custom Interaction types: a pattern of interactions over formal roles, which a Binding type
// uses like a built-in kind.
// Why: a contract net, an auction, an agreement are written once; where one is used it becomes
// plain interactions and a part of the protocol, so that checks, conformance and the monitor need
// not know of it.
// Who: the type reader, the repository, the command line.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hector/result.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// By id; null where it is not known.
using InteractionTypeLookup =
    std::function<const hector::type::v1::InteractionType*(const std::string& id)>;

/// How deep custom Interaction types may stand in one another.
inline constexpr std::size_t kInteractionDepthMax = 8;

/// "$name" in a protocol becomes the parameter's value; a name that is none is a mistake.
std::string with_parameters(const std::string& text,
                            const std::map<std::string, std::string>& values, std::string& mistake);

std::string interaction_type_id(const hector::type::v1::InteractionType& type);

/// Those that every capsule knows: contract net, auction, two-phase agreement. By id.
const std::map<std::string, hector::type::v1::InteractionType>& standard_interaction_types();

/// What a custom Interaction becomes where it is used.
struct Expansion {
  std::vector<hector::type::v1::Interaction> interactions;  ///< named NAME_INNER
  hector::type::v1::Expression protocol;
};

/// How it is used: `roles` are those of the type that uses it. The text of the mistake, "" if there
/// is none.
std::string expand(const std::string& name, const hector::type::v1::InteractionType::Use& use,
                   const google::protobuf::RepeatedPtrField<hector::type::v1::Role>& roles,
                   const InteractionTypeLookup& known, Expansion& expansion);

/// Puts expansions in the places of their names. The text of the mistake: a custom Interaction
/// takes no [role].
std::string replace_uses(hector::type::v1::Expression& expression,
                         const std::map<std::string, Expansion>& uses);

/// The pattern as a Binding type of its formal roles, with its parameters' own values: what it is
/// checked and drawn as. INVALID_ARGUMENT: what is wrong in it.
Result<hector::type::v1::Binding> as_binding(const hector::type::v1::InteractionType& type,
                                             const InteractionTypeLookup& known);

}  // namespace hector::types
