#include "capsule/relocation.h"

#include <fmt/format.h>

#include "binding/binding_control.h"
#include "binding/object_state.h"
#include "call/reference_model.h"
#include "hector/binding.hector.h"
#include "hector/check.h"
#include "hector/management.hector.h"
#include "party/party_session.h"
#include "party/target.h"

namespace hector {

namespace {

/// Of one step: an Object's state may be large.
constexpr Duration kAnsweredWithin = std::chrono::seconds(15);

}  // namespace

Deadline Relocation::deadline() const { return core_.options.clock->now() + kAnsweredWithin; }

Result<management::v1::CreateRequest> Relocation::request_for_successor() {
  management::v1::CreateRequest request;
  request.set_template_(offer_->host->options().template_name);
  request.set_arguments(made_.arguments);
  request.mutable_properties()->insert(made_.properties.begin(), made_.properties.end());
  request.set_name(offer_->object);
  request.set_is_successor(true);
  const auto state = HECTOR_TRY(saved_state(*offer_->host));
  if (!state) return request;
  request.set_has_state(true);
  request.set_state(std::string(state->view()));
  return request;
}

Result<management::v1::MoveReply> Relocation::run(const std::string& to, const Resolve& resolve) {
  HECTOR_CHECK(!is_made_, "an Object is moved twice by one relocation");
  const std::string& name = offer_->object;
  if (to == core_.options.capsule)
    return fail(Error::already_exists(fmt::format("'{}' is in capsule '{}' already", name, to)));
  auto there = resolve("capsules/" + to);
  if (!there)
    return fail(Error{there.error().code,
                      fmt::format("capsule '{}' is not known: {}", to, there.error().message)}
                    .caused_by(there.error()));
  const auto request = HECTOR_TRY(request_for_successor());
  const auto created =
      HECTOR_TRY(ManagementClient(**there, *core_.options.clock).create(request, deadline()));
  is_made_ = true;
  auto moved = rebind_places(created.reference());
  if (!moved) {
    delete_successor(**there);
    return fail(std::move(moved.error()));
  }
  management::v1::MoveReply reply;
  reply.set_reference(created.reference());
  reply.add_effects(fmt::format("'{}' made in capsule '{}'{}", name, to,
                                request.has_state() ? ", with its state" : ""));
  for (auto& effect : *moved) reply.add_effects(std::move(effect));
  return reply;
}

void Relocation::delete_successor(Target& there) {
  management::v1::DeleteRequest remove;
  remove.set_kind("object");
  remove.set_name(offer_->object);
  static_cast<void>(
      ask(there, *core_.options.clock, ManagementOperations::kDelete, remove, deadline()));
}

Result<std::unique_ptr<Target>> Relocation::control_of(const PartySession& session) {
  Reference control = session.initiator().for_object(binding_control_name(session.binding()),
                                                     BindingOperations::kInterface);
  const auto interface = HECTOR_TRY(core_.types.interface(BindingOperations::kInterface));
  control.identity = interface->identity();
  return make_target(core_, control);
}

Result<binding::v1::Rebound> Relocation::rebind(Target& control, const PartySession& session,
                                                const std::string& who) {
  binding::v1::RebindRequest request;
  request.set_role(session.role());
  request.set_number(session.member());
  request.set_who(who);
  return ask(control, *core_.options.clock, BindingOperations::kRebind, request, deadline());
}

Result<std::vector<std::string>> Relocation::rebind_places(const std::string& successor) {
  struct Moved {
    const PartySession& session;
    std::unique_ptr<Target> control;
  };
  const auto sessions = core_.parties.of_offer(*offer_);
  std::vector<std::string> effects;
  std::vector<Moved> moved;
  for (const auto& session : sessions) {
    auto control = control_of(*session);
    const auto done = control ? rebind(**control, *session, successor)
                              : Result<binding::v1::Rebound>(fail(control.error()));
    if (!done) {
      const std::string back = core_.references.of(*offer_).text();
      for (const auto& each : moved) static_cast<void>(rebind(*each.control, each.session, back));
      return fail(done.error());
    }
    effects.push_back(fmt::format("{} {} of Binding {}: calls waited {} us at most",
                                  session->role(), session->member(), id_text(session->binding()),
                                  done->gap_us()));
    moved.push_back({*session, std::move(*control)});
  }
  return effects;
}

}  // namespace hector
