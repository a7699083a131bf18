#include "party/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "call/call_state.h"
#include "call/local_call.h"
#include "call/operation_of.h"
#include "channel/ping.h"
#include "channel/protocol_choice.h"
#include "hector/coordinator.hector.h"

namespace hector {

LocalTarget::LocalTarget(Core& core, OfferPtr offer, std::string principal)
    : LocalTarget(core, std::move(offer),
                  KeptCaller({principal.empty() ? core.options.principal : principal,
                              {},
                              kInProcess,
                              Security::kPrivacy})) {}

LocalTarget::LocalTarget(Core& core, OfferPtr offer, KeptCaller caller)
    : core_(core),
      offer_(std::move(offer)),
      interface_(offer_->interface),
      reference_(core.references.of(*offer_)),
      caller_(std::move(caller)) {}

void LocalTarget::start(Call& call) noexcept {
  const Header& header = call.header;
  call.operation = operation_of(*interface_, header);
  if (call.operation == nullptr) {
    return call.fail({Code::kUnimplemented,
                      interface_->id() + " has no operation '" + header.operation_name + "'"});
  }
  call.kind = call.operation->kind;
  call.flow = call.operation->flow;
  call.peer = &core_.own_peer;
  if (core_.rights.are_asked()) [[unlikely]]
    return core_.call_rights.enter(offer_, enter_local(call), caller_.view());
  offer_->host->enter(enter_local(call));
}

Result<std::unique_ptr<Target>> RemoteTarget::make(Core& core, const Reference& reference,
                                                   InterfacePtr interface, std::string principal) {
  static const std::string kPeer = "peer";
  const std::string type = reference.interface_name();
  auto choice = choose_protocol({.policies = core.policies,
                                 .binding = type,
                                 .role = kPeer,
                                 .offered = reference.profiles,
                                 .here = core.protocols.names(),
                                 .known = core.protocols.all_capabilities()});
  if (!choice) {
    Error error = choice.error();
    error.message = "'" + reference.object + "' of capsule '" + reference.capsule +
                    "' cannot be reached: " + error.message;
    return fail(std::move(error));
  }
  auto channel = HECTOR_TRY(core.protocols.connect(choice->profile));
  return std::make_unique<RemoteTarget>(core, reference, std::move(interface), std::move(channel),
                                        std::move(principal));
}

void RemoteTarget::start(Call& call) noexcept {
  Header& header = call.header;
  if (interface_) {
    const Operation* operation = operation_of(*interface_, header);
    if (operation == nullptr) {
      return call.fail({Code::kUnimplemented,
                        interface_->id() + " has no operation '" + header.operation_name + "'"});
    }
    call.kind = operation->kind;
    call.flow = operation->flow;
    header.operation_name = operation->name;
  }
  header.operation = kByName;
  header.offer = reference_.offer;
  header.object = reference_.object;
  header.interface_name = reference_.interface_name();
  if (header.principal.empty())
    header.principal = principal_.empty() ? core_.options.principal : principal_;
  inherit(call, core_);
  channel_->start(call);
}

JoinedService::JoinedService(Core& core, std::string name, std::unique_ptr<Target> first, Find find)
    : core_(core), name_(std::move(name)), interface_(first->interface()), find_(std::move(find)) {
  places_.push_back(std::move(first));
}

Target& JoinedService::current() const {
  const std::lock_guard lock(mutex_);
  return *places_.back();
}

void JoinedService::start(Call& call) noexcept {
  if (find_ && !CallState::of(call).recovery) call.set_recovery(shared_from_this());
  current().start(call);
}

bool JoinedService::recover(Call& call) noexcept {
  const Code code = call.error->code;
  if ((code != Code::kUnavailable && code != Code::kDeadlineExceeded) || call.is_cancelled())
    return false;
  core_.blocking.run([self = shared_from_this(), &call, again = call.error->type == kNotExecuted] {
    const bool moved = self->look_again();
    if (moved && again) {
      call.error.reset();
      return self->current().start(call);
    }
    Error error = std::move(*call.error);
    call.error.reset();
    error.message =
        fmt::format("service {} of capsule '{}' cannot be reached: {}{}", self->name_,
                    self->current().reference().capsule, error.message,
                    moved ? "; it is back, try again" : "; it is looked for with each call");
    call.fail(std::move(error));
  });
  return true;
}

bool JoinedService::look_again() {
  auto reference = find_();
  if (!reference) return false;
  const Reference service = reference->for_object(name_, interface_->id());
  {
    const std::lock_guard lock(mutex_);
    const auto& known = places_.back()->reference();
    const auto same = [](const Profile& a, const Profile& b) {
      return a.protocol == b.protocol && a.address == b.address;
    };
    if (known.capsule_id == service.capsule_id &&
        std::equal(known.profiles.begin(), known.profiles.end(), service.profiles.begin(),
                   service.profiles.end(), same))
      return false;
  }
  auto target = RemoteTarget::make(core_, service, interface_);
  if (!target) return false;
  const std::lock_guard lock(mutex_);
  places_.push_back(std::move(*target));
  core_.options.log->write(Level::kInfo, "service found again",
                           {{"service", name_}, {"capsule", service.capsule}});
  return true;
}

Result<std::unique_ptr<Target>> coordinator_of(Core& core, const Reference& reference) {
  const Reference at = reference.for_object(kCoordinatorName, CoordinatorOperations::kInterface);
  auto known = HECTOR_TRY(core.types.interface(CoordinatorOperations::kInterface));
  return RemoteTarget::make(core, at, known);
}

Result<kernel::v1::OfferDescription> describe_remote(Core& core, const Reference& reference) {
  auto coordinator = HECTOR_TRY(coordinator_of(core, reference));
  kernel::v1::OfferQuery query;
  query.set_offer(reference.offer);
  query.set_object(reference.object);
  auto description =
      ask(*coordinator, *core.options.clock, CoordinatorOperations::kDescribeOffer, query);
  if (!description) {
    Error error = description.error();
    error.message =
        fmt::format("'{}' of capsule '{}': {}", reference.object, reference.capsule, error.message);
    return fail(std::move(error));
  }
  return description;
}

Result<types::CompiledPtr> describe_offer(Core& core, const Reference& reference) {
  auto description = HECTOR_TRY(describe_remote(core, reference));
  if (auto added = core.types.add(description.interface(), "capsule " + reference.capsule))
    return *added;
  return types::CompiledInterface::make(description.interface());
}

Result<std::unique_ptr<Target>> make_target(Core& core, const Reference& reference,
                                            std::string principal) {
  if (reference.capsule_id == core.capsule_id) {
    const OfferPtr offer = reference.offer != 0 ? core.offers.find(reference.offer)
                                                : core.offers.find_object(reference.object);
    if (!offer)
      return fail(Code::kUnavailable,
                  "Object '" + reference.object + "' is retired; look it up again");
    return std::make_unique<LocalTarget>(core, offer, std::move(principal));
  }
  InterfacePtr interface;
  if (auto known = core.types.interface(reference.interface_id);
      known && (*known)->identity() == reference.identity) {
    interface = *known;
  } else {
    auto described = HECTOR_TRY(describe_offer(core, reference));
    interface = described;
  }
  return RemoteTarget::make(core, reference, interface, std::move(principal));
}

}  // namespace hector
