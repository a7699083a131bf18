// What: the instantiation of a Binding: a pipeline of named stages, all or nothing.
// Why: a failure at any stage or party names itself with its reasons and leaves nothing behind.
// Who: Capsule::bind, management.
#pragma once

#include "binding/formation.h"

namespace hector {

/// A Binding as it was made.
struct BindingRecord {
  Formation formation;
  hector::management::v1::BindReply explained;
};

/// Stages: "resolve", "conformance", "authorise", "price", "negotiate", "reserve", "commit"; each
/// error's message begins with its own. Blocks. With `explain_only` nothing is reserved.
Result<BindingRecord> instantiate(Core& core, const Services& services, const BindRequest& request,
                                  bool explain_only);
/// Ends it in every capsule; best effort where one is gone.
void release(Core& core, const Formation& formation, const std::string& why = "it was released",
             Code code = Code::kUnavailable);

}  // namespace hector
