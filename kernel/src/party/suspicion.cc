#include "party/suspicion.h"

#include "hector/message_calls.h"
#include "party/coordinator_names.h"
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
    auto target = coordinator_of(core, initiator);
    if (!target) return;
    auto& call = CallbackCall::make([keep = *target](Call&) {});
    call.header.operation_name = coordinator_operation_name(CoordinatorOperation::kSuspect);
    call.header.deadline = core.options.clock->now() + kReportWithin;
    call.request = write_message(place);
    (*target)->start(call);
  });
}

}  // namespace hector
