// What: the small question that every capsule answers.
// Why: whether a partner can be reached is found out before a call depends on it.
// Who: the connect stage of a Binding; channels that move to another protocol.
#pragma once

#include "hector/call.h"

namespace hector {

/// The Object of each capsule that answers it.
inline constexpr const char* kCoordinatorName = "_coordinator";

/// Fills header and request; the deadline is the caller's. Any answer is one: a foreign server does
/// not know the question.
void write_ping(Call& call);

}  // namespace hector
