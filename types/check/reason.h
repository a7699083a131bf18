// What: Reason, one reason why something does not conform.
// Why: every check gives all of its reasons, each with its rule and the shortest trace.
// Who: conformance, qos, binding checks, versions.
#pragma once

#include <string>
#include <vector>

namespace hector::types {

struct Reason {
  std::string rule;  ///< "signature", "R1" … "R5", "concurrency", "qos"
  std::string text;
  std::vector<std::string> trace;  ///< shortest; for the order's rules
};

}  // namespace hector::types
