#include "binding/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "binding/policy.h"
#include "dispatch/local_call.h"
#include "runtime/reference_model.h"
#include "hector_yaml/nearest.h"

namespace hector {

namespace {

/// How long a message waits for an earlier one of its session over a protocol that does not keep order. The earlier one was
/// given up by its sender if it has not come by then.
constexpr Duration kGapWait = std::chrono::seconds(1);

constexpr std::uint64_t order_key(std::uint32_t role, std::uint32_t member) { return static_cast<std::uint64_t>(role) << 32 | member; }

Error closed_error(const std::string& type) {
  return {Code::kUnavailable, fmt::format("the Binding {} is closed", type), {}, {}, {}};
}

}  // namespace

std::uint64_t channel_id(std::uint64_t session, std::uint32_t role, std::uint32_t member) {
  std::uint64_t mixed = session + (order_key(role, member) + 1) * 0x9e3779b97f4a7c15ULL;
  mixed ^= mixed >> 31;
  mixed *= 0xbf58476d1ce4e5b9ULL;
  return mixed ^ mixed >> 29;
}

PartySession::PartySession(Core& core, const hector::kernel::v1::PreparePart& part, OfferPtr offer)
    : core_(core), part_(part), offer_(std::move(offer)), type_id_(types::binding_id(part.type())) {}

PartySession::~PartySession() = default;

Result<std::shared_ptr<PartySession>> PartySession::make(Core& core, const hector::kernel::v1::PreparePart& part, OfferPtr offer) {
  std::shared_ptr<PartySession> made(new PartySession(core, part, std::move(offer)));
  if (auto planned = made->plan(); !planned) return fail(planned.error());
  return made;
}

Status PartySession::plan() {
  const auto& type = part_.type();
  const int own_role = types::role_position(type, part_.role());
  if (own_role < 0 || part_.roles_size() != type.roles_size()) {
    return fail(Code::kInvalidArgument, fmt::format("{} has no role '{}' with these parties", type_id_, part_.role()));
  }
  role_ = static_cast<std::uint32_t>(own_role);
  types::View view{role_, part_.member(), {}};
  std::uint32_t parties = 0;
  for (const auto& role : part_.roles()) {
    first_party_.push_back(parties);
    view.members.push_back(static_cast<std::uint32_t>(role.members_size()));
    parties += static_cast<std::uint32_t>(role.members_size());
  }
  if (part_.interfaces_size() != static_cast<int>(parties) || part_.sessions_size() != static_cast<int>(parties)) {
    return fail(Code::kInvalidArgument, "a Binding's parties, sessions and interfaces do not match in number");
  }
  plain_ = std::make_unique<std::atomic<std::uint64_t>[]>(parties);
  for (const auto& model : part_.interfaces()) {
    auto compiled = core_.types.add(model);
    if (!compiled) compiled = types::CompiledInterface::make(model);  // another type of this id here: keep theirs for this Binding
    if (!compiled) return fail(compiled.error());
    interfaces_.push_back(*compiled);
  }
  for (const auto& plan : part_.channels()) {
    auto out = std::make_unique<OutChannel>();
    const int role = types::role_position(type, plan.role());
    if (role < 0 || plan.member() >= view.members[static_cast<std::size_t>(role)]) return fail(Code::kInvalidArgument, "a channel leads to an unknown party");
    out->role = static_cast<std::uint32_t>(role);
    out->member = plan.member();
    out->party = from_model(plan.party());
    out->profile = {plan.profile().protocol(), plan.profile().address()};
    out->why = plan.why();
    out->is_local = out->profile.protocol == kInProcess;
    auto interceptors = interceptors_for(plan.role());
    if (!interceptors) return fail(interceptors.error());
    out->interceptors = std::move(*interceptors);
    out->id = channel_id(part_.sessions(static_cast<int>(first_party_[out->role] + out->member)), role_, part_.member());
    out_.push_back(std::move(out));
  }
  for (const auto& role : part_.roles()) {
    auto& peers = peers_.emplace_back();
    for (const auto& party : role.members()) peers.push_back({party.principal(), kInProcess, core_.options.capsule, Security::kPrivacy});
  }
  for (const auto& role : type.roles()) {
    auto interceptors = interceptors_for(role.name());
    if (!interceptors) return fail(interceptors.error());
    arrivals_.push_back(std::move(*interceptors));
  }
  for (const auto& interaction : type.interactions()) {
    InteractionPlan plan;
    const auto from = static_cast<std::uint32_t>(types::role_position(type, interaction.from()));
    const auto to = static_cast<std::uint32_t>(types::role_position(type, interaction.to()));
    plan.is_mine = from == role_;
    plan.is_for_me = to == role_;
    plan.is_multicast = interaction.kind() == hector::type::v1::KIND_MULTICAST;
    plan.other_role = plan.is_mine ? to : from;
    if (plan.is_for_me) {
      plan.own = offer_->interface->find(interaction.operation());
      if (plan.own == nullptr) return fail(Code::kFailedPrecondition, fmt::format("{} has no operation '{}'", offer_->interface->id(), interaction.operation()));
    }
    if (plan.is_mine) {
      for (std::uint32_t m = 0; m < view.members[to]; ++m) {
        const Operation* theirs = interfaces_[first_party_[to] + m]->find(interaction.operation());
        if (theirs == nullptr) return fail(Code::kFailedPrecondition, fmt::format("a party of role '{}' has no operation '{}'", interaction.to(), interaction.operation()));
        plan.theirs.push_back(theirs);
        OutChannel* channel = nullptr;
        for (auto& out : out_) {
          if (out->role == to && out->member == m) channel = out.get();
        }
        if (channel == nullptr) return fail(Code::kInvalidArgument, fmt::format("no channel to member {} of role '{}' was planned", m, interaction.to()));
        plan.channels.push_back(channel);
      }
    }
    plans_.push_back(std::move(plan));
  }
  for (std::uint32_t i = 0; i < plans_.size(); ++i) {
    auto& list = starters_.emplace_back();
    for (std::uint32_t m = 0; m < plans_[i].channels.size(); ++m) list.push_back(std::make_unique<InteractionStarter>(*this, i, m));
  }
  monitor_ = std::make_unique<types::Monitor>(type, view);
  for (auto& phase : types::timed_phases(type)) {
    if (phase.counting_role != part_.role()) continue;
    phases_.push_back(std::make_unique<CountedPhase>());
    phases_.back()->phase = std::move(phase);
  }
  return {};
}

bool PartySession::step(types::Symbol symbol) noexcept {
  if (!monitor_->step(symbol)) return false;
  if (!phases_.empty()) mark_phases();
  return true;
}

void PartySession::mark_phases() noexcept {
  for (auto& counted : phases_) {
    const bool is_open = monitor_->allows_any(counted->phase.interactions);
    TimePoint::rep until = counted->until.load();
    if (!is_open) {
      if (counted->until.exchange(0) != 0) counted->was_left.store(true);
    } else if (until == 0) {
      counted->was_left.store(false);
      const TimePoint end = core_.options.clock->now() + std::chrono::milliseconds(counted->phase.time_ms);
      counted->until.compare_exchange_strong(until, end.time_since_epoch().count());
    }
  }
}

const PartySession::CountedPhase* PartySession::phase_of(std::uint32_t interaction) const noexcept {
  for (const auto& counted : phases_) {
    const auto& list = counted->phase.interactions;
    if (std::find(list.begin(), list.end(), interaction) != list.end()) return counted.get();
  }
  return nullptr;
}

bool PartySession::is_overrun(std::uint32_t interaction) const noexcept {
  const CountedPhase* const counted = phase_of(interaction);
  if (counted == nullptr) return false;
  if (counted->was_left.load()) return counted->phase.is_refusable;
  const TimePoint::rep until = counted->until.load();
  return until != 0 && core_.options.clock->now().time_since_epoch().count() > until;
}

Error PartySession::overrun_error(std::uint32_t interaction) const {
  return {Code::kDeadlineExceeded,
          fmt::format("the time for '{}' in {} is over: {} ms from when it could begin", part_.type().interactions(static_cast<int>(interaction)).name(), type_id_, phase_of(interaction)->phase.time_ms), {}, {}, {}};
}

Result<InterceptorList> PartySession::interceptors_for(const std::string& partner) const {
  return core_.interceptors.make(ask_policy(core_.options.policy, part_.type().name(), partner, "interceptors").values);
}

Hop PartySession::hop(std::uint32_t interaction) const {
  const auto& type = part_.type();
  return {type_id_, part_.role(), type.roles(static_cast<int>(plans_[interaction].other_role)).name(), type.interactions(static_cast<int>(interaction)).name()};
}

Result<std::vector<Member>> PartySession::members(std::string_view role) const {
  const int at = types::role_position(part_.type(), role);
  if (at < 0) {
    std::vector<std::string> names;
    for (const auto& each : part_.type().roles()) names.push_back(each.name());
    return fail(Code::kNotFound, fmt::format("{} has no role '{}'{}", type_id_, role, types::nearest_hint(role, names)));
  }
  std::vector<Member> members;
  for (const auto& reference : part_.roles(at).members()) members.push_back({reference.object(), reference.capsule()});
  return members;
}

Result<std::uint32_t> PartySession::interaction(std::string_view name) const {
  std::vector<std::string> mine;
  for (std::uint32_t i = 0; i < plans_.size(); ++i) {
    if (!plans_[i].is_mine) continue;
    mine.push_back(part_.type().interactions(static_cast<int>(i)).name());
    if (mine.back() == name) return i;
  }
  return fail(Code::kNotFound, fmt::format("role '{}' of {} starts no interaction '{}'{}; it starts {}", part_.role(), type_id_, name,
                                           types::nearest_hint(name, mine), fmt::join(mine, ", ")));
}

Starter& PartySession::starter(std::uint32_t interaction, std::uint32_t member) { return *starters_.at(interaction).at(member); }

Reliability PartySession::reliability(std::uint32_t interaction) const noexcept {
  if (interaction >= plans_.size()) return Reliability::kAll;
  const std::string& said = part_.type().interactions(static_cast<int>(interaction)).qos().reliability();
  if (said == "best_effort") return Reliability::kBestEffort;
  if (said == "at_least_one") return Reliability::kAtLeastOne;
  return said == "majority" ? Reliability::kMajority : Reliability::kAll;
}

const Operation& PartySession::operation(std::uint32_t interaction) const {
  const auto& plan = plans_.at(interaction);
  static const Operation kNone{};
  return plan.theirs.empty() ? kNone : *plan.theirs.front();
}

bool PartySession::InteractionStarter::help(TimePoint until) noexcept {
  Channel* channel = session_.plans_[interaction_].channels[member_]->channel.load(std::memory_order_acquire);
  return channel != nullptr && channel->help(until);
}

Error PartySession::order_error(std::uint32_t interaction) {
  return {Code::kFailedPrecondition,
          fmt::format("'{}' is out of order in role '{}' of {}; allowed now: {}", part_.type().interactions(static_cast<int>(interaction)).name(),
                      part_.role(), type_id_, monitor_->allowed()),
          {}, {}, {}};
}

void PartySession::start(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept {
  if (state_.load(std::memory_order_acquire) != State::kActive) return call.fail(closed_error(type_id_));
  if (interaction >= plans_.size() || member >= plans_[interaction].channels.size()) {
    return call.fail({Code::kInvalidArgument, "no such interaction or member", {}, {}, {}});
  }
  const InteractionPlan& plan = plans_[interaction];
  if (!phases_.empty() && is_overrun(interaction)) return call.fail(overrun_error(interaction));
  if (!step(types::view_symbol(interaction, plan.is_multicast ? 0 : member))) return call.fail(order_error(interaction));
  if (held_count_.load(std::memory_order_relaxed) != 0) pump_held();
  send(plan, interaction, *plan.channels[member], call);
}

void PartySession::start_all(std::uint32_t interaction, const std::vector<Call*>& calls) noexcept {
  const bool is_known = interaction < plans_.size() && calls.size() == plans_[interaction].channels.size();
  std::optional<Error> refused;
  if (state_.load(std::memory_order_acquire) != State::kActive) {
    refused = closed_error(type_id_);
  } else if (!is_known) {
    refused = Error{Code::kInvalidArgument, "a multicast needs one call for each member", {}, {}, {}};
  } else if (!phases_.empty() && is_overrun(interaction)) {
    refused = overrun_error(interaction);
  } else if (!calls.empty() && !step(types::view_symbol(interaction, 0))) {
    refused = order_error(interaction);
  }
  for (std::size_t m = 0; m < calls.size(); ++m) {
    if (refused) {
      calls[m]->fail(*refused);
    } else {
      send(plans_[interaction], interaction, *plans_[interaction].channels[m], *calls[m]);
    }
  }
  if (held_count_.load(std::memory_order_relaxed) != 0) pump_held();
}

void PartySession::send(const InteractionPlan& plan, std::uint32_t interaction, OutChannel& out, Call& call) noexcept {
  const Operation& operation = *plan.theirs[out.member];
  call.kind = operation.kind;
  call.flow = operation.flow;
  out.sent.store(out.sent.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (!out.interceptors.empty() && !intercept(out.interceptors, Way::kSending, call, hop(interaction), shared_from_this(), *core_.options.clock)) return;
  if (PartySession* peer = out.peer.load(std::memory_order_acquire)) {
    call.is_local = true;
    if (call.kind == Kind::kStream) {
      Call& handler = call.defer();
      auto [mine, theirs] = make_local_flow(call.flow);
      call.give_stream(mine);
      handler.stream = theirs;
      return peer->take(handler, interaction, part_.member());
    }
    return peer->take(call, interaction, part_.member());
  }
  Channel* channel = out.channel.load(std::memory_order_acquire);
  if (channel == nullptr) return call.fail(closed_error(type_id_));
  if (out.party.is_foreign()) {  // no session there: the call names its operation
    call.header.session = 0;
    call.header.interface_name = out.party.interface_id.substr(0, out.party.interface_id.rfind('/'));
    call.header.operation_name = operation.name;
    call.header.operation = kByName;
    call.header.principal = offer_->principal;
    inherit(call, core_);
    return channel->start(call);
  }
  call.header.session = out.id;
  call.header.offer = out.party.offer;
  call.header.operation = interaction;
  call.header.principal = offer_->principal;
  if (call.kind != Kind::kStream) {
    const std::uint64_t position = out.sequence.fetch_add(1, std::memory_order_relaxed) + 1;
    call.header.sequence = out.is_sequenced.load(std::memory_order_relaxed) ? position : 0;
  }
  inherit(call, core_);
  channel->start(call);
}

Status PartySession::connect() {
  for (auto& out : out_) {
    if (out->is_local) continue;
    auto channel = core_.protocols.connect(out->profile);
    if (!channel) return fail(channel.error());
    const auto capabilities = core_.protocols.capabilities(out->profile.protocol);
    out->is_sequenced = capabilities && !capabilities->ordered;
    out->kept.push_back(*channel);
    out->channel.store(channel->get(), std::memory_order_release);
  }
  return {};
}

std::vector<std::pair<std::string, std::shared_ptr<Channel>>> PartySession::remote_channels() const {
  std::vector<std::pair<std::string, std::shared_ptr<Channel>>> list;
  for (const auto& out : out_) {
    if (!out->kept.empty()) list.emplace_back(fmt::format("{} at {} over {}", out->party.object, out->party.capsule, out->profile.protocol), out->kept.back());
  }
  return list;
}

void PartySession::activate() {
  for (auto& out : out_) {
    if (!out->is_local) continue;
    out->peer_kept = core_.sessions.find(out->id).session;
    out->peer.store(out->peer_kept.get(), std::memory_order_release);
  }
  mark_phases();
  state_.store(State::kActive, std::memory_order_release);
  offer_->host->notify([self = shared_from_this()](Servant& servant) { servant.bound(self); });
  pump_held();
}

void PartySession::close(const std::string& why) {
  const bool was_active = state_.exchange(State::kClosed) == State::kActive;
  std::deque<Held> held;
  std::vector<Call*> waiting;
  {
    const std::lock_guard lock(mutex_);
    held.swap(held_);
    held_count_ = 0;
    for (auto& [key, order] : arriving_) {
      for (auto& [sequence, call] : order.waiting) waiting.push_back(call);
      waiting.insert(waiting.end(), order.ready.begin(), order.ready.end());
      if (order.timer != 0) core_.options.executor->cancel(order.timer);
    }
    arriving_.clear();
    waiting_count_ = 0;
  }
  const Error error{Code::kUnavailable, fmt::format("the Binding {} is closed: {}", type_id_, why), {}, {}, {}};
  for (auto& each : held) each.call->fail(error);
  for (auto* call : waiting) call->fail(error);
  for (auto& out : out_) {
    out->peer.store(nullptr, std::memory_order_release);
  }
  if (was_active) offer_->host->notify([self = shared_from_this()](Servant& servant) { servant.unbound(*self); });
  for (auto& out : out_) out->peer_kept.reset();
}

Status PartySession::resolve(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) const {
  static_cast<void>(sender_member);
  const std::uint32_t interaction = call.header.operation;
  if (interaction >= plans_.size() || !plans_[interaction].is_for_me || plans_[interaction].other_role != sender_role) {
    return fail(Code::kInvalidArgument, fmt::format("interaction number {} is not for role '{}' of {}", interaction, part_.role(), type_id_));
  }
  call.operation = plans_[interaction].own;
  call.kind = call.operation->kind;
  call.flow = call.operation->flow;
  return {};
}

void PartySession::accept(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) noexcept {
  if (call.header.sequence != 0) return in_order(call, sender_role, sender_member);
  if (call.kind == Kind::kStream) return take(call, call.header.operation, sender_member);
  take(call, call.header.operation, sender_member);
  plain_from(sender_role, sender_member).fetch_add(1, std::memory_order_acq_rel);
  if (waiting_count_.load(std::memory_order_acquire) == 0) return;
  const std::uint64_t key = order_key(sender_role, sender_member);
  {
    const std::lock_guard lock(mutex_);
    const auto found = arriving_.find(key);
    if (found == arriving_.end()) return;
    make_ready(found->second, key);
  }
  deliver_in_order(key);
}

void PartySession::make_ready(InOrder& order, std::uint64_t key) noexcept {
  const auto& plain = plain_from(static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key));
  while (!order.waiting.empty() && order.waiting.begin()->first <= plain.load(std::memory_order_acquire) + order.placed + 1) {
    order.ready.push_back(order.waiting.begin()->second);
    order.waiting.erase(order.waiting.begin());
    ++order.placed;
    waiting_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (order.waiting.empty() && order.timer != 0) core_.options.executor->cancel(std::exchange(order.timer, 0));
}

void PartySession::in_order(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) noexcept {
  const std::uint64_t key = order_key(sender_role, sender_member);
  {
    const std::lock_guard lock(mutex_);
    InOrder& order = arriving_[key];
    if (order.waiting.size() >= kHeldMax || !order.waiting.emplace(call.header.sequence, &call).second) {
      order.ready.push_back(&call);  // too many wait: order is given up rather than the message
    } else {
      waiting_count_.fetch_add(1, std::memory_order_release);
      make_ready(order, key);
      if (!order.waiting.empty() && order.timer == 0) {
        order.timer = core_.options.executor->at(core_.options.clock->now() + kGapWait, [self = shared_from_this(), key] { self->skip_gap(key); });
      }
    }
  }
  deliver_in_order(key);
}

void PartySession::deliver_in_order(std::uint64_t key) noexcept {
  for (bool is_first = true;; is_first = false) {
    Call* next = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const auto found = arriving_.find(key);
      if (found == arriving_.end()) return;
      InOrder& order = found->second;
      if (is_first && order.is_delivering) return;  // who delivers takes these too
      order.is_delivering = !order.ready.empty();
      if (order.ready.empty()) return;
      next = order.ready.front();
      order.ready.pop_front();
    }
    take(*next, next->header.operation, static_cast<std::uint32_t>(key));
  }
}

void PartySession::skip_gap(std::uint64_t key) noexcept {
  {
    const std::lock_guard lock(mutex_);
    const auto found = arriving_.find(key);
    if (found == arriving_.end()) return;
    InOrder& order = found->second;
    order.timer = 0;
    if (!order.waiting.empty()) {  // what is before the first that waits counts as handed on
      const std::uint64_t plain = plain_from(static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key)).load();
      const std::uint64_t before = order.waiting.begin()->first - 1;
      order.placed = before > plain ? before - plain : 0;
      make_ready(order, key);
    }
    if (!order.waiting.empty()) order.timer = core_.options.executor->at(core_.options.clock->now() + kGapWait, [self = shared_from_this(), key] { self->skip_gap(key); });
  }
  deliver_in_order(key);
}

void PartySession::take(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept {
  if (!phases_.empty() && is_overrun(interaction)) return call.fail(overrun_error(interaction));
  if (state_.load(std::memory_order_acquire) != State::kActive || !step(types::view_symbol(interaction, sender))) {
    return hold_or_refuse(call, interaction, sender);
  }
  deliver(call, interaction, sender);
  if (held_count_.load(std::memory_order_relaxed) != 0) pump_held();
}

void PartySession::deliver(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept {
  const InteractionPlan& plan = plans_[interaction];
  call.operation = plan.own;
  if (call.peer == nullptr) call.peer = &peers_[plan.other_role][sender];
  const InterceptorList& list = arrivals_[plan.other_role];
  if (!list.empty() && !intercept(list, Way::kArriving, call, hop(interaction), shared_from_this(), *core_.options.clock)) return;
  offer_->host->enter(call);
}

void PartySession::hold_or_refuse(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept {
  const State state = state_.load(std::memory_order_acquire);
  if (state == State::kClosed) return call.fail(closed_error(type_id_));
  if (state == State::kActive && monitor_->look(types::view_symbol(interaction, sender)) == types::Monitor::Answer::kNever) {
    return call.fail(phase_of(interaction) != nullptr ? overrun_error(interaction) : order_error(interaction));
  }
  Call& kept = call.is_local ? call.defer() : call;
  {
    const std::lock_guard lock(mutex_);
    if (held_.size() < kHeldMax && state_.load() != State::kClosed) {
      held_.push_back({&kept, interaction, sender});
      held_count_ = held_.size();
      return;
    }
  }
  kept.fail({Code::kResourceExhausted, fmt::format("role '{}' of {} holds {} early messages, its limit", part_.role(), type_id_, kHeldMax), {}, {}, {}});
}

void PartySession::pump_held() noexcept {
  for (;;) {
    Held ready{};
    {
      const std::lock_guard lock(mutex_);
      if (state_.load() != State::kActive) return;
      const auto at = std::find_if(held_.begin(), held_.end(), [&](const Held& each) {
        return step(types::view_symbol(each.interaction, each.sender));
      });
      if (at == held_.end()) return;
      ready = *at;
      held_.erase(at);
      held_count_ = held_.size();
    }
    deliver(*ready.call, ready.interaction, ready.sender);
  }
}

bool PartySession::uses(std::uint32_t role, std::uint32_t member, const std::string& protocol) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(out_.begin(), out_.end(), [&](const auto& out) {
    return out->role == role && out->member == member && out->profile.protocol == protocol;
  });
}

Result<std::pair<Profile, std::string>> PartySession::move_channel(std::uint32_t role, std::uint32_t member, const std::string& exclude, bool dry_run) {
  for (auto& out : out_) {
    if (out->role != role || out->member != member || out->is_local) continue;
    auto choice = choose_protocol(core_.options.policy, part_.type().name(), part_.type().roles(static_cast<int>(role)).name(), out->party.profiles,
                                  core_.protocols.names(), exclude);
    if (!choice) return fail(choice.error());
    if (dry_run) return std::pair{choice->profile, choice->why};
    auto channel = core_.protocols.connect(choice->profile);
    if (!channel) return fail(channel.error());
    const std::lock_guard lock(mutex_);
    // What is under way comes by the old protocol, what is sent from now on by the new one: only positions keep them in order.
    out->is_sequenced = true;
    out->profile = choice->profile;
    out->why = choice->why;
    out->kept.push_back(*channel);
    out->channel.store(channel->get(), std::memory_order_release);
    return std::pair{choice->profile, choice->why};
  }
  return fail(Code::kNotFound, "this Binding has no such channel");
}

std::vector<ChannelState> PartySession::channels() const {
  const std::lock_guard lock(mutex_);
  std::vector<ChannelState> states;
  for (const auto& out : out_) {
    states.push_back({part_.type().roles(static_cast<int>(out->role)).name(), out->member, out->party, out->profile, out->why, out->sent.load(), {}});
    for (const auto& each : out->interceptors) {
      if (const auto* metrics = dynamic_cast<const MetricsInterceptor*>(each.get())) states.back().metrics = metrics->counts();
    }
  }
  return states;
}

}  // namespace hector
