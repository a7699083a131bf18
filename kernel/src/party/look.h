// What: look_at, where the parties of one Binding in this capsule stand, what they hold, and which
// calls of it their Objects' threads wait for.
// Why: who waits for whom is known only from all capsules' looks together.
// Who: the coordinator.
#pragma once

#include "hector/kernel/v1/kernel.pb.h"
#include "party/party_table.h"

namespace hector {

/// Waits for nothing and stops nothing: what it shows may be over already.
kernel::v1::Look look_at(const PartyTable::Sessions& sessions);

}  // namespace hector
