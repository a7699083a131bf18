// What: the instantiation of a Binding: a pipeline of named stages, all or nothing.
// Why: a failure at any stage or party names itself with its reasons and leaves nothing behind.
// Who: Capsule::bind, management.
#pragma once

#include "binding/formation.h"
#include "hector/capsule.h"
#include "hector/management/v1/management.pb.h"
#include "party/core.h"
#include "services/service_clients.h"

namespace hector {

/// A Binding as it was made.
struct BindingRecord {
  Formation formation;
  hector::management::v1::BindReply explained;
  std::string initiator = {};  ///< the principal that binds
};

enum class Instantiate { kNow, kExplainOnly };

/// Stages: "resolve", "conformance", "authorise", "price", "negotiate", "reserve", "commit"; each
/// error's message begins with its own. Blocks. With kExplainOnly nothing is reserved.
Result<BindingRecord> instantiate(Core& core, const Services& services, const BindRequest& request,
                                  Instantiate mode);
/// What calls are told after a Binding has ended.
struct ReleaseReason {
  std::string why = "it was released";
  Code code = Code::kUnavailable;
};
/// Ends it in every capsule; best effort where one is gone. Blocks for a second at most where one
/// does not answer.
void release(Core& core, const Formation& formation, const ReleaseReason& reason = {});

}  // namespace hector
