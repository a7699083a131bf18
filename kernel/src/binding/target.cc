#include "binding/target.h"

#include "binding/coordinator.h"
#include "binding/policy.h"
#include "dispatch/local_call.h"
#include "hector/typed.h"

namespace hector {

LocalTarget::LocalTarget(Core& core, OfferPtr offer)
    : core_(core),
      offer_(std::move(offer)),
      interface_(offer_->interface),
      reference_(core.reference_of(*offer_)),
      peer_{core.options.principal, kInProcess, core.options.capsule, Security::kPrivacy} {}

void LocalTarget::start(Call& call) noexcept {
  const Header& header = call.header;
  const auto& operations = interface_->operations();
  call.operation = header.operation < operations.size() ? &operations[header.operation] : interface_->find(header.operation_name);
  if (call.operation == nullptr) {
    return call.fail({Code::kUnimplemented, interface_->id() + " has no operation '" + header.operation_name + "'", {}, {}, {}});
  }
  call.kind = call.operation->kind;
  call.flow = call.operation->flow;
  call.peer = &peer_;
  call.is_local = true;
  if (call.kind == Kind::kStream) {
    Call& handler = call.defer();
    auto [mine, theirs] = make_local_flow(call.flow);
    call.give_stream(mine);
    handler.stream = theirs;
    return offer_->host->enter(handler);
  }
  offer_->host->enter(call);
}

Result<std::shared_ptr<Target>> RemoteTarget::make(Core& core, const Reference& reference, InterfacePtr interface) {
  static const std::string kPeer = "peer";
  const std::string type = reference.interface_id.substr(0, reference.interface_id.rfind('/'));
  auto choice = choose_protocol({.policy = core.options.policy, .binding = type, .role = kPeer, .offered = reference.profiles, .here = core.protocols.names(),
                                 .known = core.protocols.all_capabilities()});
  if (!choice) {
    Error error = choice.error();
    error.message = "'" + reference.object + "' of capsule '" + reference.capsule + "' cannot be reached: " + error.message;
    return fail(std::move(error));
  }
  auto channel = core.protocols.connect(choice->profile);
  if (!channel) return fail(channel.error());
  return std::shared_ptr<Target>(std::make_shared<RemoteTarget>(core, reference, std::move(interface), *channel));
}

void RemoteTarget::start(Call& call) noexcept {
  Header& header = call.header;
  if (interface_) {
    const auto& operations = interface_->operations();
    const Operation* operation = header.operation < operations.size() ? &operations[header.operation] : interface_->find(header.operation_name);
    if (operation == nullptr) {
      return call.fail({Code::kUnimplemented, interface_->id() + " has no operation '" + header.operation_name + "'", {}, {}, {}});
    }
    call.kind = operation->kind;
    call.flow = operation->flow;
    header.operation_name = operation->name;
  }
  header.operation = kByName;
  header.offer = reference_.offer;
  header.object = reference_.object;
  header.interface_name = reference_.interface_id.substr(0, reference_.interface_id.rfind('/'));
  if (header.principal.empty()) header.principal = core_.options.principal;
  inherit(call, core_);
  channel_->start(call);
}

Result<std::shared_ptr<Target>> coordinator_of(Core& core, const Reference& reference) {
  Reference at = reference;
  at.object = kCoordinatorName;
  at.offer = 0;
  at.interface_id = kCoordinatorInterface;
  at.identity.clear();
  auto known = core.types.interface(kCoordinatorInterface);
  if (!known) return fail(known.error());
  return RemoteTarget::make(core, at, *known);
}

Result<std::shared_ptr<Target>> make_target(Core& core, const Reference& reference) {
  if (reference.capsule_id == core.capsule_id) {
    const OfferPtr offer = reference.offer != 0 ? core.offers.find(reference.offer) : core.offers.find_object(reference.object);
    if (!offer) return fail(Code::kUnavailable, "Object '" + reference.object + "' is retired; look it up again");
    return std::shared_ptr<Target>(std::make_shared<LocalTarget>(core, offer));
  }
  InterfacePtr interface;
  if (auto known = core.types.interface(reference.interface_id); known && (*known)->identity() == reference.identity) {
    interface = *known;
  } else {
    auto described = describe_offer(core, reference);
    if (!described) return fail(described.error());
    interface = *described;
  }
  return RemoteTarget::make(core, reference, interface);
}

}  // namespace hector
