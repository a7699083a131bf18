// What: the names of the coordinator's Interface and operations.
// Why: parties report to the coordinator of their Binding's initiator; the coordinator itself
// (binding/coordinator.h) stands on parties.
// Who: parties and the coordinator.
#pragma once

#include <cstdint>
#include <string>

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
  kHandOver,     ///< a party quiesces: its position and state
  kArrived,      ///< waits until what a party sent has arrived
  kAdopt,        ///< a prepared party takes its place
  kActivate,     ///< and becomes active
  kWarm,         ///< opens the channels that kReplace will need
  kReplace,      ///< the channels to a place lead to another party
  kReconfigure,  ///< other members, and the order they make
  kLose,         ///< a place's party is gone
  kResume,       ///< pending calls continue
  kDrop,         ///< one party's session ends
  kSuspect,      ///< to the initiator: this place's party may be lost
};
std::string coordinator_operation_name(CoordinatorOperation operation);

}  // namespace hector
