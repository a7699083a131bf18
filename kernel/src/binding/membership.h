// What: MembershipChange, a Binding that runs gets other members: a moment for it is waited for,
// and the parties are given the order that the new members make.
// Why: the order depends on how many members there are, so what has happened must be a beginning
// of both.
// Who: BindingController::join and leave.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "binding/participants.h"
#include "binding/party_finder.h"

namespace hector {

/// One change; one thread, that may block.
class MembershipChange {
 public:
  /// All of it outlives the change.
  struct Options {
    PartyFinder& finder;
    const Clock& clock;
    const Formation& present;
    const std::set<std::uint64_t>& lost;  ///< capsules that do not answer any more
    /// The Binding resumes, with the present parties.
    std::function<void()> resume;
    /// Waits for a short time; false: nothing will happen any more.
    std::function<bool(Duration)> pause;
  };
  explicit MembershipChange(Options options) : options_(std::move(options)) {}

  /// Waits for a moment at which all that has happened is a beginning of the order that `next`
  /// makes, without what was exchanged with `leaving`, and freezes the Binding there. The history
  /// that all parties share. FAILED_PRECONDITION, beginning with `what`: there was none in time,
  /// and the Binding has resumed.
  Result<std::vector<types::Symbol>> await_moment(const Formation& next,
                                                  std::optional<Place> leaving, Duration longest,
                                                  const std::string& what);
  /// Every party but `except` gets these members, and stands where the history says.
  Status reconfigure(const Formation& next, const std::vector<types::Symbol>& history,
                     std::optional<Place> except);

 private:
  /// Frozen with nothing in flight; none: something was for too long, or a capsule did not answer.
  std::optional<PartyPositions> quiesce();
  Participants participants();

  const Options options_;
};

}  // namespace hector
