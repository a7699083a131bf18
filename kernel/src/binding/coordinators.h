// What: Coordinators, questions to the coordinators of other capsules and of this one.
// Why: the target of each capsule's coordinator is made once for all that one change asks of it.
// Who: PartyFinder, the pipeline, BindingController.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "hector/coordinator.hector.h"
#include "party/core.h"

namespace hector {

/// One thread at a time, that may block.
class Coordinators {
 public:
  /// Then it counts as one that does not answer.
  static constexpr Duration kAnsweredWithin = std::chrono::seconds(10);
  explicit Coordinators(Core& core) : core_(core) {}

  /// Asks the coordinator of the capsule that a reference leads to. Blocks until it has answered.
  template <class In, class Out>
  Result<Out> tell(const Reference& capsule, OperationOf<In, Out> operation, const In& request,
                   Duration within = kAnsweredWithin) {
    Target* const target = HECTOR_TRY(coordinator(capsule));
    const auto& clock = *core_.options.clock;
    return ask(*target, clock, operation, request, clock.now() + within);
  }

 private:
  Result<Target*> coordinator(const Reference& capsule);

  Core& core_;
  std::map<std::uint64_t, std::unique_ptr<Target>> known_;  ///< by capsule
};

/// Asks whether this very capsule is there: not when another one answers at its address. Blocks
/// until the ping is on its way; `done` comes once, on any thread.
void ping_capsule(Core& core, const Reference& capsule, Deadline deadline,
                  std::function<void(bool is_there)> done);

}  // namespace hector
