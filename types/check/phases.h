// What: the timed phases of a Binding type's protocol, `e before TIME`: those that may stay empty,
// and those that may not.
// Why: whoever runs the timer, and whoever may refuse a late message, follows from the type alone
// (types.md 3, C4).
// Who: the check of Binding types; sessions, which run the timers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// How often each interaction stands in an expression, by name.
std::map<std::string, int> occurrences(const hector::type::v1::Expression& expression);

/// A phase `e before TIME` whose e may be empty, with how often each interaction stands in it.
struct OptionalPhase {
  std::map<std::string, int> interactions;
  std::uint64_t time_ms = 0;
};
std::vector<OptionalPhase> optional_phases(const hector::type::v1::Binding& binding);
/// The single role at one end of all the phase's interactions; "" if there is none, or it may have
/// many members.
std::string single_receiver(const hector::type::v1::Binding& binding, const OptionalPhase& phase);
std::string single_initiator(const hector::type::v1::Binding& binding, const OptionalPhase& phase);

/// An optional phase as a session runs it.
struct TimedPhase {
  std::vector<std::uint32_t> interactions;
  std::uint64_t time_ms = 0;
  /// Runs the timer: the single receiver, or else the single initiator.
  std::string counting_role;
  bool is_refusable = false;  ///< the receiver runs the timer, and refuses what comes later
};
std::vector<TimedPhase> timed_phases(const hector::type::v1::Binding& binding);

/// A phase that may not be empty: if it is still open at its deadline, the Binding fails. The role
/// that may begin it runs the timer. Only phases whose interactions occur nowhere else: when others
/// begin cannot be told.
struct MandatoryPhase {
  std::vector<std::uint32_t> interactions;
  std::vector<std::uint32_t> first;  ///< those it may begin with
  std::uint64_t time_ms = 0;
};
std::vector<MandatoryPhase> mandatory_phases(const hector::type::v1::Binding& binding);

/// By interaction: whether it may be refused because its time is over (C4).
std::vector<bool> refusable_interactions(const hector::type::v1::Binding& binding);

}  // namespace hector::types
