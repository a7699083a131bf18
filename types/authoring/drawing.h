// What: types as pictures: a Binding type's roles, channels and each role's automaton, in
// Graphviz's language.
// Why: people would rather look than read.
// Who: `hector type draw`.
#pragma once

#include <string>

#include "hector/result.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// Automata with more states than this are left out of the picture, and it says so.
inline constexpr std::size_t kDrawnStatesMax = 60;

/// A digraph: roles with their Interfaces and cardinalities, an arrow for each interaction; below,
/// what each role sees, drawn with one member in every role.
std::string draw_binding(const hector::type::v1::Binding& binding);
/// An Interface's own order.
Result<std::string> draw_interface(const hector::type::v1::Interface& interface);

}  // namespace hector::types
