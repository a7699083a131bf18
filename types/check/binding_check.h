// What: whether a Binding type can work at all: C0 to C5.
// Why: parties that keep to a type that was accepted never run into a dead end; one that was
// refused says who would, and how.
// Who: the type repository when a Binding type is registered, `hector type check`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "types/model/compiled_interface.h"

namespace hector::types {

/// The first rule that a Binding type breaks.
struct BindingFault {
  std::string rule;                ///< "names", "C0" … "C5", or "limits": too large to be decided
  std::string text;                ///< in words, with the parties
  std::vector<std::string> trace;  ///< interactions, shortest
  std::vector<std::string> who;    ///< roles
};

/// Largest automata that are looked into; what is over them is refused as "limits".
inline constexpr std::size_t kCheckStatesMax = 4'096;
inline constexpr std::size_t kCheckLocalStatesMax = 50'000;

/// What is wrong with a model that came from elsewhere and was not read here: names that nothing
/// has. "" if nothing is.
std::string malformed(const hector::type::v1::Binding& binding);

/// An Interface by its id where it is known, else null: then its operations are not looked at.
using InterfaceLookup = std::function<const CompiledInterface*(const std::string& id)>;

/// types.md 3: names, C4 and C0, then for 1, 2 and 3 members of each many role C1, C2, C3, C5.
/// Nothing: it can work.
std::optional<BindingFault> check_binding(const hector::type::v1::Binding& binding,
                                          const InterfaceLookup& known);

/// The numbers of members that a Binding type is checked with, by role; without repetition.
std::vector<std::vector<std::uint32_t>> checked_sizes(const hector::type::v1::Binding& binding);
/// Interactions that may be refused because their time is over (C4).
std::vector<bool> refusable_interactions(const hector::type::v1::Binding& binding);
/// A phase `e before TIME` whose e may be empty (C4): its interactions, its time, and who counts
/// it.
struct TimedPhase {
  std::vector<std::uint32_t> interactions;
  std::uint64_t time_ms = 0;
  std::string counting_role;  ///< their single receiver, or else their single initiator
  bool is_refusable = false;  ///< the receiver counts, and refuses what comes later
};
/// A phase that may not be empty: when its time is over before it is, the Binding fails. Who may
/// begin it counts. Only phases whose interactions occur nowhere else: of others nobody could tell
/// when they begin.
struct MandatoryPhase {
  std::vector<std::uint32_t> interactions;
  std::vector<std::uint32_t> first;  ///< those it may begin with
  std::uint64_t time_ms = 0;
};
std::vector<MandatoryPhase> mandatory_phases(const hector::type::v1::Binding& binding);
std::vector<TimedPhase> timed_phases(const hector::type::v1::Binding& binding);
/// A refusal as an Error of type kIncompatible.
Error cannot_work(const std::string& id, const BindingFault& fault);

}  // namespace hector::types
