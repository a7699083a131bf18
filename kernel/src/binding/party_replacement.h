// What: PartyReplacement, another party put in the place of one of a Binding that runs, under
// traffic.
// Why: its steps go through several capsules, and each has its undo: prepare, warm up, take over
// (or reconstruct), replace, activate.
// Who: BindingController::rebind.
#pragma once

#include <functional>
#include <set>

#include "binding/participants.h"
#include "binding/party_finder.h"
#include "hector/binding/v1/binding.pb.h"

namespace hector {

/// kTakeOver: from the present party, which quiesces and hands over. kReconstruct: from what the
/// others report; it is lost.
enum class Handover { kTakeOver, kReconstruct };

/// One replacement; one thread, that may block.
class PartyReplacement {
 public:
  /// All of it outlives the PartyReplacement.
  struct Options {
    PartyFinder& finder;
    const Clock& clock;
    const Formation& present;
    const std::set<std::uint64_t>& lost;  ///< capsules that do not answer any more
    Duration grace{};                     ///< that the present party gets to quiesce
    /// The Binding resumes, with these parties.
    std::function<void(const Formation&)> resume;
  };
  /// The successor takes over the session's id of the present party, which must be there.
  PartyReplacement(Options options, Place place, Candidate successor);

  /// On every error the Binding goes on as it was. DEADLINE_EXCEEDED: the present party did not
  /// quiesce within the grace; FAILED_PRECONDITION: a lost one's position cannot be reconstructed.
  Result<binding::v1::Rebound> run(Handover handover);
  /// With the successor.
  [[nodiscard]] const Formation& next() const { return next_; }
  /// For people: who came for whom, and how long calls waited.
  [[nodiscard]] std::string text(const binding::v1::Rebound& rebound) const;

 private:
  const Candidate& before() const { return options_.present.at(place_); }
  const Candidate& after() const { return next_.at(place_); }
  Participants participants(const Formation& formation);
  kernel::v1::PlacedOffer placed(const Candidate& party) const;
  Status prepare();
  /// The channels of all that call the place, to its party in this Formation.
  Result<kernel::v1::Replace> routes_to(const Formation& formation);
  Result<kernel::v1::Position> take_over();
  Result<kernel::v1::Position> reconstruct();
  /// From here on each step has to be undone.
  Status put_successor(const kernel::v1::Position& position);
  void drop(const Candidate& party);

  const Options options_;
  const Place place_;
  Formation next_;
  kernel::v1::Replace routes_;
};

}  // namespace hector
