#include "types/model/qos_values.h"

namespace hector::types {

const std::vector<std::string>& orderings() {
  static const std::vector<std::string> kKnown{"none", "fifo", "total"};
  return kKnown;
}
const std::vector<std::string>& privacies() {
  static const std::vector<std::string> kKnown{"none", "required"};
  return kKnown;
}
const std::vector<std::string>& reliabilities() {
  static const std::vector<std::string> kKnown{"best_effort", "at_least_one", "majority", "all"};
  return kKnown;
}

}  // namespace hector::types
