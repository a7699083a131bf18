// What: each field of PreparePart and Replace in its place.
// Why: see party_model.h.
// Who: the coordinator.
#include "binding/party_model.h"

#include "call/reference_model.h"

namespace hector {

namespace {

Profile from_model(const hector::kernel::v1::Profile& model) {
  return {model.protocol(), model.address()};
}

RoleSpec from_model(const hector::kernel::v1::RolePlan& model) {
  RoleSpec role{.name = model.name(),
                .members = {},
                .numbers = model.numbers(),
                .absent = {model.absent().begin(), model.absent().end()}};
  for (const auto& member : model.members()) role.members.push_back(hector::from_model(member));
  return role;
}

ChannelSpec from_model(const hector::kernel::v1::ChannelPlan& model) {
  return {.role = model.role(),
          .member = model.member(),
          .party = hector::from_model(model.party()),
          .profile = from_model(model.profile()),
          .why = model.why(),
          .session = SessionId{model.session()},
          .interface = model.interface()};
}

}  // namespace

PartySpec from_model(const hector::kernel::v1::PreparePart& model) {
  PartySpec spec{.binding = model.binding(),
                 .type = model.type(),
                 .role = model.role(),
                 .member = model.member(),
                 .offer = model.offer(),
                 .session = SessionId{model.session()},
                 .roles = {},
                 .channels = {},
                 .interfaces = {model.interfaces().begin(), model.interfaces().end()},
                 .initiator = hector::from_model(model.binder()),
                 .is_successor = model.is_successor()};
  for (const auto& role : model.roles()) spec.roles.push_back(from_model(role));
  for (const auto& channel : model.channels()) spec.channels.push_back(from_model(channel));
  return spec;
}

Replacement from_model(const hector::kernel::v1::Replace& model) {
  Replacement change{.role = model.place().role(),
                     .member = model.place().member(),
                     .party = hector::from_model(model.party()),
                     .interface = model.interface(),
                     .session = SessionId{model.session()},
                     .routes = {}};
  for (const auto& way : model.ways())
    change.routes.push_back({way.role(), way.member(), from_model(way.profile()), way.why()});
  return change;
}

}  // namespace hector
