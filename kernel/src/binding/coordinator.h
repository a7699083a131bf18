// What: the coordinator Object of each capsule: it describes Offers, and prepares, commits,
// releases and moves parties' sessions.
// Why: a Binding's parties are in several capsules; all are wired or none.
// Who: the pipeline of whichever capsule binds; capsules that unload a protocol.
#pragma once

#include "channel/ping.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "party/coordinator_names.h"
#include "party/core.h"

namespace hector {

hector::type::v1::Interface coordinator_interface();
std::unique_ptr<Servant> make_coordinator(Core& core);

/// What an Object hands over to a successor: nothing where its template has no state. Blocks until
/// it has answered.
Result<std::optional<Bytes>> saved_state(ObjectHost& host);
Status restore_state(ObjectHost& host, const std::string& state);

/// Ends every session of a Binding in this capsule.
void close_parties(Core& core, std::uint64_t binding, const std::string& why,
                   Code code = Code::kUnavailable);
/// Ends one.
void close_party(Core& core, const std::shared_ptr<PartySession>& session, const std::string& why,
                 Code code = Code::kUnavailable);

}  // namespace hector
