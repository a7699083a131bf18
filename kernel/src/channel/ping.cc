// What: the header and the request of the question.
// Why: see ping.h.
// Who: the coordinator and party/changes.cc.
#include "channel/ping.h"

#include "hector/coordinator.hector.h"

namespace hector {

void write_ping(Call& call) {
  hector::kernel::v1::OfferQuery query;
  query.set_object(kCoordinatorName);
  write_call(call, CoordinatorOperations::kDescribeOffer, query);
  call.header.object = kCoordinatorName;
  call.header.interface_name = "hector.Coordinator";
}

}  // namespace hector
