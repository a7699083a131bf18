#include "capsule/object_handle.h"

#include "binding/formation.h"
#include "capsule/kernel_impl.h"
#include "party/target.h"

namespace hector {

const std::string& ObjectHandle::name() const noexcept { return kernel_.core().options.capsule; }
const Clock& ObjectHandle::clock() const noexcept { return *kernel_.core().options.clock; }
Executor& ObjectHandle::executor() noexcept { return *kernel_.core().options.executor; }
Log& ObjectHandle::log() noexcept { return *kernel_.core().options.log; }

Result<std::shared_ptr<Target>> ObjectHandle::resolve(std::string_view who) {
  if (auto joined = kernel_.providers().joined(std::string(who))) return joined;
  const auto reference =
      HECTOR_TRY(resolve_reference(kernel_.core(), kernel_.providers().services(), who));
  return make_target(kernel_.core(), reference);
}

Result<NamingService*> ObjectHandle::naming() {
  if (auto* const naming = kernel_.providers().services().naming) return naming;
  return fail(Error::unavailable(
      "this capsule has no Naming service; load services/naming, or join another capsule's"));
}

Result<TradingService*> ObjectHandle::trading() {
  if (auto* const trading = kernel_.providers().services().trading) return trading;
  return fail(Error::unavailable(
      "this capsule has no Trading service; load services/trading, or join another capsule's"));
}

Result<std::uint64_t> ObjectHandle::bind(const BindRequest& request) {
  const auto controller = HECTOR_TRY(kernel_.bindings().bind(request));
  return controller->id();
}

Status ObjectHandle::unbind(std::uint64_t binding) { return kernel_.bindings().unbind(binding); }

Status ObjectHandle::advertise(const std::map<std::string, std::string>& properties) {
  return kernel_.advertise(object_, properties);
}

}  // namespace hector
