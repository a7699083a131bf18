// What: whether messages, and operations with their messages, fit each other.
// Why: what one side writes, the other must read without loss; the signature is the first of the
// rules of conformance (ISO/IEC 10746-3, 7.2.4).
// Who: conformance, upgrades.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "hector/conformance.h"
#include "types/model/compiled_interface.h"
#include "types/order/projection.h"

namespace hector::types {

/// Whether `sent` may be given to a receiver that expects `expected`. Findings are appended, each
/// with `where` in front.
void check_message(const google::protobuf::Descriptor& sent,
                   const google::protobuf::Descriptor& expected, const std::string& where,
                   std::vector<Finding>& findings);

/// Whether the operations that `offered` handles and starts fit those of the order, as `required`
/// declares them. Findings are appended.
void check_signatures(const CompiledInterface& offered, const RoleOrder& order,
                      const CompiledInterface& required, std::vector<Finding>& findings);

/// Null if there is none of this name.
const Operation* find_in(const std::vector<Operation>& operations, const std::string& name);

}  // namespace hector::types
