#include "capsule/bindings.h"

#include <fmt/format.h>

#include "binding/binding_control.h"
#include "call/audited.h"
#include "hector/binding.hector.h"
#include "hector/check.h"

namespace hector {

namespace {

/// How long the control Object of a Binding that ends may still be at work.
constexpr Duration kControlGrace = std::chrono::milliseconds(200);

/// "diary.Meeting/1 organiser=ann attendee=bob".
std::string described(const BindRequest& request) {
  std::string text = request.type;
  for (const auto& party : request.parties) text += fmt::format(" {}={}", party.role, party.who);
  return text;
}

}  // namespace

Result<management::v1::BindReply> Bindings::explain(const BindRequest& request) {
  const auto record =
      HECTOR_TRY(instantiate(core_, services_(), request, Instantiate::kExplainOnly));
  return record.explained;
}

Result<Bindings::Controller> Bindings::bind(const BindRequest& request) {
  AuditEvent event{
      .kind = "binding",
      .principal = request.initiator.empty() ? core_.options.principal : request.initiator,
      .action = "bind",
      .object = described(request)};
  return audited(core_.options.audit, std::move(event), [&] { return bind_now(request); });
}

Result<Bindings::Controller> Bindings::bind_now(const BindRequest& request) {
  auto record = HECTOR_TRY(instantiate(core_, services_(), request, Instantiate::kNow));
  const std::uint64_t id = record.formation.id;
  const auto end = [this, id] {
    core_.blocking.run([this, id] { static_cast<void>(unbind(id)); });
  };
  auto controller =
      std::make_shared<BindingController>(core_, health_, services_, std::move(record), end);
  offer_control(id, controller);
  const std::lock_guard lock(mutex_);
  const bool is_new = controllers_.emplace(id, controller).second;
  HECTOR_CHECK(is_new, "two Bindings have one id");
  return controller;
}

void Bindings::offer_control(std::uint64_t binding, const Controller& controller) {
  const auto interface = core_.types.interface(BindingOperations::kInterface);
  HECTOR_CHECK(interface.has_value(), "the kernel does not know its own Interface");
  const Status added =
      core_.offers.add(maker_.system(binding_control_name(binding), "kernel", *interface,
                                     make_binding_control(core_.blocking, controller)));
  HECTOR_CHECK(added.has_value(), "two Bindings have one control Object");
}

void Bindings::withdraw_control(std::uint64_t binding) {
  const OfferPtr offer = core_.offers.remove(binding_control_name(binding));
  const auto& clock = *core_.options.clock;
  if (!offer || offer->host->retire(clock.now() + kControlGrace, clock)) return;
  const std::lock_guard lock(mutex_);
  kept_.push_back(offer);
}

Status Bindings::unbind(std::uint64_t binding) {
  Controller controller;
  {
    const std::lock_guard lock(mutex_);
    const auto found = controllers_.find(binding);
    if (found == controllers_.end())
      return fail(
          Error::not_found(fmt::format("this capsule made no Binding {}", id_text(binding))));
    controller = std::move(found->second);
    controllers_.erase(found);
  }
  controller->release();
  withdraw_control(binding);
  return {};
}

bool Bindings::check_rights() {
  bool is_known = true;
  for (const auto& controller : all()) {
    auto loss = controller->check_rights();
    is_known = is_known && loss.is_known;
    if (loss.happened.empty() || !core_.options.audit) continue;
    AuditEvent event{.kind = "binding",
                     .principal = core_.options.principal,
                     .action = "take rights away",
                     .object = fmt::format("{} {}", types::binding_id(controller->type()),
                                           id_text(controller->id())),
                     .outcome = AuditOutcome::kDone,
                     .reasons = std::move(loss.happened)};
    static_cast<void>(core_.options.audit(event));  // it is done, and logged, all the same
  }
  return is_known;
}

Bindings::Controller Bindings::find(std::uint64_t binding) const {
  const std::lock_guard lock(mutex_);
  const auto found = controllers_.find(binding);
  return found == controllers_.end() ? nullptr : found->second;
}

std::vector<Bindings::Controller> Bindings::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Controller> list;
  list.reserve(controllers_.size());
  for (const auto& [id, controller] : controllers_) list.push_back(controller);
  return list;
}

}  // namespace hector
