#include "party/inbound.h"

#include <fmt/format.h>

#include <map>

#include "base/text/nearest.h"
#include "call/call_state.h"
#include "call/operation_of.h"
#include "hector/check.h"
#include "party/party_session.h"

namespace hector {

namespace {

const CallState::Route& route_of(const Call& call) { return CallState::of(call).route; }
const PartySession& session_of(const Call& call) {
  HECTOR_CHECK(route_of(call).is_session, "a call to an Offer is taken for one of a session");
  return *static_cast<const PartySession*>(route_of(call).to.get());
}
const Offer& offer_of(const Call& call) {
  HECTOR_CHECK(route_of(call).to != nullptr, "a call's Offer is asked for before resolve()");
  return route_of(call).is_session ? *session_of(call).offer()
                                   : *static_cast<const Offer*>(route_of(call).to.get());
}

}  // namespace

Status KernelInbound::resolve(Call& call) {
  const Header& header = call.header;
  if (header.session != 0) {
    auto entry = core_.sessions.find(header.session);
    if (!entry.session) {
      return fail(
          Error{Code::kUnavailable,
                "no such session: its Binding is closed, or the capsule was restarted; bind again",
                std::string(kNotExecuted),
                {},
                {}});
    }
    if (auto found = entry.session->resolve(call, {entry.role, entry.member}); !found) return found;
    CallState::of(call).route = {std::move(entry.session), true, entry.role, entry.member};
    return {};
  }
  OfferPtr offer;
  if (header.offer != 0) {
    offer = core_.offers.find(header.offer);
    if (!offer)
      return fail(Error{Code::kUnavailable,
                        "no such Offer (retired); look the Object up again",
                        std::string(kNotExecuted),
                        {},
                        {}});
  } else if (!header.object.empty()) {
    offer = core_.offers.find_object(header.object);
    if (!offer) {
      std::vector<std::string> names;
      for (const auto& each : core_.offers.all()) names.push_back(each->object);
      return fail(Code::kNotFound,
                  fmt::format("no Object '{}' in capsule '{}'{}", header.object,
                              core_.options.capsule, nearest_hint(header.object, names)));
    }
    if (!header.interface_name.empty() && offer->interface->name() != header.interface_name) {
      return fail(Code::kUnimplemented,
                  fmt::format("Object '{}' offers {}, not {}", header.object,
                              offer->interface->name(), header.interface_name));
    }
  } else {
    auto found = HECTOR_TRY(core_.offers.find_interface(header.interface_name));
    offer = found;
  }
  const Operation* operation = operation_of(*offer->interface, header);
  if (operation == nullptr) {
    std::vector<std::string> names;
    for (const auto& each : offer->interface->operations()) names.push_back(each.name);
    return fail(Code::kUnimplemented,
                fmt::format("{} has no operation '{}'{}", offer->interface->id(),
                            header.operation_name, nearest_hint(header.operation_name, names)));
  }
  call.operation = operation;
  call.kind = operation->kind;
  call.flow = operation->flow;
  CallState::of(call).route = {std::move(offer), false, 0, 0};
  return {};
}

void KernelInbound::accept(Call& call) noexcept {
  const NonBlockingScope scope;  // a protocol's thread: Objects that may block run on their own
  CallState::Route& route = CallState::of(call).route;
  if (route.to == nullptr) {
    if (auto found = resolve(call); !found) return call.fail(std::move(found.error()));
  }
  const auto held = route.to;  // the call may be gone while its Object is still being left
  if (route.is_session) {
    static_cast<PartySession*>(held.get())->accept(call, {route.role, route.member});
    return;
  }
  if (core_.rights.are_asked()) [[unlikely]] {
    return core_.call_rights.enter(std::static_pointer_cast<Offer>(held), call,
                                   caller_of(call.peer, call.header));
  }
  static_cast<const Offer*>(held.get())->host->enter(call);
}

std::vector<ServiceDescription> KernelInbound::services() const {
  std::map<std::string, ServiceDescription> by_name;
  for (const auto& offer : core_.offers.all()) {
    auto& description = by_name[offer->interface->name()];
    description.interface_name = offer->interface->name();
    description.descriptors = offer->interface->descriptors();
    description.objects.push_back(offer->object);
  }
  std::vector<ServiceDescription> list;
  for (auto& [name, description] : by_name) list.push_back(std::move(description));
  return list;
}

Result<Bytes> KernelInbound::request_from_json(const Call& call, std::string_view json) const {
  const Offer& offer = offer_of(call);
  HECTOR_CHECK(call.operation != nullptr, "a request is read before its operation is known");
  auto bytes = HECTOR_TRY(offer.interface->from_json(call.operation->input, json));
  return Bytes::take(std::move(bytes));
}

Result<std::string> KernelInbound::reply_to_json(const Call& call, const Bytes& reply) const {
  const Offer& offer = offer_of(call);
  HECTOR_CHECK(call.operation != nullptr, "a reply is shown before its operation is known");
  if (call.operation->output.empty()) return std::string("{}");
  return offer.interface->to_json(call.operation->output, reply.view());
}

}  // namespace hector
