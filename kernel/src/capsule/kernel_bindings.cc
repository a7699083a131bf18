// Bindings made here, and Objects that move to other capsules with their places in Bindings.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "binding/coordinator.h"
#include "call/reference_model.h"
#include "capsule/kernel_impl.h"
#include "hector/message_calls.h"
#include "party/party_session.h"

namespace hector {

namespace {

/// How long the control Object of a Binding that ends may still be at work.
constexpr Duration kControlGrace = std::chrono::milliseconds(200);

}  // namespace

Result<management::v1::BindReply> KernelImpl::explain(const BindRequest& request) {
  return instantiate(core_, services(), request, true).map([](const BindingRecord& record) {
    return record.explained;
  });
}

Result<std::shared_ptr<BindingController>> KernelImpl::bind(const BindRequest& request) {
  auto record = HECTOR_TRY(instantiate(core_, services(), request, false));
  const std::uint64_t id = record.formation.id;
  auto controller = std::make_shared<BindingController>(
      core_, health_, [this] { return services(); }, std::move(record),
      [this, id] { core_.blocking.run([this, id] { static_cast<void>(unbind(id)); }); });
  auto offer = std::make_shared<Offer>();
  offer->id = core_.options.random->next();
  offer->object = binding_control_name(id);
  offer->principal = core_.options.principal;
  offer->interface = *core_.types.interface("hector.Binding/1");
  offer->is_system = true;
  offer->host = std::make_shared<ObjectHost>(HostOptions{
      offer->object, "kernel", ThreadModel::kPooled, true, 65'536, core_.options.executor});
  offer->host->set_servant(make_binding_control(core_, controller));
  static_cast<void>(core_.offers.add(offer));
  const std::lock_guard lock(mutex_);
  bindings_[id] = controller;
  return controller;
}

Status KernelImpl::unbind(std::uint64_t binding) {
  std::shared_ptr<BindingController> controller;
  {
    const std::lock_guard lock(mutex_);
    const auto found = bindings_.find(binding);
    if (found == bindings_.end())
      return fail(Code::kNotFound,
                  fmt::format("this capsule made no Binding {}", id_text(binding)));
    controller = std::move(found->second);
    bindings_.erase(found);
  }
  controller->release();
  const OfferPtr offer = core_.offers.remove(binding_control_name(binding));
  if (offer &&
      !offer->host->retire(core_.options.clock->now() + kControlGrace, *core_.options.clock)) {
    const std::lock_guard lock(mutex_);
    kept_.push_back(offer);
  }
  return {};
}

std::shared_ptr<BindingController> KernelImpl::binding(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = bindings_.find(id);
  return found == bindings_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<BindingController>> KernelImpl::bindings() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<BindingController>> list;
  for (const auto& [id, controller] : bindings_) list.push_back(controller);
  return list;
}

// --- Objects that go away, or elsewhere
// ----------------------------------------------------------------------------------------------

void KernelImpl::wait_until_unbound(const OfferPtr& offer) {
  const TimePoint until = core_.options.clock->now() + core_.options.drain_grace;
  const auto is_bound = [&] {
    const std::lock_guard lock(core_.bindings_mutex);
    return std::any_of(core_.parties.begin(), core_.parties.end(),
                       [&](const auto& each) { return each.second->offer() == offer; });
  };
  while (is_bound() && core_.options.clock->now() < until &&
         core_.pause_for(std::chrono::microseconds(100))) {
  }
}

Result<management::v1::MoveReply> KernelImpl::relocate(const std::string& name,
                                                       const std::string& to) {
  const OfferPtr offer = core_.offers.find_object(name);
  management::v1::CreateRequest request;
  {
    const std::lock_guard lock(mutex_);
    const auto of = object_templates_.find(name);
    if (!offer || of == object_templates_.end())
      return fail(Code::kNotFound,
                  fmt::format("no Object '{}' made from a template in capsule '{}'", name,
                              core_.options.capsule));
    request.set_template_(of->second);
    if (const auto made = made_.find(name); made != made_.end()) {
      request.set_arguments(made->second.arguments);
      request.mutable_properties()->insert(made->second.properties.begin(),
                                           made->second.properties.end());
    }
  }
  if (to == core_.options.capsule)
    return fail(Code::kAlreadyExists, fmt::format("'{}' is in capsule '{}' already", name, to));
  request.set_name(name);
  request.set_is_successor(true);
  auto there = capsule().resolve("capsules/" + to);
  if (!there)
    return fail(there.error().code,
                fmt::format("capsule '{}' is not known: {}", to, there.error().message));
  auto state = HECTOR_TRY(saved_state(*offer->host));
  if (state) {
    request.set_has_state(true);
    request.set_state(std::string(state->view()));
  }
  const auto ask = [&]<class Out>(Target& target, const char* operation,
                                  const auto& message) -> Result<Out> {
    return call_and_wait<Out>(target, *core_.options.clock, kByName, operation, message,
                              core_.options.clock->now() + std::chrono::seconds(15));
  };
  auto created =
      HECTOR_TRY(ask.operator()<management::v1::CreateReply>(**there, "create", request));
  management::v1::MoveReply reply;
  reply.set_reference(created.reference());
  reply.add_effects(
      fmt::format("'{}' made in capsule '{}'{}", name, to, state ? ", with its state" : ""));
  auto moved = rebind_places(offer, created.reference());
  if (!moved) {
    management::v1::DeleteRequest remove;
    remove.set_kind("object");
    remove.set_name(name);
    static_cast<void>(ask.operator()<management::v1::Done>(**there, "delete", remove));
    static_cast<void>(publish(offer));
    return fail(moved.error());
  }
  for (auto& effect : *moved) reply.add_effects(std::move(effect));
  HECTOR_TRY(end_object(name, NameGoes::kToSuccessor));
  reply.add_effects(fmt::format("'{}' ended in capsule '{}'", name, core_.options.capsule));
  core_.options.log->write(Level::kInfo, "object moved", {{"object", name}, {"to", to}});
  return reply;
}

Result<std::vector<std::string>> KernelImpl::rebind_places(const OfferPtr& offer,
                                                           const std::string& successor) {
  std::vector<std::shared_ptr<PartySession>> sessions;
  {
    const std::lock_guard lock(core_.bindings_mutex);
    for (const auto& [binding, session] : core_.parties) {
      if (session->offer() == offer) sessions.push_back(session);
    }
  }
  std::vector<std::string> effects;
  std::vector<std::function<void()>> undo;
  for (const auto& session : sessions) {
    Reference control =
        from_model(session->part().binder())
            .for_object(binding_control_name(session->binding()), "hector.Binding/1");
    control.identity = (*core_.types.interface(control.interface_id))->identity();
    auto target = make_target(core_, control);
    const auto rebind = [this, session, target](const std::string& who) {
      binding::v1::RebindRequest request;
      request.set_role(session->role());
      request.set_number(session->member());
      request.set_who(who);
      return call_and_wait<binding::v1::Rebound>(
          **target, *core_.options.clock, kByName, "rebind", request,
          core_.options.clock->now() + std::chrono::seconds(15));
    };
    Result<binding::v1::Rebound> done = target ? rebind(successor) : fail(target.error());
    if (!done) {
      for (const auto& each : undo) each();
      return fail(done.error());
    }
    effects.push_back(fmt::format("{} {} of Binding {}: calls waited {} us at most",
                                  session->role(), session->member(), id_text(session->binding()),
                                  done->gap_us()));
    undo.push_back(
        [rebind, back = core_.reference_of(*offer).text()] { static_cast<void>(rebind(back)); });
  }
  return effects;
}

}  // namespace hector
