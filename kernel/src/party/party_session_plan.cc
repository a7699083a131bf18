// How a party's plan is made: from its part of the Binding, and from the plan before it.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "call/reference_model.h"
#include "channel/protocol_choice.h"
#include "channel/qos_watch.h"
#include "party/party_session.h"

namespace hector {

using hector::kernel::v1::ChannelPlan;
using hector::kernel::v1::PreparePart;

PartySession::PartySession(Core& core, const PreparePart& part, OfferPtr offer)
    : core_(core),
      offer_(std::move(offer)),
      binding_(part.binding()),
      session_(part.session()),
      type_(part.type()),
      type_id_(types::binding_id(part.type())),
      role_name_(part.role()),
      member_(part.member()),
      is_successor_(part.is_successor()) {}

PartySession::~PartySession() = default;

Result<std::shared_ptr<PartySession>> PartySession::make(Core& core, const PreparePart& part,
                                                         OfferPtr offer) {
  if (const auto wrong = types::malformed(part.type()); !wrong.empty())
    return fail(Code::kInvalidArgument,
                fmt::format("the type of a Binding is malformed: {}", wrong));
  std::shared_ptr<PartySession> made(new PartySession(core, part, std::move(offer)));
  const int role = types::role_position(made->type_, part.role());
  if (role < 0)
    return fail(Code::kInvalidArgument,
                fmt::format("{} has no role '{}'", made->type_id_, part.role()));
  made->role_ = static_cast<std::uint32_t>(role);
  for (const auto& each : made->type_.roles()) {
    auto interceptors = HECTOR_TRY(made->interceptors_for(each.name()));
    made->arrivals_.push_back(std::move(interceptors));
  }
  made->add_phases();
  auto plan = HECTOR_TRY(made->make_plan(part, nullptr, nullptr));
  made->put(std::move(plan));
  return made;
}

void PartySession::add_phases() {
  for (auto& phase : types::timed_phases(type_)) {
    if (phase.counting_role != role_name_) continue;
    phases_.push_back(std::make_unique<CountedPhase>());
    phases_.back()->phase = std::move(phase);
  }
  for (auto& phase : types::mandatory_phases(type_)) {
    const bool begins =
        std::any_of(phase.first.begin(), phase.first.end(), [&](std::uint32_t each) {
          return type_.interactions(static_cast<int>(each)).from() == role_name_;
        });
    if (begins) watched_phases_.push_back({std::move(phase), false, 0, 0});
  }
  has_phases_ = !phases_.empty() || !watched_phases_.empty();
}

Result<InterceptorList> PartySession::interceptors_for(const std::string& partner) const {
  return core_.interceptors.make(
      core_.policies.ask(type_.name(), partner, "interceptors", offer_->object).values);
}

Result<types::CompiledPtr> PartySession::interface_of(const hector::type::v1::Interface& model) {
  auto compiled = core_.types.add(model);
  if (!compiled)
    compiled = types::CompiledInterface::make(
        model);  // another type of this id here: keep theirs for this Binding
  if (compiled && std::find(interfaces_.begin(), interfaces_.end(), *compiled) == interfaces_.end())
    interfaces_.push_back(*compiled);
  return compiled;
}

Result<std::unique_ptr<PartySession::Plan>> PartySession::make_plan(
    const PreparePart& part, const Plan* before, std::shared_ptr<types::Monitor> monitor) {
  auto plan = std::make_unique<Plan>();
  plan->part = part;
  plan->view.role = role_;
  plan->view.member = member_;
  if (part.roles_size() != type_.roles_size())
    return fail(Code::kInvalidArgument,
                fmt::format("a part of {} must name all its roles", type_id_));
  for (const auto& role : part.roles()) {
    if (role.numbers() > kMembersMax)
      return fail(Code::kResourceExhausted, fmt::format("role '{}' has {} members, {} at most",
                                                        role.name(), role.numbers(), kMembersMax));
    plan->view.members.push_back(role.numbers());
    plan->view.absent.emplace_back(role.absent().begin(), role.absent().end());
  }
  std::vector<types::CompiledPtr> interfaces;
  for (const auto& model : part.interfaces()) {
    auto compiled = HECTOR_TRY(interface_of(model));
    interfaces.push_back(compiled);
  }
  std::vector<types::CompiledPtr> of_channels;
  for (const auto& planned : part.channels()) {
    if (planned.interface() >= interfaces.size())
      return fail(Code::kInvalidArgument, "a channel leads to a party without an Interface");
    auto channel = HECTOR_TRY(plan_channel(planned, before));
    plan->out.push_back(std::move(channel));
    of_channels.push_back(interfaces[planned.interface()]);
  }
  plan_senders(*plan);
  HECTOR_TRY(plan_interactions(*plan, of_channels));
  plan->monitor =
      monitor ? std::move(monitor) : std::make_shared<types::Monitor>(type_, plan->view);
  return plan;
}

Result<PartySession::OutChannelPtr> PartySession::plan_channel(const ChannelPlan& planned,
                                                               const Plan* before) {
  const int role = types::role_position(type_, planned.role());
  if (role < 0) return fail(Code::kInvalidArgument, "a channel leads to an unknown role");
  const Reference party = from_model(planned.party());
  if (before != nullptr) {
    for (const auto& known : before->out) {
      if (known->role == static_cast<std::uint32_t>(role) && known->member == planned.member() &&
          known->party.offer == party.offer)
        return known;
    }
  }
  auto out = std::make_shared<OutChannel>();
  out->role = static_cast<std::uint32_t>(role);
  out->member = planned.member();
  out->party = party;
  out->profile = {planned.profile().protocol(), planned.profile().address()};
  out->why = planned.why();
  out->is_local = out->profile.protocol == kInProcess;
  auto interceptors = HECTOR_TRY(interceptors_for(planned.role()));
  out->interceptors = std::move(interceptors);
  auto hides = HECTOR_TRY(read_transparencies(
      core_.policies.ask(type_.name(), planned.role(), "transparencies", offer_->object).values));
  out->hides = hides;
  const std::weak_ptr<PartySession> weak = weak_from_this();
  if (auto watch = QosWatch::make(type_, role_name_, planned.role(), *core_.options.clock,
                                  {core_.policies, offer_->object},
                                  [weak, role = planned.role(), member = planned.member()](
                                      const std::string& dimension, const std::string& text) {
                                    if (const auto self = weak.lock())
                                      self->tell_breach(role, member, dimension, text);
                                  })) {
    out->interceptors.push_back(std::move(watch));
  }
  out->session = planned.session();
  out->id = channel_id(planned.session(), role_, member_);
  return out;
}

void PartySession::plan_senders(Plan& plan) {
  plan.senders.resize(static_cast<std::size_t>(type_.roles_size()));
  for (int r = 0; r < plan.part.roles_size(); ++r) {
    if (static_cast<std::uint32_t>(r) == role_) continue;
    const auto& role = plan.part.roles(r);
    for (std::uint32_t m = 0; m < role.numbers(); ++m) {
      auto& sender = senders_[{static_cast<std::uint32_t>(r), m}];
      if (!sender) sender = std::make_unique<Sender>();
      const std::string principal = static_cast<int>(m) < role.members_size()
                                        ? role.members(static_cast<int>(m)).principal()
                                        : "";
      const Peer* known = sender->peer.load();
      if (known == nullptr || known->principal != principal) {
        sender->peer.store(&peers_.emplace_back(Peer{principal, kInProcess, core_.options.capsule,
                                                     Security::kPrivacy}),
                           std::memory_order_release);
      }
      plan.senders[static_cast<std::size_t>(r)].push_back(sender.get());
    }
  }
}

Status PartySession::plan_interactions(Plan& plan,
                                       const std::vector<types::CompiledPtr>& interfaces) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> by_place;
  for (std::size_t c = 0; c < plan.out.size(); ++c)
    by_place[{plan.out[c]->role, plan.out[c]->member}] = c;
  for (const auto& interaction : type_.interactions()) {
    InteractionPlan planned;
    const auto from = static_cast<std::uint32_t>(types::role_position(type_, interaction.from()));
    const auto to = static_cast<std::uint32_t>(types::role_position(type_, interaction.to()));
    planned.is_mine = from == role_;
    planned.is_for_me = to == role_;
    planned.is_multicast = interaction.kind() == hector::type::v1::KIND_MULTICAST;
    planned.other_role = planned.is_mine ? to : from;
    auto& starters = plan.starters.emplace_back();
    if (planned.is_for_me) {
      planned.own = offer_->interface->find(interaction.operation());
      if (planned.own == nullptr)
        return fail(Code::kFailedPrecondition,
                    fmt::format("{} has no operation '{}'", offer_->interface->id(),
                                interaction.operation()));
    }
    const auto number = static_cast<std::uint32_t>(plan.interactions.size());
    for (std::uint32_t m = 0; planned.is_mine && m < plan.view.members[to]; ++m) {
      const auto found = by_place.find({to, m});
      if (found == by_place.end() && !plan.view.is_absent(to, m))
        return fail(
            Code::kInvalidArgument,
            fmt::format("no channel to member {} of role '{}' was planned", m, interaction.to()));
      const Operation* theirs = found == by_place.end()
                                    ? nullptr
                                    : interfaces[found->second]->find(interaction.operation());
      if (found != by_place.end() && theirs == nullptr)
        return fail(Code::kFailedPrecondition,
                    fmt::format("a party of role '{}' has no operation '{}'", interaction.to(),
                                interaction.operation()));
      planned.theirs.push_back(theirs);
      planned.channels.push_back(found == by_place.end() ? nullptr : plan.out[found->second].get());
      auto& starter = starters_[{number, m}];
      if (!starter) starter = std::make_unique<InteractionTarget>(*this, number, m);
      starters.push_back(starter.get());
    }
    plan.interactions.push_back(std::move(planned));
  }
  return {};
}

Status PartySession::connect(OutChannel& out) {
  if (out.is_local) return {};
  auto channel = HECTOR_TRY(core_.protocols.connect(out.profile));
  const auto capabilities = core_.protocols.capabilities(out.profile.protocol);
  out.is_sequenced = capabilities && !capabilities->ordered;
  out.kept.push_back(channel);
  out.channel.store(channel.get(), std::memory_order_release);
  return {};
}

Status PartySession::connect() {
  for (const auto& out : plan().out) {
    if (auto connected = connect(*out); !connected) return connected;
  }
  return {};
}

void PartySession::connect_here(OutChannel& out) {
  if (!out.is_local) return;
  out.peer_kept = core_.sessions.find(out.id).session;
  out.peer.store(out.peer_kept.get(), std::memory_order_release);
}

std::vector<std::pair<std::string, std::shared_ptr<Channel>>> PartySession::remote_channels()
    const {
  std::vector<std::pair<std::string, std::shared_ptr<Channel>>> list;
  for (const auto& out : plan().out) {
    if (!out->kept.empty())
      list.emplace_back(fmt::format("{} at {} over {}", out->party.object, out->party.capsule,
                                    out->profile.protocol),
                        out->kept.back());
  }
  return list;
}

void PartySession::enlist() {
  const Plan& plan = this->plan();
  for (std::uint32_t r = 0; r < plan.senders.size(); ++r) {
    for (std::uint32_t m = 0; m < plan.senders[r].size(); ++m) {
      if (!plan.view.is_absent(r, m))
        core_.sessions.put(channel_id(session_, r, m), {shared_from_this(), r, m});
    }
  }
}

void PartySession::delist() {
  const Plan& plan = this->plan();
  for (std::uint32_t r = 0; r < plan.senders.size(); ++r) {
    for (std::uint32_t m = 0; m < plan.senders[r].size(); ++m)
      core_.sessions.remove(channel_id(session_, r, m), this);
  }
}

void PartySession::put(std::unique_ptr<Plan> plan) {
  std::unique_ptr<Plan> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(plan_kept_, std::move(plan));
    plan_.store(plan_kept_.get(), std::memory_order_seq_cst);
  }
  if (!before) return;
  EpochGuard::synchronize();
  for (const auto& out : before->out) {
    if (std::find(plan_kept_->out.begin(), plan_kept_->out.end(), out) == plan_kept_->out.end())
      earlier_.push_back(out);
  }
}

void PartySession::activate() {
  for (const auto& out : plan().out) connect_here(*out);
  {
    const EpochGuard inside;
    if (has_phases_) mark_phases(plan(), std::nullopt);
  }
  state_.store(State::kActive, std::memory_order_release);
  offer_->host->notify([self = shared_from_this()](Servant& servant) { servant.bound(self); });
  pump_held();
}

bool PartySession::close(const std::string& why, Code code) {
  if (is_closing_.exchange(true)) return false;
  closed_ = {code,
             fmt::format("the Binding {} is closed: {}", type_id_, why),
             std::string(kNotExecuted),
             {},
             {}};
  const bool was_active = state_.exchange(State::kClosed) == State::kActive;
  EpochGuard::synchronize();
  std::vector<Call*> left;
  {
    const std::lock_guard lock(mutex_);
    for (auto* list : {&held_, &sealed_}) {
      for (const auto& each : *list) left.push_back(each.call);
      list->clear();
    }
    held_count_ = 0;
    for (auto& [key, order] : arriving_) {
      for (auto& [sequence, call] : order.waiting) left.push_back(call);
      left.insert(left.end(), order.ready.begin(), order.ready.end());
      if (order.timer != 0) core_.options.executor->cancel(order.timer);
    }
    arriving_.clear();
    waiting_count_ = 0;
    for (const auto& each : parked_) {
      if (each.timer != 0) core_.options.executor->cancel(each.timer);
      left.insert(left.end(), each.calls.begin(), each.calls.end());
    }
    parked_.clear();
  }
  for (auto* call : left) {
    if (call != nullptr)
      call->fail(closed_);  // null: it gave up waiting before the others of its multicast
  }
  {
    const std::lock_guard lock(watched_mutex_);
    for (auto& watched : watched_phases_) {
      if (watched.timer != 0) core_.options.executor->cancel(std::exchange(watched.timer, 0));
    }
  }
  if (was_active)
    offer_->host->notify([self = shared_from_this()](Servant& servant) { servant.unbound(*self); });
  // Nobody starts anything any more, and who was in the midst of it has left.
  for (auto* list : {&plan_kept_->out, &earlier_}) {
    for (const auto& out : *list) {
      out->peer.store(nullptr, std::memory_order_release);
      out->peer_kept.reset();
    }
  }
  return true;
}

}  // namespace hector
