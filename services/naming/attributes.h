// What: attributes of names: changing them, and finding names by them (XFN's filters).
// Why: what a name stands for can be described, and found by its description.
// Who: Naming.
#pragma once

#include "directory.h"
#include "expression/program.h"

namespace hector::naming {

inline constexpr int kAttributesMax = 100;                     ///< of one name
inline constexpr int kAttributeValuesMax = 1'000;              ///< of one attribute
inline constexpr std::size_t kAttributeOctetsMax = 16 * 1024;  ///< of one value

/// What the XFN reference type is where nobody said it.
std::string type_of(const v1::NamingBinding& binding);

/// As it is told: with its type.
v1::NamingBinding binding_at(const Place& place);

/// Null if there is none of that id.
const v1::NamingAttribute* find_attribute(const v1::NamingBinding& binding, std::string_view id);
/// ATTR_IN_USE, INVALID_ATTR_IDENTIFIER, INVALID_ATTR_VALUE, TOO_MANY_ATTR_VALUES.
Status modify_attribute(v1::NamingBinding& binding, const v1::NamingModify::One& modification);
/// The same rules for attributes that come with a binding.
Status check_attributes(const v1::NamingBind& request);

/// Whether a name with that binding passes. A value that is written as an integer is one, and a
/// text as well.
bool matches(const expression::Program& filter, std::string_view atom,
             const v1::NamingBinding& binding);

}  // namespace hector::naming
