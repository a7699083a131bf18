// What: the text of the types in standard/, put into the library by the build.
// Why: every capsule and every tool knows them without a file.
// Who: interaction_type.cc.
#pragma once

#include <string_view>

namespace hector::types {

extern const std::string_view kStandardTypes;

}  // namespace hector::types
