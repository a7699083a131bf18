// What: a history that every party of a Binding can believe in: a word of the whole protocol made
// of where each of them stands.
// Why: a member that joins or leaves makes another protocol of it; the Binding goes on only if what
// has happened is a beginning of that one as well. A party that is lost told nobody where it stood;
// the others know.
// Who: changes of a Binding that runs.
#pragma once

#include <optional>
#include <vector>

#include "types/order/projection.h"

namespace hector::types {

/// Where one party stands: its monitor's way.
struct PartyWay {
  std::uint32_t role = 0;
  std::uint32_t member = 0;
  std::vector<Symbol> way;
};

/// A word over global symbols that the protocol with these members allows to begin with, and that
/// each of the parties sees as its own way. Members of the view that are not among the parties
/// (servers of other systems, lost ones) may have seen anything. None if there is none, or none was
/// found in time.
std::optional<std::vector<Symbol>> common_history(const hector::type::v1::Binding& binding,
                                                  const View& view,
                                                  const std::vector<PartyWay>& parties);

/// What one member sees of such a word.
std::vector<Symbol> seen_by(const hector::type::v1::Binding& binding,
                            const std::vector<Symbol>& history, std::uint32_t role,
                            std::uint32_t member);

/// A way without what was exchanged with one member of another role.
std::vector<Symbol> without(const hector::type::v1::Binding& binding, const PartyWay& party,
                            std::uint32_t role, std::uint32_t member);

}  // namespace hector::types
