// What: References as messages.
// Why: what capsules say to each other is Protobuf.
// Who: everything in the kernel that sends a reference.
#pragma once

#include "hector/kernel/v1/kernel.pb.h"
#include "hector/reference.h"

namespace hector {

hector::kernel::v1::Reference to_model(const Reference& reference);
Reference from_model(const hector::kernel::v1::Reference& model);

}  // namespace hector
