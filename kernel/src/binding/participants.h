// What: Participants, the capsules that take part in one Binding and are there: all are told the
// same, and all are asked where their parties stand.
// Why: each step of a change goes to all of them; one that is lost must not hold it up.
// Who: BindingController, PartyReplacement, MembershipChange.
#pragma once

#include <set>
#include <vector>

#include "binding/coordinators.h"
#include "binding/positions.h"

namespace hector {

/// kStarts: nobody starts anything any more. kAll: what arrives waits as well.
enum class Freeze { kStarts, kAll };

/// One thread at a time, that may block. The client and the Formation outlive it.
class Participants {
 public:
  /// `lost`: capsules that do not answer any more.
  Participants(Coordinators& client, const Formation& formation,
               const std::set<std::uint64_t>& lost);

  [[nodiscard]] const std::vector<Reference>& capsules() const { return capsules_; }
  /// Tells one after the other until one refuses.
  template <class In>
  Status tell(OperationOf<In, kernel::v1::Empty> operation, const In& message,
              Duration within = Coordinators::kAnsweredWithin) {
    for (const auto& capsule : capsules_)
      HECTOR_TRY(client_.tell(capsule, operation, message, within));
    return {};
  }
  /// Tells every one, whatever the others say; what they say does not matter.
  template <class In>
  void tell_anyway(OperationOf<In, kernel::v1::Empty> operation, const In& message) {
    for (const auto& capsule : capsules_)
      static_cast<void>(client_.tell(capsule, operation, message));
  }
  /// INTERNAL: a capsule reported what cannot be of this Binding.
  Result<PartyPositions> freeze(Freeze what);
  void resume();

 private:
  Coordinators& client_;
  const Formation& formation_;
  std::vector<Reference> capsules_;
};

}  // namespace hector
