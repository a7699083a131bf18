#include "party/suspicion.h"

#include "hector/coordinator.hector.h"
#include "party/target.h"

namespace hector {

namespace {

/// A report that is late is worth nothing: health checks find the loss within two seconds anyway.
constexpr Duration kReportWithin = std::chrono::seconds(1);

}  // namespace

void tell_initiator(Core& core, const Reference& initiator, const kernel::v1::Place& place) {
  if (initiator.capsule_id == core.capsule_id) {
    if (core.on_suspicion) core.on_suspicion(place);
    return;
  }
  core.blocking.run([&core, initiator, place] {  // making a target may block
    const auto target = coordinator_of(core, initiator);
    if (!target) return;
    auto& call = CallbackCall::make([](Call&) {});
    write_call(call, CoordinatorOperations::kSuspect, place,
               core.options.clock->now() + kReportWithin);
    (*target)->start(call);
  });
}

}  // namespace hector
