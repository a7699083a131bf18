// What: the rules C1, C2, C3 and C5 on G, the automaton of a whole Binding with a number of members
// in each role (types.md 3).
// Why: they ask what each party can know in each global state, which no other rule needs.
// Who: check_binding().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hector/conformance.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// The largest G that is looked into, and the most local states of all parties together: a check
/// takes some seconds at most. What is over them is refused with the rule "limits".
inline constexpr std::size_t kCheckStatesMax = 4'096;
inline constexpr std::size_t kCheckLocalStatesMax = 50'000;

/// Thrown where a limit is reached, within types/check only.
struct TooLargeToCheck {
  std::string text;
};

/// The first of the rules that fails, with its shortest trace. `refusable`: by interaction
/// (refusable_interactions()). Throws TooLargeToCheck.
std::optional<Finding> check_choreography(const hector::type::v1::Binding& binding,
                                          const std::vector<std::uint32_t>& members,
                                          const std::vector<bool>& refusable);

}  // namespace hector::types
