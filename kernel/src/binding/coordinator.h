// What: the coordinator Object of each capsule (hector.Coordinator/1): it describes Offers, and
// prepares, commits, releases and moves parties' sessions.
// Why: a Binding's parties are in several capsules; all are wired or none.
// Who: the pipeline of whichever capsule binds; capsules that unload a protocol.
#pragma once

#include <memory>

#include "binding/part_rights.h"
#include "hector/language.h"
#include "party/core.h"

namespace hector {

/// `rights` outlives it.
std::unique_ptr<Servant> make_coordinator(Core& core, PartRights& rights);

}  // namespace hector
