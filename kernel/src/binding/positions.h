// What: Positions, where all parties of a frozen Binding stand, and what follows from it: whether
// anything is in flight, what history they share, where a lost one stood.
// Why: these are pure questions about what capsules reported; the controller only collects and
// acts.
// Who: BindingController.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "binding/formation.h"
#include "types/order/history.h"

namespace hector {

/// A value. One thread at a time; the Formation outlives it.
class PartyPositions {
 public:
  explicit PartyPositions(const Formation& formation) : formation_(formation) {}

  /// False: it speaks of roles, members or interactions that this Binding has not, and nothing is
  /// added. What another capsule says is not trusted.
  [[nodiscard]] bool add(const kernel::v1::PartyPosition& party);
  /// Whether all that was sent has arrived, and nothing that the order has waits to leave.
  [[nodiscard]] bool is_quiescent() const;
  /// The trace of each party, as the order sees it; without what was exchanged with `leaving`, and
  /// without that one.
  [[nodiscard]] std::vector<types::PartyTrace> traces(
      std::optional<Place> leaving = std::nullopt) const;
  /// Where the party of this place stood, which can no longer be asked: from what the others sent
  /// and received, and from a history that all of theirs fit. None: their histories fit no common
  /// one.
  [[nodiscard]] std::optional<kernel::v1::Position> reconstruct(Place lost) const;
  /// The interaction that the first party with a trace took last; empty: nothing has happened.
  [[nodiscard]] static std::string last_interaction(const Formation& formation,
                                                    const std::vector<types::PartyTrace>& traces);

 private:
  struct Party {
    Place place;
    kernel::v1::PartyPosition told;
  };
  using Counts = google::protobuf::RepeatedPtrField<kernel::v1::Count>;
  [[nodiscard]] bool are_places(const Counts& counts) const;
  [[nodiscard]] bool are_symbols(const google::protobuf::RepeatedField<std::uint32_t>& list) const;
  /// Messages from one place that another has received.
  [[nodiscard]] std::uint64_t received(Place from, Place to) const;
  /// Calls to the lost party that the order has and that wait to be sent, as it would have seen
  /// them.
  [[nodiscard]] std::vector<types::Symbol> unsent_to(Place lost) const;

  const Formation& formation_;
  std::vector<Party> parties_;
};

}  // namespace hector
