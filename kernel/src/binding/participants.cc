#include "binding/participants.h"

#include <fmt/format.h>

namespace hector {

Participants::Participants(Coordinators& client, const Formation& formation,
                           const std::set<std::uint64_t>& lost)
    : client_(client), formation_(formation), capsules_(formation.capsules()) {
  std::erase_if(capsules_,
                [&](const Reference& capsule) { return lost.contains(capsule.capsule_id); });
}

Result<PartyPositions> Participants::freeze(Freeze what) {
  kernel::v1::Freeze request;
  request.set_binding(formation_.id);
  request.set_seal(what == Freeze::kAll);
  PartyPositions positions(formation_);
  for (const auto& capsule : capsules_) {
    const auto frozen = HECTOR_TRY(client_.tell(capsule, CoordinatorOperations::kFreeze, request));
    for (const auto& party : frozen.parties()) {
      if (!positions.add(party))
        return fail(Error::internal(
            fmt::format("capsule '{}' reported an invalid position for a party of Binding {}; "
                        "the Binding cannot be changed while it takes part",
                        capsule.capsule, id_text(formation_.id))));
    }
  }
  return positions;
}

void Participants::resume() {
  kernel::v1::BindingId id;
  id.set_binding(formation_.id);
  tell_anyway(CoordinatorOperations::kResume, id);
}

}  // namespace hector
