// What: an Interface as a gRPC service; the way back, import_services(), is in hector/authoring.h.
// Why: what speaks gRPC alone can call an Object.
// Who: `hector type import|export`.
#pragma once

#include <string>

#include "hector/authoring.h"
#include "types/model/compiled_interface.h"

namespace hector::types {

/// The .proto file with the Interface's service; what .proto cannot say (order, what it initiates,
/// QoS) stands in comments. "" if the Interface has no operations.
std::string export_service(const CompiledInterface& interface);

}  // namespace hector::types
