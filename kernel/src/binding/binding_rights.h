// What: the rights that a Binding needs, and which of them Policy does not give.
// Why: a Binding is made of what each party may do: who plays a role, and who calls what. Its
// making, its changes and its re-check ask the same questions.
// Who: PartyFinder, BindingController.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "binding/formation.h"
#include "channel/rights.h"

namespace hector {

/// A party needs it as long as it takes part.
struct NeededRight {
  Place holder;
  RightsQuestion question;
  std::string text;  ///< "'ben' (capsule:south/ben) may not play role 'attendee'"
};

/// How far a Binding's parties are known.
struct RightsView {
  std::string_view initiator;     ///< the principal that binds
  std::uint64_t own_capsule = 0;  ///< its Objects are who they are
  bool are_peers_proved = false;  ///< channels prove the capsules at their other ends
  /// Only what this place holds, or is called for; none: all.
  std::optional<Place> only = std::nullopt;
};
std::vector<NeededRight> needed_rights(const Formation& formation, const RightsView& view);

struct MissingRight {
  Place holder;
  std::string reason;   ///< the right's text, and why it is not given
  bool is_said = true;  ///< by Policy; else it could not be asked
};
/// Asks Policy, each question once. Blocks.
class RightsCheck {
 public:
  explicit RightsCheck(const Rights& rights) : rights_(rights) {}
  [[nodiscard]] std::vector<MissingRight> missing(const std::vector<NeededRight>& needed);

 private:
  const Rights& rights_;
  std::map<std::string, RightsAnswer> answers_;  ///< by question
};

/// PERMISSION_DENIED with every reason.
Error denied(const std::vector<MissingRight>& missing);

}  // namespace hector
