// What: the instantiation of a Binding: a pipeline of named stages, all or nothing.
// Why: a failure at any stage or party names itself with its reasons and leaves nothing behind.
// Who: Capsule::bind, management.
#pragma once

#include "binding/core.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "hector/management/v1/management.pb.h"

namespace hector {

/// What management shows of a Binding that this capsule made.
struct BindingRecord {
  std::uint64_t id = 0;
  hector::type::v1::Binding type;
  std::vector<Reference> capsules;  ///< one Object's reference for each capsule that takes part
  hector::management::v1::BindReply explained;
};

/// The services as the kernel uses them.
struct Services {
  NamingService* naming = nullptr;
  TradingService* trading = nullptr;
};

/// Stages: "resolve", "conformance", "authorise", "negotiate", "reserve", "commit"; each error's message begins with its own.
/// Blocks. With `explain_only` nothing is reserved.
Result<BindingRecord> instantiate(Core& core, const Services& services, const BindRequest& request, bool explain_only);
/// Ends it in every capsule; best effort where one is gone.
void release(Core& core, const BindingRecord& record);
/// A name, a reference or an Object here, as a full reference.
Result<Reference> resolve_reference(Core& core, const Services& services, std::string_view who);

std::string id_text(std::uint64_t id);

}  // namespace hector
