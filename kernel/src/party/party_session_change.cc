// What changes in a session while it runs: calls wait, its channels lead to others, its order has
// other members, and it goes on.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/parker.h"
#include "binding/coordinator.h"
#include "call/call_state.h"
#include "call/reference_model.h"
#include "channel/protocol_choice.h"
#include "hector/message_calls.h"
#include "party/party_session.h"

namespace hector {

using hector::kernel::v1::Count;
using hector::kernel::v1::Position;

namespace {

/// How often a waiting change looks again. Changes are rare and short; what they wait for has no
/// end to be told of.
constexpr Duration kLookAgain = std::chrono::microseconds(20);

}  // namespace

// --- calls that wait
// ----------------------------------------------------------------------------------------------

bool PartySession::wait_at_gate(const OutChannel* out, std::uint32_t interaction,
                                std::uint32_t member, const std::vector<Call*>& calls) noexcept {
  for (auto* call : calls) inherit(*call, core_);  // they have a deadline while they wait
  std::vector<Call*> refused;
  {
    const std::lock_guard lock(mutex_);
    if (state_.load() == State::kClosed) return false;
    const std::uint32_t gate = gate_.load();
    const bool waits = out == nullptr ? (gate & kStartsWait) != 0
                                      : (gate & kSomePaused) != 0 && out->is_paused.load();
    if (!waits) return false;  // it opened meanwhile
    if (parked_.size() < kParkedMax) {
      park(calls, interaction, member, out != nullptr ? Stage::kStepped : Stage::kNew);
      return true;
    }
    refused = calls;
  }
  EpochGuard::leave_all();
  for (auto* call : refused)
    call->fail({Code::kResourceExhausted,
                fmt::format("{} calls of role '{}' of {} wait for the Binding to go on, its limit",
                            kParkedMax, role_name_, type_id_)});
  return true;
}

void PartySession::park(const std::vector<Call*>& calls, std::uint32_t interaction,
                        std::uint32_t member, Stage stage) {
  Parked parked{calls, interaction, member, stage, 0, ++parked_ever_};
  TimePoint first = kNever;
  for (auto* call : calls) {
    call->request.own();
    first = std::min(first, call->header.deadline);
  }
  const std::weak_ptr<PartySession> weak = shared_from_this();
  if (first != kNever) {
    parked.timer = core_.options.executor->at(first, [weak, number = parked.number] {
      if (const auto self = weak.lock())
        self->give_up(number, nullptr,
                      {Code::kDeadlineExceeded,
                       "the deadline passed while the Binding was being changed or was suspended"});
    });
  }
  for (auto* call : calls) {
    // Not at once: it may be cancelled already, and the lock is held here.
    call->on_cancel([weak, call, number = parked.number, executor = core_.options.executor] {
      executor->post([weak, call, number, why = call->why_cancelled()] {
        if (const auto self = weak.lock()) self->give_up(number, call, why);
      });
    });
  }
  parked_.push_back(std::move(parked));
}

void PartySession::give_up(std::uint64_t number, Call* call, Error why) noexcept {
  std::vector<Call*> given;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(parked_.begin(), parked_.end(),
                                    [&](const Parked& each) { return each.number == number; });
    if (found == parked_.end()) return;
    for (auto& each : found->calls) {
      if (each == nullptr || (call != nullptr && each != call)) continue;
      given.push_back(std::exchange(each, nullptr));  // the others of a multicast keep their places
    }
    if (std::all_of(found->calls.begin(), found->calls.end(),
                    [](const Call* each) { return each == nullptr; })) {
      if (found->timer != 0) core_.options.executor->cancel(found->timer);
      parked_.erase(found);
    }
  }
  for (auto* each : given) each->fail(why);
}

void PartySession::go_on(Parked parked) noexcept {
  if (parked.timer != 0) core_.options.executor->cancel(parked.timer);
  for (auto& call : parked.calls) {
    if (call == nullptr) continue;
    call->on_cancel([] {});
    if (!call->is_cancelled()) continue;
    Call* const cancelled = std::exchange(call, nullptr);
    cancelled->fail(cancelled->why_cancelled());
  }
  std::optional<Error> refused;
  std::vector<std::uint32_t> members{parked.member};
  if (parked.stage == Stage::kNew) {
    const EpochGuard inside;
    const Plan& plan = this->plan();
    const bool is_multicast = plan.interactions[parked.interaction].is_multicast;
    if (is_multicast) members = reached(plan, parked.interaction);
    if (is_multicast && members.size() != parked.calls.size()) {
      refused = Error{Code::kAborted,
                      "the members changed while the multicast waited",
                      std::string(kMembersChanged),
                      {},
                      {}};
    } else if (!phases_.empty() && is_overrun(parked.interaction)) {
      refused = overrun_error(parked.interaction);
    } else if (!step(plan,
                     types::view_symbol(parked.interaction, is_multicast ? 0 : parked.member))) {
      refused = order_error(plan, parked.interaction);
    }
  }
  for (std::size_t i = 0; i < parked.calls.size(); ++i) {
    if (parked.calls[i] == nullptr) continue;
    Call& call = *parked.calls[i];
    if (refused) {
      call.fail(*refused);
      continue;
    }
    const EpochGuard inside;
    const Plan& plan = this->plan();
    OutChannel* const out = channel_of(plan, parked.interaction, members[i]);
    if (out == nullptr) {
      const Error why = absent_error(plan, parked.interaction, members[i]);
      EpochGuard::leave_all();
      call.fail(why);
    } else if (parked.stage == Stage::kPassed) {
      send_on(*out, *plan.interactions[parked.interaction].theirs[members[i]], parked.interaction,
              call);
    } else {
      pass(plan, *out, parked.interaction, call);
    }
  }
}

bool PartySession::wait_to_arrive(Call& call, std::uint32_t interaction,
                                  std::uint32_t sender) noexcept {
  Call& kept = call.defer();
  std::optional<Error> refused;
  {
    const std::lock_guard lock(mutex_);
    if (state_.load() == State::kClosed) {
      refused = closed_error();
    } else if (sealed_.size() >= kParkedMax) {
      refused =
          Error{Code::kResourceExhausted,
                fmt::format("{} messages wait for {} to go on, its limit", kParkedMax, type_id_)};
    } else if ((gate_.load() & kArrivalsWait) != 0) {
      sealed_.push_back({&kept, interaction, sender});
      return true;
    }
  }
  if (refused) {
    EpochGuard::leave_all();
    kept.fail(std::move(*refused));
    return true;
  }
  if (&kept == &call) return false;  // it opened meanwhile
  take(kept, interaction, sender);
  return true;
}

std::vector<types::Symbol> PartySession::waiting() const {
  const std::lock_guard lock(mutex_);
  std::vector<types::Symbol> symbols;
  for (const auto& each : parked_) {
    if (each.stage != Stage::kNew)
      symbols.push_back(types::view_symbol(each.interaction, each.member));
  }
  return symbols;
}

// --- to stop and to go on
// ----------------------------------------------------------------------------------------------

Count PartySession::pause(std::uint32_t role, std::uint32_t member) {
  const std::lock_guard lock_change(change_mutex_);
  Count count;
  count.set_role(role_);
  count.set_member(member_);
  for (const auto& out : plan().out) {
    if (out->role != role || out->member != member) continue;
    out->is_paused.store(true);
    gate_.fetch_or(kSomePaused);
    EpochGuard::synchronize();
    count.set_messages(out->is_local ? 0 : out->sequence.load());
    count.set_flows(out->flows.load());
  }
  return count;
}

void PartySession::freeze(bool seal) {
  gate_.fetch_or(kStartsWait | (seal ? kArrivalsWait : 0));
  EpochGuard::synchronize();
}

void PartySession::resume() noexcept {
  const auto keep = shared_from_this();
  for (;;) {
    Held arrived{};
    {
      const std::lock_guard lock(mutex_);
      if (sealed_.empty()) {
        gate_.fetch_and(~kArrivalsWait);
        break;
      }
      arrived = sealed_.front();
      sealed_.pop_front();
    }
    const EpochGuard inside;
    const Plan& plan = this->plan();
    if (!phases_.empty() && is_overrun(arrived.interaction)) {
      EpochGuard::leave_all();
      arrived.call->fail(overrun_error(arrived.interaction));
    } else if (state_.load() == State::kActive &&
               step(plan, types::view_symbol(arrived.interaction, arrived.sender))) {
      deliver(plan, *arrived.call, arrived.interaction, arrived.sender);
    } else {
      hold_or_refuse(plan, *arrived.call, arrived.interaction, arrived.sender);
    }
  }
  pump_held();
  for (;;) {
    Parked next;
    {
      const std::lock_guard lock(mutex_);
      if (parked_.empty()) {
        for (const auto& out : plan_kept_->out) {
          out->is_paused.store(false);
          out->is_suspected.store(false);
        }
        gate_.fetch_and(~(kStartsWait | kSomePaused));
        break;
      }
      next = std::move(parked_.front());
      parked_.pop_front();
    }
    go_on(std::move(next));
  }
}

std::uint64_t PartySession::received(std::uint32_t role, std::uint32_t member) const {
  const auto found = senders_.find({role, member});
  if (found == senders_.end()) return 0;
  const std::lock_guard lock(mutex_);
  const auto order = arriving_.find(order_key(role, member));
  return found->second->plain.load() +
         (order == arriving_.end() ? 0 : order->second.placed - order->second.ready.size());
}

Status PartySession::await(const google::protobuf::RepeatedPtrField<Count>& expected,
                           Duration grace) const {
  const TimePoint until = core_.options.clock->now() + grace;
  for (;;) {
    std::string missing;
    for (const auto& count : expected) {
      const auto sender = senders_.find({count.role(), count.member()});
      const std::uint64_t came = received(count.role(), count.member()),
                          flows = sender == senders_.end() ? 0 : sender->second->flows.load();
      if (came >= count.messages() && flows >= count.flows()) continue;
      missing = fmt::format("{} of {} messages of {} {} have not arrived at '{}'",
                            count.messages() - std::min(came, count.messages()), count.messages(),
                            type_.roles(static_cast<int>(count.role())).name(), count.member(),
                            offer_->object);
    }
    if (missing.empty()) return {};
    if (core_.options.clock->now() >= until || !core_.pause_for(kLookAgain))
      return fail(Code::kDeadlineExceeded, missing);
  }
}

Status PartySession::come_to_rest(Duration grace) {
  const TimePoint until = core_.options.clock->now() + grace;
  for (;;) {
    const std::uint64_t calls = offer_->host->calls();
    if (offer_->host->is_at_rest() && held_count_.load() == 0) {
      freeze(true);
      // What was about to start before that has left; whatever it was answered with in between
      // would show in the counts.
      if (offer_->host->is_at_rest() && offer_->host->calls() == calls && held_count_.load() == 0)
        return {};
      resume();
    }
    if (core_.options.clock->now() >= until || !core_.pause_for(kLookAgain)) {
      return fail(Code::kDeadlineExceeded,
                  held_count_.load() != 0
                      ? fmt::format("'{}' holds {} messages that came before their turn",
                                    offer_->object, held_count_.load())
                      : fmt::format("'{}' has not answered all that it was asked", offer_->object));
    }
  }
}

Position PartySession::position() const {
  const std::lock_guard lock_change(change_mutex_);
  Position position;
  for (const auto symbol : plan().monitor->way()) position.add_way(symbol);
  for (const auto& [place, sender] : senders_) {
    auto* count = position.add_received();
    count->set_role(place.first);
    count->set_member(place.second);
    count->set_messages(received(place.first, place.second));
    count->set_flows(sender->flows.load());
  }
  for (const auto& out : plan().out) {
    auto* count = position.add_sent();
    count->set_role(out->role);
    count->set_member(out->member);
    count->set_messages(out->sequence.load());
    count->set_flows(out->flows.load());
  }
  return position;
}

Status PartySession::take_position(const Position& position) {
  for (const auto& count : position.received()) {
    const auto found = senders_.find({count.role(), count.member()});
    if (found == senders_.end()) continue;
    found->second->plain = count.messages();
    found->second->flows = count.flows();
  }
  for (const auto& count : position.sent()) {
    for (const auto& out : plan().out) {
      if (out->role != count.role() || out->member != count.member()) continue;
      out->sequence = count.messages();
      out->flows = count.flows();
    }
  }
  if (plan().monitor->walk({position.way().begin(), position.way().end()})) return {};
  return fail(
      Code::kFailedPrecondition,
      fmt::format("role '{}' of {} cannot go on from where it stood", role_name_, type_id_));
}

namespace {

/// Without relocation transparency the first call after a party was replaced is told so.
class Relocated final : public Interceptor {
 public:
  explicit Relocated(std::string text) : text_(std::move(text)) {}
  Status sending(Call&, const Hop&) noexcept override {
    if (is_told_.exchange(true)) return {};
    return fail(Error{Code::kUnavailable, text_, std::string(kNotExecuted), {}, {}});
  }

 private:
  const std::string text_;
  std::atomic<bool> is_told_{false};
};

}  // namespace

// --- other parties
// ----------------------------------------------------------------------------------------------

Status PartySession::replace(const hector::kernel::v1::Replace& change) {
  const std::lock_guard lock_change(change_mutex_);
  hector::kernel::v1::PreparePart part = plan().part;
  const int role = types::role_position(type_, change.place().role());
  if (role < 0)
    return fail(Code::kInvalidArgument,
                fmt::format("{} has no role '{}'", type_id_, change.place().role()));
  auto& members = *part.mutable_roles(role);
  if (change.place().member() < static_cast<std::uint32_t>(members.members_size()))
    *members.mutable_members(static_cast<int>(change.place().member())) = change.party();
  const hector::kernel::v1::Replace::Way* way = nullptr;
  for (const auto& each : change.ways()) {
    if (each.role() == role_name_ && each.member() == member_) way = &each;
  }
  for (auto& channel : *part.mutable_channels()) {
    if (channel.role() != change.place().role() || channel.member() != change.place().member() ||
        way == nullptr)
      continue;
    *channel.mutable_party() = change.party();
    *channel.mutable_profile() = way->profile();
    channel.set_why(way->why());
    channel.set_session(change.session());
    channel.set_interface(static_cast<std::uint32_t>(part.interfaces_size()));
    *part.add_interfaces() = change.interface();
    break;
  }
  auto made = HECTOR_TRY(make_plan(part, plan_kept_.get(), plan_kept_->monitor));
  for (const auto& out : made->out) {
    const auto before = std::find_if(
        plan_kept_->out.begin(), plan_kept_->out.end(),
        [&](const auto& each) { return each->role == out->role && each->member == out->member; });
    if (before == plan_kept_->out.end() || *before == out) continue;
    if (auto connected = connect(*out); !connected) return connected;
    connect_here(*out);
    out->is_paused = true;
    out->sequence = (*before)->sequence.load();
    out->flows = (*before)->flows.load();
    out->sent = (*before)->sent.load();
    if (!out->hides.relocation) {
      out->interceptors.push_back(std::make_shared<Relocated>(
          fmt::format("'{}' of capsule '{}' plays {} {} now, at {} {}; relocation is not hidden on "
                      "this channel: the next call goes there",
                      out->party.object, out->party.capsule, change.place().role(),
                      change.place().member(), out->profile.protocol, out->profile.address)));
    }
  }
  put(std::move(made));
  return {};
}

Status PartySession::reconfigure(const hector::kernel::v1::PreparePart& part,
                                 const std::vector<types::Symbol>& way) {
  const std::lock_guard lock_change(change_mutex_);
  auto made = HECTOR_TRY(make_plan(part, plan_kept_.get(), nullptr));
  if (!made->monitor->walk(way))
    return fail(
        Code::kFailedPrecondition,
        fmt::format("role '{}' of {} cannot go on from where it stands", role_name_, type_id_));
  for (const auto& out : made->out) {
    if (std::find(plan_kept_->out.begin(), plan_kept_->out.end(), out) != plan_kept_->out.end())
      continue;
    if (auto connected = connect(*out); !connected) return connected;
    connect_here(*out);
  }
  const Plan& before = plan();
  for (std::uint32_t r = 0; r < before.senders.size(); ++r) {
    for (std::uint32_t m = 0; m < before.senders[r].size(); ++m) {
      if (!made->view.is_absent(r, m)) continue;
      core_.sessions.remove(channel_id(session_, r, m), this);
      before.senders[r][m]->plain = 0;  // the number begins anew with the next who gets it
      before.senders[r][m]->flows = 0;
      const std::lock_guard lock(mutex_);
      arriving_.erase(order_key(r, m));
    }
  }
  put(std::move(made));
  enlist();
  return {};
}

void PartySession::lose(std::uint32_t role, std::uint32_t member) {
  const std::lock_guard lock_change(change_mutex_);
  for (const auto& out : plan().out) {
    if (out->role != role || out->member != member) continue;
    out->is_suspected.store(true);
    if (is_retraded(role)) {
      out->is_paused.store(true);
      gate_.fetch_or(kSomePaused);
    }
    core_.protocols.drop(out->profile);
  }
}

bool PartySession::recover(Call& call) noexcept {
  if (!call.error || call.error->code != Code::kUnavailable || call.is_cancelled() ||
      state_.load() != State::kActive)
    return false;
  const std::uint32_t interaction = call.header.operation;
  const bool is_untouched = call.error->type == kNotExecuted;
  const EpochGuard inside;
  const Plan& plan = this->plan();
  const auto found = std::find_if(plan.out.begin(), plan.out.end(), [&](const auto& each) {
    return each->id == call.header.session;
  });
  if (interaction >= plan.interactions.size() || found == plan.out.end()) return false;
  OutChannel& out = **found;
  if (!out.hides.failure || !is_retraded(out.role)) return false;
  const Operation* const operation = plan.interactions[interaction].theirs[out.member];
  const bool may_repeat =
      is_untouched || (operation != nullptr && operation->idempotent && call.kind == Kind::kRpc);
  suspect(out);
  if (may_repeat && call.stream == nullptr) {
    const std::lock_guard lock(mutex_);
    if (parked_.size() < kParkedMax) {
      out.is_paused.store(true);
      gate_.fetch_or(kSomePaused);
      call.error.reset();
      CallState::of(call).helper.store(nullptr);
      park({&call}, interaction, out.member, Stage::kPassed);
      return true;
    }
  }
  if (!is_untouched) {
    call.error = Error{
        Code::kUnknown,
        fmt::format("outcome unknown: '{}' was lost while it may have been at work on '{}', which "
                    "is not idempotent ({})",
                    out.party.object, type_.interactions(static_cast<int>(interaction)).name(),
                    call.error->message),
        std::string(kOutcomeUnknown),
        {},
        {}};
  }
  return false;
}

bool PartySession::is_retraded(std::uint32_t role) const {
  return types::is_traded_again(type_.roles(static_cast<int>(role)), "failure");
}

void PartySession::tell_breach(const std::string& role, std::uint32_t member,
                               const std::string& dimension, const std::string& text) {
  hector::kernel::v1::Place place;
  place.set_binding(binding_);
  place.set_role(role);
  place.set_member(member);
  place.set_dimension(dimension);
  place.set_text(fmt::format("'{}' as {}: {}", offer_->object, role_name_, text));
  const EpochGuard inside;
  core_.tell_binder(from_model(plan().part.binder()), place);
}

void PartySession::suspect(OutChannel& out) {
  if (out.is_suspected.exchange(true)) return;
  hector::kernel::v1::Place place;
  place.set_binding(binding_);
  place.set_role(type_.roles(static_cast<int>(out.role)).name());
  place.set_member(out.member);
  core_.tell_binder(from_model(plan().part.binder()), place);
}

// --- channels that move
// ----------------------------------------------------------------------------------------------

bool PartySession::uses(std::uint32_t role, std::uint32_t member,
                        const std::string& protocol) const {
  const std::lock_guard lock(mutex_);
  const auto& out = plan_kept_->out;
  return std::any_of(out.begin(), out.end(), [&](const auto& each) {
    return each->role == role && each->member == member &&
           (protocol.empty() || each->profile.protocol == protocol);
  });
}

namespace {

/// A question over a channel nothing has gone over yet: its hand-shake shall not fall upon the
/// calls that are moved to it.
void warm_up(Channel& channel, const Clock& clock) {
  constexpr Duration kWarmWithin = std::chrono::seconds(1);
  hector::kernel::v1::OfferQuery query;
  query.set_object(kCoordinatorName);
  WaitedCall call;
  call.header.object = kCoordinatorName;
  call.header.interface_name = "hector.Coordinator";
  call.header.operation_name = coordinator_operation_name(CoordinatorOperation::kDescribe);
  call.header.operation = kByName;
  call.header.deadline = clock.now() + kWarmWithin;
  call.request = write_message(query);
  call.run(
      channel,
      clock);  // what it answers does not matter; whether it can be reached, the calls will tell
}

}  // namespace

Result<std::pair<Profile, std::string>> PartySession::move_channel(std::uint32_t role,
                                                                   std::uint32_t member,
                                                                   const std::string& exclude,
                                                                   const std::string& only,
                                                                   bool dry_run) {
  const std::lock_guard lock_change(change_mutex_);
  for (const auto& out : plan().out) {
    if (out->role != role || out->member != member || out->is_local) continue;
    const auto here = only.empty() ? core_.protocols.names() : std::vector<std::string>{only};
    auto choice = choose_protocol({.policies = core_.policies,
                                   .binding = type_.name(),
                                   .role = type_.roles(static_cast<int>(role)).name(),
                                   .object = offer_->object,
                                   .offered = out->party.profiles,
                                   .here = here,
                                   .exclude = exclude,
                                   .known = core_.protocols.all_capabilities()});
    if (!choice) {
      Error why = choice.error();
      if (!only.empty())
        why.message = fmt::format("the channel to '{}' cannot go over '{}': {}", out->party.object,
                                  only, why.message);
      return fail(std::move(why));
    }
    if (dry_run) return std::pair{choice->profile, choice->why};
    auto channel = HECTOR_TRY(core_.protocols.connect(choice->profile));
    if (this_thread_may_block) warm_up(*channel, *core_.options.clock);
    const std::lock_guard lock(mutex_);
    // What is under way comes by the old protocol, what is sent from now on by the new one: only
    // positions keep them in order.
    out->is_sequenced = true;
    out->profile = choice->profile;
    out->why = only.empty() ? choice->why : fmt::format("'{}' was asked for", only);
    out->kept.push_back(channel);
    out->channel.store(channel.get(), std::memory_order_release);
    return std::pair{choice->profile, out->why};
  }
  return fail(Code::kNotFound, "this Binding has no such channel to another capsule");
}

std::vector<ChannelState> PartySession::channels() const {
  const std::lock_guard lock(mutex_);
  std::vector<ChannelState> states;
  for (const auto& out : plan_kept_->out) {
    states.push_back({type_.roles(static_cast<int>(out->role)).name(),
                      out->member,
                      out->party,
                      out->profile,
                      out->why,
                      out->sent.load(),
                      out->hides.text(),
                      {}});
    for (const auto& each : out->interceptors) {
      if (const auto* metrics = dynamic_cast<const MetricsInterceptor*>(each.get()))
        states.back().metrics = metrics->counts();
    }
  }
  return states;
}

}  // namespace hector
