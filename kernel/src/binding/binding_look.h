// What: BindingLook, where the parties of a Binding stand, what they hold and what they wait for,
// as all their capsules say at one time; and what follows from it.
// Why: a Binding that is stuck is not active: who looks must see which message waits for whom.
// Who: BindingController.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "binding/coordinators.h"
#include "binding/wait_graph.h"
#include "hector/binding/v1/binding.pb.h"

namespace hector {

/// Asks every capsule on construction, and blocks until they have answered, at most kAnsweredWithin
/// for each. One thread, that may block. The Formation outlives it.
class BindingLook {
 public:
  /// Looking takes no time; a capsule that is slower is not waited for.
  static constexpr Duration kAnsweredWithin = std::chrono::milliseconds(300);

  BindingLook(Coordinators& coordinators, const Formation& formation,
              const std::set<std::uint64_t>& lost);

  [[nodiscard]] const WaitGraph& graph() const { return graph_; }
  /// The first held message and what it waits for; empty: none is held.
  [[nodiscard]] std::string held() const;
  /// Held messages whose calls have not ended.
  [[nodiscard]] std::uint32_t held_count() const;
  /// Whether all have answered, and their positions have no common history: a message is on its
  /// way, or was lost.
  [[nodiscard]] bool disagrees() const;
  /// Whether the parties stand where they stood then.
  [[nodiscard]] bool is_as(const BindingLook& other) const;
  /// Adds the parties, and who waits for whom.
  void show(binding::v1::State& state) const;

 private:
  const Formation& formation_;
  WaitGraph graph_;
  struct Party {
    Place place;
    std::optional<kernel::v1::PartyLook> look;
    std::string problem;
  };
  std::vector<Party> parties_;  ///< all of the Formation, in its order
};

}  // namespace hector
