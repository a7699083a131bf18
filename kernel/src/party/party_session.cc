#include "party/party_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/nearest.h"
#include "call/call_state.h"
#include "call/local_call.h"

namespace hector {

namespace {

/// How long a message waits for an earlier one of its session over a protocol that does not keep
/// order. The earlier one was given up by its sender if it has not come by then.
constexpr Duration kGapWait = std::chrono::seconds(1);

/// What runs when a call ends is not the kernel's own.
void refuse(Call& call, Error why) noexcept {
  EpochGuard::leave_all();
  call.fail(std::move(why));
}

}  // namespace

std::uint64_t channel_id(std::uint64_t session, std::uint32_t role, std::uint32_t member) {
  std::uint64_t mixed =
      session + ((static_cast<std::uint64_t>(role) << 32 | member) + 1) * 0x9e3779b97f4a7c15ULL;
  mixed ^= mixed >> 31;
  mixed *= 0xbf58476d1ce4e5b9ULL;
  return mixed ^ mixed >> 29;
}

Error PartySession::closed_error() const {
  if (state_.load(std::memory_order_acquire) == State::kClosed && !closed_.message.empty())
    return closed_;
  return {Code::kUnavailable,
          fmt::format("the Binding {} is closed", type_id_),
          std::string(kNotExecuted),
          {},
          {}};
}

// --- what the Object sees
// ----------------------------------------------------------------------------------------------

Result<std::vector<Member>> PartySession::members(std::string_view role) const {
  const int at = types::role_position(type_, role);
  if (at < 0) {
    std::vector<std::string> names;
    for (const auto& each : type_.roles()) names.push_back(each.name());
    return fail(Code::kNotFound, fmt::format("{} has no role '{}'{}", type_id_, role,
                                             types::nearest_hint(role, names)));
  }
  const EpochGuard inside;
  const Plan& plan = this->plan();
  const auto& known = plan.part.roles(at);
  std::vector<Member> members;
  for (const std::uint32_t number : plan.view.present(static_cast<std::uint32_t>(at))) {
    if (static_cast<int>(number) >= known.members_size())
      continue;  // of its own role it knows only how many there are
    const auto& reference = known.members(static_cast<int>(number));
    members.push_back({reference.object(), reference.capsule(), number});
  }
  return members;
}

Result<std::uint32_t> PartySession::interaction(std::string_view name) const {
  std::vector<std::string> mine;
  for (int i = 0; i < type_.interactions_size(); ++i) {
    if (type_.interactions(i).from() != role_name_) continue;
    mine.push_back(type_.interactions(i).name());
    if (mine.back() == name) return static_cast<std::uint32_t>(i);
  }
  return fail(Code::kNotFound,
              fmt::format("role '{}' of {} starts no interaction '{}'{}; it starts {}", role_name_,
                          type_id_, name, types::nearest_hint(name, mine), fmt::join(mine, ", ")));
}

CallTarget& PartySession::call_target(std::uint32_t interaction, std::uint32_t member) {
  const EpochGuard inside;
  return *plan().starters.at(interaction).at(member);
}

std::size_t PartySession::receivers(std::uint32_t interaction) const noexcept {
  const EpochGuard inside;
  const auto& interactions = plan().interactions;
  if (interaction >= interactions.size()) return 0;
  const auto& channels = interactions[interaction].channels;
  return static_cast<std::size_t>(std::count_if(channels.begin(), channels.end(),
                                                [](const auto* each) { return each != nullptr; }));
}

Reliability PartySession::reliability(std::uint32_t interaction) const noexcept {
  if (interaction >= static_cast<std::uint32_t>(type_.interactions_size()))
    return Reliability::kAll;
  const std::string& said = type_.interactions(static_cast<int>(interaction)).qos().reliability();
  if (said == "best_effort") return Reliability::kBestEffort;
  if (said == "at_least_one") return Reliability::kAtLeastOne;
  return said == "majority" ? Reliability::kMajority : Reliability::kAll;
}

const Operation& PartySession::operation(std::uint32_t interaction) const {
  static const Operation kNone{};
  const EpochGuard inside;
  const auto& theirs = plan().interactions.at(interaction).theirs;
  const auto known =
      std::find_if(theirs.begin(), theirs.end(), [](const auto* each) { return each != nullptr; });
  return known == theirs.end() ? kNone : **known;
}

Result<PartySession::OutChannelPtr> PartySession::channel_to(std::string_view role,
                                                             std::uint32_t number) const {
  const int at = types::role_position(type_, role);
  const std::lock_guard lock(mutex_);
  for (const auto& out : plan_kept_->out) {
    if (static_cast<int>(out->role) == at && out->member == number) return out;
  }
  return fail(Code::kNotFound, fmt::format("role '{}' of {} has no channel to {} {}", role_name_,
                                           type_id_, role, number));
}

Result<std::string> PartySession::location(std::string_view role, std::uint32_t number) const {
  auto out = HECTOR_TRY(channel_to(role, number));
  if (out->hides.location) {
    return fail(Code::kFailedPrecondition,
                fmt::format("channels to '{}' hide where it is; policy '{}.{}.transparencies' "
                            "without location shows it",
                            role, type_.name(), role));
  }
  const std::lock_guard lock(mutex_);
  return fmt::format("{} {}", out->profile.protocol, out->profile.address);
}

Result<std::shared_ptr<CallTarget>> PartySession::endpoint(std::string_view role,
                                                           std::uint32_t number) const {
  auto out = HECTOR_TRY(channel_to(role, number));
  const Transparencies& hides = out->hides;
  if (hides.access || hides.location || hides.relocation || hides.failure) {
    return fail(Code::kFailedPrecondition,
                fmt::format("channels to '{}' keep {}; policy '{}.{}.transparencies: [none]' gives "
                            "the protocol's own channel",
                            role, hides.text(), type_.name(), role));
  }
  if (out->is_local)
    return fail(Code::kUnimplemented,
                "both ends are in one capsule: there is no protocol between them");
  const std::lock_guard lock(mutex_);
  return std::static_pointer_cast<CallTarget>(out->kept.back());
}

hector::kernel::v1::PreparePart PartySession::part() const {
  const EpochGuard inside;
  return plan().part;
}

// --- the order, and the time of its phases
// ----------------------------------------------------------------------------------------------

bool PartySession::step(const Plan& plan, types::Symbol symbol) noexcept {
  if (!plan.monitor->step(symbol)) return false;
  if (has_phases_) [[unlikely]]
    mark_phases(plan, types::symbol_interaction(symbol));
  return true;
}

void PartySession::mark_phases(const Plan& plan, std::optional<std::uint32_t> stepped) noexcept {
  if (!watched_phases_.empty()) watch_phases(plan, stepped);
  for (auto& counted : phases_) {
    const bool is_open = plan.monitor->allows_any(counted->phase.interactions);
    TimePoint::rep until = counted->until.load();
    if (!is_open) {
      if (counted->until.exchange(0) != 0) counted->was_left.store(true);
    } else if (until == 0) {
      counted->was_left.store(false);
      const TimePoint end =
          core_.options.clock->now() + std::chrono::milliseconds(counted->phase.time_ms);
      counted->until.compare_exchange_strong(until, end.time_since_epoch().count());
    }
  }
}

void PartySession::watch_phases(const Plan& plan, std::optional<std::uint32_t> stepped) {
  const std::lock_guard lock(watched_mutex_);
  for (std::size_t p = 0; p < watched_phases_.size(); ++p) {
    WatchedPhase& watched = watched_phases_[p];
    const auto& all = watched.phase.interactions;
    const bool is_of_it = stepped && std::find(all.begin(), all.end(), *stepped) != all.end();
    const bool may_begin = plan.monitor->allows_any(watched.phase.first);
    const bool is_open = plan.monitor->allows_any(all);
    if (watched.is_open && is_open && !(is_of_it && may_begin)) continue;  // it goes on
    if (watched.timer != 0) core_.options.executor->cancel(std::exchange(watched.timer, 0));
    watched.is_open = may_begin;
    if (!may_begin) continue;
    const std::weak_ptr<PartySession> weak = weak_from_this();
    watched.timer = core_.options.executor->at(
        core_.options.clock->now() + std::chrono::milliseconds(watched.phase.time_ms),
        [weak, p, opening = ++watched.opening] {
          if (const auto self = weak.lock()) self->overrun(p, opening);
        });
  }
}

void PartySession::overrun(std::size_t phase, std::uint64_t opening) {
  {
    const std::lock_guard lock(watched_mutex_);
    WatchedPhase& watched = watched_phases_[phase];
    if (!watched.is_open || watched.opening != opening || state_.load() != State::kActive) return;
    watched.timer = 0;
  }
  const auto& late = watched_phases_[phase].phase;
  std::string names;
  for (const auto interaction : late.interactions)
    names += (names.empty() ? "" : ", ") + type_.interactions(static_cast<int>(interaction)).name();
  tell_breach(role_name_, member_, "overrun",
              fmt::format("the phase of {} was not over within {} ms", names, late.time_ms));
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
          fmt::format("the time for '{}' in {} is over: {} ms from when it could begin",
                      type_.interactions(static_cast<int>(interaction)).name(), type_id_,
                      phase_of(interaction)->phase.time_ms)};
}

Error PartySession::order_error(const Plan& plan, std::uint32_t interaction) const {
  return {Code::kFailedPrecondition,
          fmt::format("'{}' is out of order in role '{}' of {}; allowed now: {}",
                      type_.interactions(static_cast<int>(interaction)).name(), role_name_,
                      type_id_, plan.monitor->allowed())};
}

Error PartySession::absent_error(const Plan& plan, std::uint32_t interaction,
                                 std::uint32_t member) const {
  if (interaction >= plan.interactions.size() || !plan.interactions[interaction].is_mine ||
      member >= plan.interactions[interaction].channels.size()) {
    return {Code::kInvalidArgument, "no such interaction or member"};
  }
  return {Code::kUnavailable,
          fmt::format("member {} of role '{}' has left the Binding {}", member,
                      type_.interactions(static_cast<int>(interaction)).to(), type_id_),
          std::string(kNotExecuted),
          {},
          {}};
}

Hop PartySession::hop(const Plan& plan, std::uint32_t interaction) const {
  return {type_id_, role_name_,
          type_.roles(static_cast<int>(plan.interactions[interaction].other_role)).name(),
          type_.interactions(static_cast<int>(interaction)).name()};
}

PartySession::OutChannel* PartySession::channel_of(const Plan& plan, std::uint32_t interaction,
                                                   std::uint32_t member) noexcept {
  if (interaction >= plan.interactions.size() ||
      member >= plan.interactions[interaction].channels.size())
    return nullptr;
  return plan.interactions[interaction].channels[member];
}

std::vector<std::uint32_t> PartySession::reached(const Plan& plan, std::uint32_t interaction) {
  std::vector<std::uint32_t> members;
  if (interaction >= plan.interactions.size()) return members;
  const auto& channels = plan.interactions[interaction].channels;
  for (std::uint32_t m = 0; m < channels.size(); ++m) {
    if (channels[m] != nullptr) members.push_back(m);
  }
  return members;
}

// --- sending
// ----------------------------------------------------------------------------------------------

void PartySession::start(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept {
  const EpochGuard inside;
  if (state_.load(std::memory_order_acquire) != State::kActive) return refuse(call, closed_error());
  const Plan& plan = this->plan();
  if (channel_of(plan, interaction, member) == nullptr)
    return refuse(call, absent_error(plan, interaction, member));
  if ((gate_.load(std::memory_order_acquire) & kStartsWait) != 0) [[unlikely]] {
    if (wait_at_gate(nullptr, interaction, member, {&call})) return;
  }
  const bool is_multicast = plan.interactions[interaction].is_multicast;
  if (!phases_.empty() && is_overrun(interaction)) return refuse(call, overrun_error(interaction));
  if (!step(plan, types::view_symbol(interaction, is_multicast ? 0 : member)))
    return refuse(call, order_error(plan, interaction));
  if (held_count_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    const Leaving leaving(*this);
    pump_held();
    const EpochGuard again;
    return send(this->plan(), interaction, member, call);
  }
  send(plan, interaction, member, call);
}

void PartySession::start_all(std::uint32_t interaction, const std::vector<Call*>& calls) noexcept {
  std::vector<std::uint32_t> members;
  std::optional<Error> refused;
  const Leaving leaving(*this);
  {
    const EpochGuard inside;
    const Plan& plan = this->plan();
    members = reached(plan, interaction);
    if (state_.load(std::memory_order_acquire) != State::kActive) {
      refused = closed_error();
    } else if (calls.size() != members.size()) {
      refused =
          Error{Code::kAborted,
                fmt::format("a multicast needs one call for each member: {} given, {} members now",
                            calls.size(), members.size()),
                std::string(kMembersChanged),
                {},
                {}};
    } else if ((gate_.load(std::memory_order_acquire) & kStartsWait) != 0 && !calls.empty() &&
               wait_at_gate(nullptr, interaction, 0, calls)) {
      return;
    } else if (!phases_.empty() && is_overrun(interaction)) {
      refused = overrun_error(interaction);
    } else if (!calls.empty() && !step(plan, types::view_symbol(interaction, 0))) {
      refused = order_error(plan, interaction);
    }
  }
  for (std::size_t m = 0; m < calls.size(); ++m) {
    if (refused) {
      calls[m]->fail(*refused);
    } else {
      const EpochGuard inside;
      send(this->plan(), interaction, members[m], *calls[m]);
    }
  }
  if (held_count_.load(std::memory_order_relaxed) != 0) pump_held();
}

void PartySession::send(const Plan& plan, std::uint32_t interaction, std::uint32_t member,
                        Call& call) noexcept {
  OutChannel* const out = channel_of(plan, interaction, member);
  if (out == nullptr) return refuse(call, absent_error(plan, interaction, member));
  if (gate_.load(std::memory_order_acquire) != 0) [[unlikely]] {
    if (wait_at_gate(out, interaction, member, {&call})) return;
  }
  pass(plan, *out, interaction, call);
}

void PartySession::pass(const Plan& plan, OutChannel& out, std::uint32_t interaction,
                        Call& call) noexcept {
  const Operation& operation = *plan.interactions[interaction].theirs[out.member];
  call.kind = operation.kind;
  call.flow = operation.flow;
  out.sent.store(out.sent.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (!out.interceptors.empty()) [[unlikely]] {
    const OutChannelPtr keep = *std::find_if(plan.out.begin(), plan.out.end(),
                                             [&](const auto& each) { return each.get() == &out; });
    const Hop told = hop(plan, interaction);
    const Leaving leaving(*this);
    EpochGuard::leave_all();
    if (!intercept(keep->interceptors, Way::kSending, call, told, shared_from_this(),
                   *core_.options.clock))
      return;
    const EpochGuard again;
    return send_on(*keep, operation, interaction, call);
  }
  send_on(out, operation, interaction, call);
}

void PartySession::send_on(OutChannel& out, const Operation& operation, std::uint32_t interaction,
                           Call& call) noexcept {
  if (PartySession* peer = out.peer.load(std::memory_order_acquire)) {
    return peer->take(enter_local(call), interaction, member_);
  }
  Channel* channel = out.channel.load(std::memory_order_acquire);
  if (channel == nullptr) return refuse(call, closed_error());
  call.header.principal = offer_->principal;
  if (out.party.is_foreign()) {  // no session there: the call names its operation
    call.header.session = 0;
    call.header.interface_name = out.party.interface_name();
    call.header.operation_name = operation.name;
    call.header.operation = kByName;
  } else {
    call.header.session = out.id;
    call.header.offer = out.party.offer;
    call.header.operation = interaction;
    if (call.kind != Kind::kStream) {
      const std::uint64_t position = out.sequence.fetch_add(1, std::memory_order_relaxed) + 1;
      call.header.sequence = out.is_sequenced.load(std::memory_order_relaxed) ? position : 0;
    } else {
      out.flows.fetch_add(1, std::memory_order_relaxed);
    }
    call.set_recovery(shared_from_this());
  }
  inherit(call, core_);
  CallState::of(call).helper.store(channel, std::memory_order_release);
  EpochGuard::leave_all();  // the channel outlives its calls, and what was sent is counted
  channel->start(call);
}

// --- arriving
// ----------------------------------------------------------------------------------------------

Status PartySession::resolve(Call& call, std::uint32_t sender_role,
                             std::uint32_t sender_member) const {
  static_cast<void>(sender_member);
  const std::uint32_t interaction = call.header.operation;
  const EpochGuard inside;
  const auto& interactions = plan().interactions;
  if (interaction >= interactions.size() || !interactions[interaction].is_for_me ||
      interactions[interaction].other_role != sender_role) {
    return fail(Code::kInvalidArgument,
                fmt::format("interaction number {} is not for role '{}' of {}", interaction,
                            role_name_, type_id_));
  }
  call.operation = interactions[interaction].own;
  call.kind = call.operation->kind;
  call.flow = call.operation->flow;
  return {};
}

PartySession::Sender* PartySession::sender(std::uint32_t role,
                                           std::uint32_t member) const noexcept {
  const EpochGuard inside;
  const auto& senders = plan().senders;
  return role < senders.size() && member < senders[role].size() ? senders[role][member] : nullptr;
}

void PartySession::accept(Call& call, std::uint32_t sender_role,
                          std::uint32_t sender_member) noexcept {
  if (call.header.sequence != 0) return in_order(call, sender_role, sender_member);
  Sender* const from = sender(sender_role, sender_member);
  const bool is_flow = call.kind == Kind::kStream;
  take(call, call.header.operation, sender_member);
  if (from == nullptr) return;
  (is_flow ? from->flows : from->plain).fetch_add(1, std::memory_order_acq_rel);
  if (is_flow || waiting_count_.load(std::memory_order_acquire) == 0) return;
  const std::uint64_t key = order_key(sender_role, sender_member);
  {
    const std::lock_guard lock(mutex_);
    const auto found = arriving_.find(key);
    if (found == arriving_.end()) return;
    make_ready(found->second);
  }
  deliver_in_order(key);
}

void PartySession::make_ready(InOrder& order) noexcept {
  while (!order.waiting.empty() &&
         order.waiting.begin()->first <=
             order.sender->plain.load(std::memory_order_acquire) + order.placed + 1) {
    order.ready.push_back(order.waiting.begin()->second);
    order.waiting.erase(order.waiting.begin());
    ++order.placed;
    waiting_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (order.waiting.empty() && order.timer != 0)
    core_.options.executor->cancel(std::exchange(order.timer, 0));
}

void PartySession::in_order(Call& call, std::uint32_t sender_role,
                            std::uint32_t sender_member) noexcept {
  const std::uint64_t key = order_key(sender_role, sender_member);
  Sender* const from = sender(sender_role, sender_member);
  if (from == nullptr) return call.fail(closed_error());
  {
    const std::lock_guard lock(mutex_);
    InOrder& order = arriving_[key];
    order.sender = from;
    if (order.waiting.size() >= kHeldMax ||
        !order.waiting.emplace(call.header.sequence, &call).second) {
      order.ready.push_back(&call);  // too many wait: order is given up rather than the message
    } else {
      waiting_count_.fetch_add(1, std::memory_order_release);
      make_ready(order);
      if (!order.waiting.empty() && order.timer == 0) {
        order.timer =
            core_.options.executor->at(core_.options.clock->now() + kGapWait,
                                       [self = shared_from_this(), key] { self->skip_gap(key); });
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
      const std::uint64_t plain = order.sender->plain.load();
      const std::uint64_t before = order.waiting.begin()->first - 1;
      order.placed = before > plain ? before - plain : 0;
      make_ready(order);
    }
    if (!order.waiting.empty())
      order.timer =
          core_.options.executor->at(core_.options.clock->now() + kGapWait,
                                     [self = shared_from_this(), key] { self->skip_gap(key); });
  }
  deliver_in_order(key);
}

void PartySession::take(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept {
  const EpochGuard inside;
  const Plan& plan = this->plan();
  if ((gate_.load(std::memory_order_acquire) & kArrivalsWait) != 0) [[unlikely]] {
    if (wait_to_arrive(call, interaction, sender)) return;
  }
  if (!phases_.empty() && is_overrun(interaction)) return refuse(call, overrun_error(interaction));
  if (state_.load(std::memory_order_acquire) != State::kActive ||
      !step(plan, types::view_symbol(interaction, sender))) {
    return hold_or_refuse(plan, call, interaction, sender);
  }
  if (held_count_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    const auto keep = shared_from_this();
    deliver(plan, call, interaction, sender);
    return pump_held();
  }
  deliver(plan, call, interaction, sender);
}

void PartySession::deliver(const Plan& plan, Call& call, std::uint32_t interaction,
                           std::uint32_t sender) noexcept {
  const InteractionPlan& interactions = plan.interactions[interaction];
  call.operation = interactions.own;
  if (call.peer == nullptr)
    call.peer = plan.senders[interactions.other_role][sender]->peer.load(std::memory_order_acquire);
  const InterceptorList& list = arrivals_[interactions.other_role];
  if (!list.empty()) [[unlikely]] {
    const Hop told = hop(plan, interaction);
    const auto keep = shared_from_this();
    EpochGuard::leave_all();
    if (!intercept(list, Way::kArriving, call, told, keep, *core_.options.clock)) return;
    return offer_->host->enter(call);
  }
  offer_->host->enter(call);
}

void PartySession::hold_or_refuse(const Plan& plan, Call& call, std::uint32_t interaction,
                                  std::uint32_t sender) noexcept {
  const State state = state_.load(std::memory_order_acquire);
  if (state == State::kClosed) return refuse(call, closed_error());
  if (state == State::kActive && plan.monitor->look(types::view_symbol(interaction, sender)) ==
                                     types::Monitor::Answer::kNever) {
    return refuse(call, phase_of(interaction) != nullptr ? overrun_error(interaction)
                                                         : order_error(plan, interaction));
  }
  Call& kept = call.defer();
  bool is_held = false;
  {
    const std::lock_guard lock(mutex_);
    if (held_.size() < kHeldMax && state_.load() != State::kClosed) {
      held_.push_back({&kept, interaction, sender});
      held_count_ = held_.size();
      is_held = true;
    }
  }
  if (!is_held)
    return refuse(kept, {Code::kResourceExhausted,
                         fmt::format("role '{}' of {} holds {} early messages, its limit",
                                     role_name_, type_id_, kHeldMax)});
  pump_held();  // its turn may have come meanwhile
}

void PartySession::pump_held() noexcept {
  const auto keep = shared_from_this();
  for (;;) {
    const EpochGuard inside;
    const Plan& plan = this->plan();
    Held ready{};
    {
      const std::lock_guard lock(mutex_);
      if (state_.load() != State::kActive || (gate_.load() & kArrivalsWait) != 0) return;
      const auto at = std::find_if(held_.begin(), held_.end(), [&](const Held& each) {
        return step(plan, types::view_symbol(each.interaction, each.sender));
      });
      if (at == held_.end()) return;
      ready = *at;
      held_.erase(at);
      held_count_ = held_.size();
    }
    deliver(plan, *ready.call, ready.interaction, ready.sender);
  }
}

}  // namespace hector
