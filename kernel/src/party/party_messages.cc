// What: the route of a party's messages: from its Object to a channel, and from a partner to its
// Object.
// Why: channel/out_channel.h names the four calls of a message and says which of them may free it.
// Who: sessions as Objects see them; partners in this capsule; KernelInbound.
#include <fmt/format.h>

#include <algorithm>

#include "call/call_state.h"
#include "call/local_call.h"
#include "hector/check.h"
#include "hector/credentials.h"
#include "party/party_session.h"

namespace hector {

using party::Arrivals;
using party::Gate;
using party::Plan;
using party::Stage;

/// While it lives, the party does, and a message that the order has counts as not left.
class PartySession::Leaving {
 public:
  explicit Leaving(PartySession& session) : session_(session.shared_from_this()) {
    session_->leaving_.fetch_add(1);
  }
  ~Leaving() {
    const std::uint32_t before = session_->leaving_.fetch_sub(1);
    HECTOR_CHECK(before > 0, "more messages have left than were leaving");
  }
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

 private:
  const std::shared_ptr<PartySession> session_;
};

namespace {

/// What runs when a call ends is not the kernel's own.
void refuse(Call& call, Error why) noexcept {
  EpochGuard::leave_all();
  call.fail(std::move(why));
}

Error members_changed(const std::string& text) {
  return Error::aborted(text).with_type(kMembersChanged);
}

}  // namespace

// --- admission: the phases and the monitor

bool PartySession::step(const Plan& plan, types::Symbol symbol) noexcept {
  if (!plan.monitor->step(symbol)) return false;
  if (!phases_.empty()) [[unlikely]]
    phases_.advance(*plan.monitor, types::symbol_interaction(symbol));
  return true;
}

PartySession::Admission PartySession::admit(const Plan& plan, std::uint32_t interaction,
                                            std::uint32_t member) noexcept {
  if (is_overrun(interaction)) [[unlikely]]
    return Admission::kOverrun;
  return step(plan, types::view_symbol(interaction, member)) ? Admission::kGo
                                                             : Admission::kOutOfOrder;
}

Error PartySession::closed_error() const {
  return state_.load(std::memory_order_acquire) == State::kClosed ? closed_ : self_.closed();
}

Error PartySession::overrun_error(std::uint32_t interaction) const {
  const types::TimedPhase* const phase = phases_.counted(interaction);
  HECTOR_CHECK(phase != nullptr, "an interaction is late that no phase has");
  return self_.overrun(interaction, phase->time_ms);
}

Error PartySession::order_error(const Plan& plan, std::uint32_t interaction) const {
  return self_.out_of_order(interaction, plan.monitor->allowed());
}

Error PartySession::refusal(const Plan& plan, Admission admission,
                            std::uint32_t interaction) const {
  return admission == Admission::kOverrun ? overrun_error(interaction)
                                          : order_error(plan, interaction);
}

Error PartySession::absent_error(const Plan& plan, std::uint32_t interaction,
                                 std::uint32_t member) const {
  if (interaction >= plan.interactions.size() ||
      member >= plan.interactions[interaction].stubs.size())
    return Error::invalid_argument("no such interaction or member");
  return self_.absent(interaction, member);
}

Hop PartySession::hop(const Plan& plan, std::uint32_t interaction) const {
  HECTOR_CHECK(interaction < plan.interactions.size(), "a hop of an interaction that is unknown");
  return {self_.type_id, self_.role, self_.role_name(plan.interactions[interaction].other_role),
          self_.interaction_name(interaction)};
}

// --- sending

void PartySession::start(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept {
  const EpochGuard section;
  if (!is_active()) [[unlikely]]
    return refuse(call, closed_error());
  const Plan& plan = this->plan();
  const Stub* const stub = plan.stub(interaction, member);
  if (stub == nullptr) [[unlikely]]
    return refuse(call, absent_error(plan, interaction, member));
  if (gate_.starts_wait()) [[unlikely]] {
    if (wait_at_gate(nullptr, {{&call}, interaction, member, Stage::kNew})) return;
  }
  stub->start(call);
  const std::uint32_t at = plan.interactions[interaction].is_multicast ? 0 : member;
  if (const auto admission = admit(plan, interaction, at); admission != Admission::kGo) [[unlikely]]
    return refuse(call, refusal(plan, admission, interaction));
  if (arrivals_.early() != 0) [[unlikely]] {
    const Leaving leaving(*this);
    deliver_early();
    return send_again(interaction, member, call);
  }
  send(plan, *stub, interaction, call);
}

void PartySession::start_all(std::uint32_t interaction, const std::vector<Call*>& calls) noexcept {
  std::vector<std::uint32_t> members;
  std::optional<Error> refused;
  const Leaving leaving(*this);
  {
    const EpochGuard section;
    const Plan& plan = this->plan();
    members = plan.receivers(interaction);
    if (!is_active()) {
      refused = closed_error();
    } else if (calls.size() != members.size()) {
      refused = members_changed(
          fmt::format("a multicast needs one call for each member: {} given, {} members now",
                      calls.size(), members.size()));
    } else if (gate_.starts_wait() && !calls.empty() &&
               wait_at_gate(nullptr, {calls, interaction, 0, Stage::kNew})) {
      return;
    } else if (!calls.empty()) {
      const auto admission = admit(plan, interaction, 0);
      if (admission != Admission::kGo) refused = refusal(plan, admission, interaction);
    }
  }
  for (std::size_t m = 0; m < calls.size(); ++m) {
    if (refused) {
      calls[m]->fail(*refused);
    } else {
      send_again(interaction, members[m], *calls[m]);
    }
  }
  if (arrivals_.early() != 0) deliver_early();
}

void PartySession::send_again(std::uint32_t interaction, std::uint32_t member,
                              Call& call) noexcept {
  const EpochGuard section;
  const Plan& plan = this->plan();
  const Stub* const stub = plan.stub(interaction, member);
  if (stub == nullptr) return refuse(call, absent_error(plan, interaction, member));
  stub->start(call);
  send(plan, *stub, interaction, call);
}

void PartySession::send(const Plan& plan, const Stub& stub, std::uint32_t interaction,
                        Call& call) noexcept {
  if (!gate_.is_open()) [[unlikely]] {
    const std::uint32_t member = stub.channel->to.member;
    if (wait_at_gate(stub.channel, {{&call}, interaction, member, Stage::kStepped})) return;
  }
  if (pass(plan, stub, interaction, call) == Passage::kTaken) return;
  start_protocol(*stub.channel, *stub.operation, interaction, call);
}

PartySession::Passage PartySession::pass(const Plan& plan, const Stub& stub,
                                         std::uint32_t interaction, Call& call) noexcept {
  stub.channel->count_sent();
  if (!stub.channel->has_interceptors()) [[likely]]
    return Passage::kOn;
  pass_interceptors(plan, stub, interaction, call);
  return Passage::kTaken;
}

void PartySession::pass_interceptors(const Plan& plan, const Stub& stub, std::uint32_t interaction,
                                     Call& call) noexcept {
  const OutChannelPtr out = plan.keep(*stub.channel);
  const Operation& operation = *stub.operation;
  const Hop told = hop(plan, interaction);
  const Leaving leaving(*this);
  EpochGuard::leave_all();
  if (!intercept(out->interceptors(), Way::kSending, call, told, shared_from_this(),
                 *core_.options.clock))
    return;
  const EpochGuard again;
  start_protocol(*out, operation, interaction, call);
}

void PartySession::start_protocol(OutChannel& out, const Operation& operation,
                                  std::uint32_t interaction, Call& call) noexcept {
  if (PartySession* const peer = out.peer())
    return peer->take(enter_local(call), interaction, self_.place.member);
  if (!out.is_connected()) return refuse(call, closed_error());
  offer_->write_principal(call.header.principal);
  if (out.route == OutChannel::Route::kCapsule) call.set_recovery(shared_from_this());
  inherit(call, core_);
  out.start(call, operation, interaction);
}

// --- calls that a change holds up

bool PartySession::wait_at_gate(const OutChannel* channel, Gate::Pending pending) noexcept {
  const std::vector<Call*> calls = pending.calls;
  for (auto* call : calls) inherit(*call, core_);  // they have a deadline while they wait
  const auto entry = channel == nullptr ? gate_.enter(std::move(pending))
                                        : gate_.enter(*channel, std::move(pending));
  if (entry != Gate::Entry::kFull) return entry == Gate::Entry::kPending;
  EpochGuard::leave_all();
  for (auto* call : calls)
    call->fail(Error::resource_exhausted(
        fmt::format("{} calls of {} wait for the Binding to go on, its limit", Gate::kPendingMax,
                    self_.describe())));
  return true;
}

void PartySession::resume() noexcept {
  const auto keep = shared_from_this();
  while (const auto arrived = arrivals_.unseal_next()) {
    const EpochGuard section;
    HECTOR_CHECK(arrived->call != nullptr, "a sealed message has lost its call");
    take_in_turn(plan(), *arrived->call, arrived->interaction, arrived->sender);
  }
  deliver_early();
  const auto open_channels = [this] {
    const EpochGuard section;
    for (const auto& out : plan().out) out->resume();
  };
  while (auto next = gate_.next(open_channels)) restart(std::move(*next));
}

void PartySession::restart(Gate::Pending pending) noexcept {
  std::vector<std::uint32_t> members{pending.member};
  std::optional<Error> refused;
  if (pending.stage == Stage::kNew) refused = restart_order(pending, members);
  HECTOR_CHECK(refused || members.size() == pending.calls.size(),
               "a pending call has no receiver, or a receiver no call");
  for (std::size_t i = 0; i < pending.calls.size(); ++i) {
    if (pending.calls[i] == nullptr) continue;
    if (refused) {
      pending.calls[i]->fail(*refused);
    } else {
      restart_one(pending.stage, pending.interaction, members[i], *pending.calls[i]);
    }
  }
}

std::optional<Error> PartySession::restart_order(const Gate::Pending& pending,
                                                 std::vector<std::uint32_t>& members) noexcept {
  const EpochGuard section;
  const Plan& plan = this->plan();
  HECTOR_CHECK(pending.interaction < plan.interactions.size(),
               "a call of an unknown interaction is pending");
  const bool is_multicast = plan.interactions[pending.interaction].is_multicast;
  if (is_multicast) members = plan.receivers(pending.interaction);
  if (members.size() != pending.calls.size())
    return members_changed("the members changed while the multicast waited");
  const auto admission = admit(plan, pending.interaction, is_multicast ? 0 : pending.member);
  if (admission == Admission::kGo) return std::nullopt;
  return refusal(plan, admission, pending.interaction);
}

void PartySession::restart_one(Stage stage, std::uint32_t interaction, std::uint32_t member,
                               Call& call) noexcept {
  const EpochGuard section;
  const Plan& plan = this->plan();
  const Stub* const stub = plan.stub(interaction, member);
  if (stub == nullptr) return refuse(call, absent_error(plan, interaction, member));
  if (stage != Stage::kPassed) {
    stub->start(call);
    if (pass(plan, *stub, interaction, call) == Passage::kTaken) return;
  }
  start_protocol(*stub->channel, *stub->operation, interaction, call);
}

// --- calls whose channel failed

bool PartySession::recover(Call& call) noexcept {
  if (!call.error || call.error->code != Code::kUnavailable || call.is_cancelled() || !is_active())
    return false;
  const std::uint32_t interaction = call.header.operation;
  const bool is_untouched = call.error->type == kNotExecuted;
  const EpochGuard section;
  const Plan& plan = this->plan();
  const auto found = std::find_if(plan.out.begin(), plan.out.end(), [&](const auto& each) {
    return each->id == call.header.session;
  });
  if (interaction >= plan.interactions.size() || found == plan.out.end()) return false;
  OutChannel& out = **found;
  if (!out.hides.failure || !self_.is_retraded(out.to.role)) return false;
  const Stub* const stub = plan.stub(interaction, out.to.member);
  const bool may_repeat =
      is_untouched || (stub != nullptr && stub->operation->idempotent && call.kind == Kind::kRpc);
  suspect(out);
  if (may_repeat && call.stream == nullptr && keep_for_successor(out, interaction, call))
    return true;
  if (!is_untouched)
    call.error = self_.outcome_unknown(interaction, out.party.object, call.error->message);
  return false;
}

bool PartySession::keep_for_successor(OutChannel& out, std::uint32_t interaction,
                                      Call& call) noexcept {
  auto error = std::exchange(call.error, std::nullopt);
  CallState::of(call).helper.store(nullptr);
  const auto entry = gate_.keep(out, {{&call}, interaction, out.to.member, Stage::kPassed});
  if (entry == Gate::Entry::kPending) return true;
  call.error = std::move(error);
  return false;
}

// --- arriving

Status PartySession::resolve(Call& call, Place from) const {
  const std::uint32_t interaction = call.header.operation;
  const EpochGuard section;
  const auto& interactions = plan().interactions;
  if (interaction >= interactions.size() || !interactions[interaction].is_for_me ||
      interactions[interaction].other_role != from.role) {
    return fail(Error::invalid_argument(
        fmt::format("interaction number {} is not for {}", interaction, self_.describe())));
  }
  HECTOR_CHECK(interactions[interaction].own != nullptr,
               "an interaction for this party has no operation");
  call.operation = interactions[interaction].own;
  call.kind = call.operation->kind;
  call.flow = call.operation->flow;
  return {};
}

/// Rights were given to the party that the Binding has there.
std::optional<Error> PartySession::not_the_sender(const Arrivals::Sender* sender,
                                                  const Call& call) const {
  const Peer* const known =
      sender == nullptr ? nullptr : sender->peer.load(std::memory_order_acquire);
  if (known == nullptr || call.peer == nullptr || call.peer->security == Security::kNone ||
      may_speak_as(call.peer->principal, known->principal))
    return std::nullopt;
  return Error::permission_denied(fmt::format("'{}' sends what only '{}' may send to {}",
                                              call.peer->principal, known->principal,
                                              self_.describe()));
}

void PartySession::accept(Call& call, Place from) noexcept {
  Arrivals::Sender* sender = nullptr;
  {
    const EpochGuard section;
    sender = plan().sender(from);  // it lives as long as the party
  }
  if (core_.rights.are_asked()) [[unlikely]] {
    if (auto wrong = not_the_sender(sender, call)) return call.fail(std::move(*wrong));
  }
  if (call.header.sequence != 0) {
    if (sender == nullptr || !arrivals_.put(*sender, call)) return call.fail(closed_error());
    return deliver_ready(*sender);
  }
  const Kind kind = call.kind;
  take(call, call.header.operation, from.member);
  if (sender != nullptr && arrivals_.count(*sender, kind)) deliver_ready(*sender);
}

void PartySession::deliver_ready(Arrivals::Sender& sender) noexcept {
  arrivals_.deliver(sender,
                    [&](Call& call) { take(call, call.header.operation, sender.place.member); });
}

void PartySession::take(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept {
  const EpochGuard section;
  if (arrivals_.is_sealed()) [[unlikely]] {
    if (hold_sealed(call, interaction, sender)) return;
  }
  take_in_turn(plan(), call, interaction, sender);
}

void PartySession::take_in_turn(const Plan& plan, Call& call, std::uint32_t interaction,
                                std::uint32_t sender) noexcept {
  if (is_overrun(interaction)) [[unlikely]]
    return refuse(call, overrun_error(interaction));
  if (!is_active() || !step(plan, types::view_symbol(interaction, sender))) [[unlikely]]
    return hold_or_refuse(plan, call, interaction, sender);
  if (arrivals_.early() != 0) [[unlikely]] {
    const auto keep = shared_from_this();
    deliver(plan, call, interaction, sender);
    return deliver_early();
  }
  deliver(plan, call, interaction, sender);
}

void PartySession::deliver(const Plan& plan, Call& call, std::uint32_t interaction,
                           std::uint32_t sender) noexcept {
  const party::InteractionPlan& planned = plan.interactions[interaction];
  call.operation = planned.own;
  if (call.peer == nullptr)
    call.peer = plan.senders[planned.other_role][sender]->peer.load(std::memory_order_acquire);
  const InterceptorList& list = arriving_interceptors_[planned.other_role];
  if (!list.empty()) [[unlikely]] {
    const Hop told = hop(plan, interaction);
    const auto keep = shared_from_this();
    EpochGuard::leave_all();
    if (!intercept(list, Way::kArriving, call, told, keep, *core_.options.clock)) return;
    return offer_->host->enter(call);
  }
  offer_->host->enter(call);
}

bool PartySession::hold_sealed(Call& call, std::uint32_t interaction,
                               std::uint32_t sender) noexcept {
  Call& kept = call.defer();
  switch (arrivals_.hold_sealed({&kept, interaction, sender})) {
    case Arrivals::Taken::kPending:
      break;
    case Arrivals::Taken::kClosed:
      refuse(kept, closed_error());
      break;
    case Arrivals::Taken::kFull:
      refuse(kept,
             Error::resource_exhausted(fmt::format("{} messages wait for {} to go on, its limit",
                                                   Arrivals::kSealedMax, self_.type_id)));
      break;
    case Arrivals::Taken::kNotNeeded:  // it was opened meanwhile
      if (&kept == &call) return false;
      take(kept, interaction, sender);
      break;
  }
  return true;
}

void PartySession::hold_or_refuse(const Plan& plan, Call& call, std::uint32_t interaction,
                                  std::uint32_t sender) noexcept {
  const State state = state_.load(std::memory_order_acquire);
  if (state == State::kClosed) return refuse(call, closed_error());
  if (state == State::kActive && plan.monitor->look(types::view_symbol(interaction, sender)) ==
                                     types::Monitor::Answer::kNever) {
    return refuse(call, phases_.counted(interaction) != nullptr ? overrun_error(interaction)
                                                                : order_error(plan, interaction));
  }
  Call& kept = call.defer();
  switch (arrivals_.hold_early({&kept, interaction, sender})) {
    case Arrivals::Taken::kClosed:
      return refuse(kept, closed_error());
    case Arrivals::Taken::kFull:
      return refuse(kept,
                    Error::resource_exhausted(fmt::format("{} holds {} early messages, its limit",
                                                          self_.describe(), Arrivals::kEarlyMax)));
    default:
      held_.held();
      return deliver_early();  // its turn may have come meanwhile
  }
}

void PartySession::deliver_early() noexcept {
  const auto keep = shared_from_this();
  for (;;) {
    const EpochGuard section;
    const Plan& plan = this->plan();
    if (!is_active()) return;
    const auto next = arrivals_.next_early([&](const party::Arrived& each) {
      return step(plan, types::view_symbol(each.interaction, each.sender));
    });
    if (!next) return;
    if (arrivals_.early() == 0) held_.emptied();
    if (next->call == nullptr) continue;  // its caller was told; only the order moves on
    deliver(plan, *next->call, next->interaction, next->sender);
  }
}

}  // namespace hector
