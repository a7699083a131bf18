// What: whether a Binding type can work at all: C0 to C5.
// Why: parties that keep to an accepted type never run into a dead end; a refused one gets the
// parties that would, and a shortest trace.
// Who: the type repository when a Binding type is registered, `hector type check`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hector/conformance.h"
#include "types/model/compiled_interface.h"

namespace hector::types {

/// What is wrong with a model that was not read from a type file by this program: names that
/// nothing has, or have twice. "" if nothing is.
std::string malformed(const hector::type::v1::Binding& binding);

/// An Interface by its id where it is known, else null: then its operations are not looked at.
using InterfaceLookup = std::function<const CompiledInterface*(const std::string& id)>;

/// types.md 3: names, C4 and C0, then for 1, 2 and 3 members of each many role C1, C2, C3 and C5.
/// The first rule that fails; nothing if the Binding type can work. Each rule is proved by
/// enumeration in order_experiment_test.cc.
std::optional<Finding> check_binding(const hector::type::v1::Binding& binding,
                                     const InterfaceLookup& known);

/// The numbers of members that a Binding type is checked with, by role; without repetition.
std::vector<std::vector<std::uint32_t>> checked_sizes(const hector::type::v1::Binding& binding);
/// A refusal as an Error of type kIncompatible.
Error cannot_work(const std::string& id, const Finding& fault);

}  // namespace hector::types
