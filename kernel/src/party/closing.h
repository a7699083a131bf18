// What: ends the sessions that parties of this capsule have in a Binding.
// Why: a session leaves three tables, in one order, whoever ends it.
// Who: the coordinator, the pipeline, the kernel when it stops.
#pragma once

#include <memory>
#include <string>

#include "party/core.h"

namespace hector {

/// Ends every session of a Binding in this capsule.
void close_parties(Core& core, std::uint64_t binding, const std::string& why,
                   Code code = Code::kUnavailable);
/// Ends one.
void close_party(Core& core, PartySession& session, const std::string& why,
                 Code code = Code::kUnavailable);

}  // namespace hector
