#include "types/model/qos.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::Interaction;
using hector::type::v1::Qos;

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

bool is_private(const Qos& qos) { return qos.privacy() == "required"; }

Qos required_qos(const Binding& binding, const Interaction& interaction) {
  Qos qos = binding.qos();
  qos.clear_cost_max();
  qos.MergeFrom(interaction.qos());
  return qos;
}

}  // namespace hector::types
