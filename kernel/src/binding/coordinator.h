// What: the coordinator Object of each capsule: it describes Offers, and prepares, commits,
// releases and moves parties' sessions.
// Why: a Binding's parties are in several capsules; all are wired or none.
// Who: the pipeline of whichever capsule binds; capsules that unload a protocol.
#pragma once

#include "channel/ping.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "party/core.h"

namespace hector {

inline constexpr const char* kCoordinatorInterface = "hector.Coordinator/1";
/// In the Interface's order.
enum class CoordinatorOperation : std::uint32_t {
  kDescribe,
  kPrepare,
  kCommit,
  kRelease,
  kMove,
  // While a Binding runs:
  kPause,        ///< calls to a place wait; what was sent to it
  kFreeze,       ///< the whole Binding waits; where its parties stand
  kHandOver,     ///< a party comes to rest: its position and state
  kArrived,      ///< waits until what a party sent has arrived
  kAdopt,        ///< a prepared party takes its place
  kActivate,     ///< and begins
  kWarm,         ///< channels that kReplace will need are opened
  kReplace,      ///< the channels to a place lead to another party
  kReconfigure,  ///< other members, and the order they make
  kLose,         ///< a place's party is gone
  kResume,       ///< the Binding goes on
  kDrop,         ///< one party's session ends
  kSuspect,      ///< to the binder: look after this place
};
std::string coordinator_operation_name(CoordinatorOperation operation);

hector::type::v1::Interface coordinator_interface();
std::unique_ptr<Servant> make_coordinator(Core& core);

/// The Interface of an Offer in another capsule, added to the types known here if no other has its
/// id. Blocks.
Result<types::CompiledPtr> describe_offer(Core& core, const Reference& reference);
/// Without id, for Objects named by capsule and name only: the full reference too.
Result<hector::kernel::v1::OfferDescription> describe_remote(Core& core,
                                                             const Reference& reference);

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
