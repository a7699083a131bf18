// What: a common history of a Binding: one word of the whole protocol that explains the trace of
// each of its parties.
// Why: a member that joins or leaves makes another protocol of it; the Binding continues only if
// what has happened is a beginning of that one too. A lost party's state is reconstructed from what
// the others have seen.
// Who: changes of a running Binding.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "types/order/projection.h"

namespace hector::types {

/// What one party has seen: its monitor's trace.
struct PartyTrace {
  std::uint32_t role = 0;
  std::uint32_t member = 0;
  std::vector<Symbol> trace;
};

/// A word over global symbols that the protocol with these members allows to begin with, and that
/// each party sees as its own trace. Members of the view that are not among the parties (foreign
/// servers, lost ones) may have seen anything. Nothing if there is no such word, or the search
/// reached its limit.
std::optional<std::vector<Symbol>> common_history(const hector::type::v1::Binding& binding,
                                                  const View& view,
                                                  const std::vector<PartyTrace>& parties);

/// Where parties whose traces have no common history can go on together: each keeps a beginning of
/// its trace.
enum class Agreement : std::uint8_t {
  kLast,   ///< as much as has a common history
  kRound,  ///< of that the longest beginning after which the protocol may end: a round is over
};
/// Such a history; empty: the start, which all agree on.
std::vector<Symbol> agreed_history(const hector::type::v1::Binding& binding, const View& view,
                                   const std::vector<PartyTrace>& parties, Agreement agreement);

/// The trace of one member in such a word.
std::vector<Symbol> seen_by(const hector::type::v1::Binding& binding,
                            const std::vector<Symbol>& history, std::uint32_t role,
                            std::uint32_t member);

/// A trace without what was exchanged with one member of another role.
std::vector<Symbol> without(const hector::type::v1::Binding& binding, const PartyTrace& party,
                            std::uint32_t role, std::uint32_t member);

}  // namespace hector::types
