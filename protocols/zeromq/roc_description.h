// What: an Object's members as ROC's rpc.describe answers them, and a Description out of such an
// answer.
// Why: both directions of one format, without a socket.
// Who: ShownWorkers, AdoptedServices.
#pragma once

#include <string>
#include <vector>

#include "json_values.h"
#include "objects/description.h"

namespace hector::zeromq {

/// {"class": NAME, "methods": {NAME: [PARAMETER…]}, "attributes": {NAME: "rw"}}
Value write_description(const std::string& class_name,
                        const std::vector<objects::ShownMember>& members);
/// Methods and attributes may be maps, or lists of names. A server that describes nothing has one
/// operation, call(method, params).
objects::Description read_description(const Value& said);
/// Whether that is all it has.
bool has_only_call(const objects::Description& description);

}  // namespace hector::zeromq
