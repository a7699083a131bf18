// What: a policy's text as a boolean, an integer, a real, a duration or a list.
// Why: X resources are text; who needs a number is told where the entry stands that is none.
// Who: the operation get_typed.
#pragma once

#include <string>

#include "hector/service/v1/policy.pb.h"

namespace hector::policy {

/// "boolean", "integer", "real", "duration", "list", "text".
bool is_type(const std::string& type);
/// False if the text is no value of the type, or there is no such type.
bool read_typed(const std::string& type, const std::string& text,
                hector::service::v1::PolicyTyped& typed);

}  // namespace hector::policy
