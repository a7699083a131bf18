// What: the header and the request of the question.
// Why: see ping.h.
// Who: the coordinator and party/changes.cc.
#include "channel/ping.h"

#include "hector/kernel/v1/kernel.pb.h"
#include "hector/message_calls.h"

namespace hector {

void write_ping(Call& call) {
  hector::kernel::v1::OfferQuery query;
  query.set_object(kCoordinatorName);
  call.header.object = kCoordinatorName;
  call.header.interface_name = "hector.Coordinator";
  call.header.operation_name = "describe_offer";
  call.header.operation = kByName;
  call.request = write_message(query);
}

}  // namespace hector
