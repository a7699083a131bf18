// What: the known values of quality of service that are words.
// Why: a type file is read against them, and checks compare by their order.
// Who: type_parts.cc, types/check/qos.cc, drawing and help.
#pragma once

#include <string>
#include <vector>

namespace hector::types {

/// From the weakest to the strongest.
const std::vector<std::string>& orderings();
const std::vector<std::string>& privacies();
const std::vector<std::string>& reliabilities();

}  // namespace hector::types
