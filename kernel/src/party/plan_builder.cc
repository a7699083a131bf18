// What: the making of a Plan.
// Why: see plan_builder.h.
// Who: PartySession.
#include "party/plan_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "channel/qos_watch.h"
#include "hector/check.h"
#include "types/check/binding_check.h"

namespace hector::party {

Result<std::unique_ptr<Plan>> PlanBuilder::build(const PartySpec& spec, const Plan* before,
                                                 std::shared_ptr<types::Monitor> monitor) {
  auto plan = std::make_unique<Plan>();
  plan->spec = spec;
  partners_.clear();
  HECTOR_TRY(add_view(*plan));
  HECTOR_TRY(add_channels(*plan, before));
  add_senders(*plan);
  HECTOR_TRY(add_interactions(*plan));
  HECTOR_CHECK(plan->targets.size() == plan->interactions.size(),
               "an interaction has no call targets");
  HECTOR_CHECK(plan->senders.size() == plan->view.members.size(), "a role has no senders");
  plan->monitor =
      monitor ? std::move(monitor) : std::make_shared<types::Monitor>(options_.type, plan->view);
  return plan;
}

Status PlanBuilder::add_view(Plan& plan) const {
  plan.view.role = options_.self.role;
  plan.view.member = options_.self.member;
  if (plan.spec.roles.size() != static_cast<std::size_t>(options_.type.roles_size()))
    return fail(Error::invalid_argument(
        fmt::format("a part of {} must name all its roles", types::binding_id(options_.type))));
  for (const auto& role : plan.spec.roles) {
    if (role.numbers > kMembersMax)
      return fail(Error::resource_exhausted(fmt::format("role '{}' has {} members, {} at most",
                                                        role.name, role.numbers, kMembersMax)));
    plan.view.members.push_back(role.numbers);
    plan.view.absent.push_back(role.absent);
  }
  return {};
}

Status PlanBuilder::add_channels(Plan& plan, const Plan* before) {
  std::vector<types::CompiledPtr> interfaces;
  for (const auto& model : plan.spec.interfaces) {
    auto compiled = HECTOR_TRY(compile(model));
    interfaces.push_back(std::move(compiled));
  }
  for (const auto& spec : plan.spec.channels) {
    if (spec.interface >= interfaces.size())
      return fail(Error::invalid_argument("a channel leads to a party without an Interface"));
    auto made = HECTOR_TRY(channel(spec, before));
    partners_[made->to] = {made.get(), interfaces[spec.interface]};
    plan.out.push_back(std::move(made));
  }
  return {};
}

Result<types::CompiledPtr> PlanBuilder::compile(const hector::type::v1::Interface& model) {
  auto compiled = options_.types.add(model, "a party of " + options_.type.name());
  if (!compiled)  // another type of this id is known here: keep theirs for this Binding
    compiled = types::CompiledInterface::make(model);
  if (compiled && std::find(interfaces_.begin(), interfaces_.end(), *compiled) == interfaces_.end())
    interfaces_.push_back(*compiled);
  return compiled;
}

Result<OutChannelPtr> PlanBuilder::channel(const ChannelSpec& spec, const Plan* before) const {
  const int role = types::role_position(options_.type, spec.role);
  if (role < 0) return fail(Error::invalid_argument("a channel leads to an unknown role"));
  const Place to{static_cast<std::uint32_t>(role), spec.member};
  if (before != nullptr) {
    if (auto known = before->channel_to(to); known && known->party.offer == spec.party.offer)
      return known;
  }
  return new_channel(spec, to);
}

Result<OutChannelPtr> PlanBuilder::new_channel(const ChannelSpec& spec, Place to) const {
  auto interceptors = HECTOR_TRY(interceptors_for(spec.role));
  const auto hides = HECTOR_TRY(read_transparencies(
      options_.policies
          .ask(options_.type.name(), spec.role, "transparencies", options_.offer.object)
          .values));
  auto watch = QosWatch::make(
      options_.type, role_name(), spec.role, options_.clock,
      {options_.policies, options_.offer.object},
      [breach = options_.breach, spec](const std::string& dimension, const std::string& text) {
        breach(spec, dimension, text);
      });
  if (watch) interceptors.push_back(std::move(watch));
  return std::make_shared<OutChannel>(
      OutChannel::Options{.to = to,
                          .party = spec.party,
                          .profile = spec.profile,
                          .why = spec.why,
                          .id = channel_id(spec.session, options_.self),
                          .interceptors = std::move(interceptors),
                          .hides = hides});
}

Result<InterceptorList> PlanBuilder::interceptors_for(const std::string& partner) const {
  return options_.interceptors.make(
      options_.policies.ask(options_.type.name(), partner, "interceptors", options_.offer.object)
          .values);
}

void PlanBuilder::add_senders(Plan& plan) const {
  plan.senders.resize(plan.spec.roles.size());
  for (std::uint32_t r = 0; r < plan.spec.roles.size(); ++r) {
    if (r == options_.self.role) continue;
    const auto& role = plan.spec.roles[r];
    for (std::uint32_t m = 0; m < role.numbers; ++m) {
      auto& sender = options_.arrivals.sender({r, m});
      options_.arrivals.set_peer(sender, m < role.members.size() ? role.members[m].principal : "",
                                 options_.capsule);
      plan.senders[r].push_back(&sender);
    }
  }
}

Status PlanBuilder::add_interactions(Plan& plan) {
  for (const auto& model : options_.type.interactions()) {
    auto made = HECTOR_TRY(interaction(plan, model));
    const auto number = static_cast<std::uint32_t>(plan.interactions.size());
    auto& targets = plan.targets.emplace_back();
    for (std::uint32_t m = 0; m < made.stubs.size(); ++m) {
      auto& target = targets_[{number, m}];
      if (!target) target = options_.make_target(number, m);
      targets.push_back(target.get());
    }
    plan.interactions.push_back(std::move(made));
  }
  return {};
}

Result<InteractionPlan> PlanBuilder::interaction(const Plan& plan,
                                                 const hector::type::v1::Interaction& model) {
  InteractionPlan made;
  made.is_mine = model.from() == role_name();
  made.is_for_me = model.to() == role_name();
  made.is_multicast = model.kind() == hector::type::v1::KIND_MULTICAST;
  made.other_role = position(made.is_mine ? model.to() : model.from());
  if (made.is_for_me) {
    made.own = options_.offer.interface->find(model.operation());
    if (made.own == nullptr)
      return fail(Error::failed_precondition(fmt::format(
          "{} has no operation '{}'", options_.offer.interface->id(), model.operation())));
  }
  if (made.is_mine) {
    auto all = HECTOR_TRY(stubs(plan, model));
    made.stubs = std::move(all);
  }
  return made;
}

Result<std::vector<Stub>> PlanBuilder::stubs(const Plan& plan,
                                             const hector::type::v1::Interaction& model) {
  std::vector<Stub> all;
  const std::uint32_t to = position(model.to());
  HECTOR_CHECK(to < plan.view.members.size(), "an interaction goes to a role beyond the view");
  for (std::uint32_t m = 0; m < plan.view.members[to]; ++m) {
    const auto found = partners_.find({to, m});
    if (found == partners_.end()) {
      if (!plan.view.is_absent(to, m))
        return fail(Error::invalid_argument(
            fmt::format("no channel to member {} of role '{}' was planned", m, model.to())));
      all.push_back({});
      continue;
    }
    const auto& [channel, interface] = found->second;
    HECTOR_CHECK(channel != nullptr && interface != nullptr, "a partner has no channel or type");
    const Operation* const theirs = interface->find(model.operation());
    if (theirs == nullptr)
      return fail(Error::failed_precondition(fmt::format(
          "a party of role '{}' has no operation '{}'", model.to(), model.operation())));
    all.push_back({theirs, channel});
  }
  return all;
}

std::uint32_t PlanBuilder::position(const std::string& role) const {
  const int at = types::role_position(options_.type, role);
  HECTOR_CHECK(at >= 0, "a Binding type with a role that it does not have was not refused");
  return static_cast<std::uint32_t>(at);
}

}  // namespace hector::party
