// What: quality of service as types say it: the known values of each dimension, and what an
// interaction requires.
// Why: reading a type, checking it and measuring a channel use the same words and the same order of
// strength.
// Who: the type reader, conformance, channels (which measure it).
#pragma once

#include <string>
#include <vector>

#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// What an interaction says itself, else what its Binding type says for all. cost_max is not
/// inherited: it limits the whole Binding.
hector::type::v1::Qos required_qos(const hector::type::v1::Binding& binding,
                                   const hector::type::v1::Interaction& interaction);
[[nodiscard]] bool is_private(const hector::type::v1::Qos& qos);

/// The known values, from the weakest to the strongest.
const std::vector<std::string>& orderings();
const std::vector<std::string>& privacies();
const std::vector<std::string>& reliabilities();

}  // namespace hector::types
