#include "capsule/object_handle.h"

#include "binding/party_finder.h"
#include "party/target.h"

namespace hector {

Result<std::unique_ptr<Target>> ObjectHandle::resolve(std::string_view who) {
  if (auto joined = reach_.providers.joined(std::string(who))) return joined;
  const auto reference =
      HECTOR_TRY(resolve_reference(reach_.core, reach_.providers.services(), who));
  return make_target(reach_.core, reference, principal_);
}

Result<NamingService*> ObjectHandle::naming() {
  if (auto* const naming = reach_.providers.services().naming) return naming;
  return fail(Error::unavailable(
      "this capsule has no Naming service; load services/naming, or join another capsule's"));
}

Result<TradingService*> ObjectHandle::trading() {
  if (auto* const trading = reach_.providers.services().trading) return trading;
  return fail(Error::unavailable(
      "this capsule has no Trading service; load services/trading, or join another capsule's"));
}

Result<std::uint64_t> ObjectHandle::bind(const BindRequest& request) {
  BindRequest own = request;
  own.initiator = principal_;
  const auto controller = HECTOR_TRY(reach_.bindings.bind(own));
  return controller->id();
}

Status ObjectHandle::unbind(std::uint64_t binding) { return reach_.bindings.unbind(binding); }

Status ObjectHandle::advertise(const std::map<std::string, std::string>& properties) {
  return reach_.advertise(object_, properties);
}

}  // namespace hector
