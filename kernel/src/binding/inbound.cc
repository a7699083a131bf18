#include "binding/inbound.h"

#include <fmt/format.h>

#include <map>

#include "binding/session.h"
#include "hector_yaml/nearest.h"

namespace hector {

/// What resolve() found, kept in the call until accept().
struct KernelInbound::Route {
  OfferPtr offer;
  SessionTable::Entry entry;
};

Status KernelInbound::resolve(Call& call) {
  const Header& header = call.header;
  auto route = std::make_shared<Route>();
  if (header.session != 0) {
    route->entry = core_.sessions.find(header.session);
    if (!route->entry.session) {
      return fail(Code::kUnavailable, "no such session: its Binding is closed, or the capsule was restarted; bind again");
    }
    if (auto found = route->entry.session->resolve(call, route->entry.role, route->entry.member); !found) return found;
    call.route = std::move(route);
    return {};
  }
  if (header.offer != 0) {
    route->offer = core_.offers.find(header.offer);
    if (!route->offer) return fail(Code::kUnavailable, "no such Offer (retired); look the Object up again");
  } else if (!header.object.empty()) {
    route->offer = core_.offers.find_object(header.object);
    if (!route->offer) {
      std::vector<std::string> names;
      for (const auto& offer : core_.offers.all()) names.push_back(offer->object);
      return fail(Code::kNotFound, fmt::format("no Object '{}' in capsule '{}'{}", header.object, core_.options.capsule,
                                               types::nearest_hint(header.object, names)));
    }
    if (!header.interface_name.empty() && route->offer->interface->name() != header.interface_name) {
      return fail(Code::kUnimplemented, fmt::format("Object '{}' offers {}, not {}", header.object, route->offer->interface->name(), header.interface_name));
    }
  } else {
    auto found = core_.offers.find_interface(header.interface_name);
    if (!found) return fail(found.error());
    route->offer = *found;
  }
  const auto& operations = route->offer->interface->operations();
  const Operation* operation = header.operation == kByName            ? route->offer->interface->find(header.operation_name)
                               : header.operation < operations.size() ? &operations[header.operation]
                                                                      : nullptr;
  if (operation == nullptr) {
    std::vector<std::string> names;
    for (const auto& each : operations) names.push_back(each.name);
    return fail(Code::kUnimplemented, fmt::format("{} has no operation '{}'{}", route->offer->interface->id(), header.operation_name,
                                                  types::nearest_hint(header.operation_name, names)));
  }
  call.operation = operation;
  call.kind = operation->kind;
  call.flow = operation->flow;
  call.route = std::move(route);
  return {};
}

void KernelInbound::accept(Call& call) noexcept {
  const NonBlockingScope scope;  // a protocol's thread: Objects that may block run on their own
  if (call.route == nullptr) {
    if (auto found = resolve(call); !found) return call.fail(std::move(found.error()));
  }
  const auto route = std::static_pointer_cast<const Route>(call.route);  // holds the Offer or session while it is entered
  if (call.header.deadline != kNever && call.header.deadline <= core_.options.clock->now()) {
    return call.fail({Code::kDeadlineExceeded, "the deadline was over when the call arrived", {}, {}, {}});
  }
  if (route->entry.session) {
    route->entry.session->accept(call, route->entry.role, route->entry.member);
  } else {
    route->offer->host->enter(call);
  }
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
  const auto route = std::static_pointer_cast<const Route>(call.route);
  const auto& offer = route->entry.session ? route->entry.session->offer() : route->offer;
  auto bytes = offer->interface->from_json(call.operation->input, json);
  if (!bytes) return fail(bytes.error());
  return Bytes::take(std::move(*bytes));
}

Result<std::string> KernelInbound::reply_to_json(const Call& call, const Bytes& reply) const {
  const auto route = std::static_pointer_cast<const Route>(call.route);
  const auto& offer = route->entry.session ? route->entry.session->offer() : route->offer;
  if (call.operation->output.empty()) return std::string("{}");
  return offer->interface->to_json(call.operation->output, reply.view());
}

}  // namespace hector
