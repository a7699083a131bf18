// What: asks an Object for its state, and gives a successor its predecessor's.
// Why: a party that is replaced and an Object that moves hand over what they remember.
// Who: the coordinator, relocation, the lifecycle of Objects.
#pragma once

#include <optional>
#include <string>

#include "objects/object_host.h"

namespace hector {

/// Nothing where the template of the Object has no state. Blocks until it has answered;
/// DEADLINE_EXCEEDED after five seconds.
Result<std::optional<Bytes>> saved_state(ObjectHost& host);
/// Blocks likewise. FAILED_PRECONDITION: its template takes no state.
Status restore_state(ObjectHost& host, const std::string& state);

}  // namespace hector
