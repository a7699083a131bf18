// What: types beside their earlier versions: differences and breaking changes.
// Why: a type that others use changes safely, or gets a new major.
// Who: `hector type diff|breaking`.
#pragma once

#include <string>
#include <vector>

#include "hector/conformance.h"
#include "types/model/reader.h"

namespace hector::types {

/// What differs, a line each ("operations[hold].throws[0]: added: diary.Busy"); types are matched
/// by name, the highest major of each.
std::vector<std::string> differences(const TypeFile& older, const TypeFile& newer);
/// What parties of the older types would miss in the newer ones, each with the type's name in front
/// (types.md 6): an Interface must play its predecessor's protocol, and every Role must be playable
/// by those that played the earlier one.
Result<std::vector<Finding>> breaking_changes(const TypeFile& older, const TypeFile& newer);

}  // namespace hector::types
