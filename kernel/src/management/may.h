// What: what `hector auth can-i` asks: an action and a resource as people write them, as the
// question that the kernel itself would ask.
// Why: an answer by other words would be another answer.
// Who: the management Object.
#pragma once

#include "hector/management/v1/auth.pb.h"
#include "hector/service/policy.h"
#include "management/asker.h"

namespace hector {

/// INVALID_ARGUMENT: the resource is none, and the action does not say of what kind it is.
Result<RightsQuestion> question_of(const management::v1::MayRequest& request, const Caller& asker,
                                   const std::string& capsule);

}  // namespace hector
