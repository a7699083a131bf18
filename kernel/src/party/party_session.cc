// What: a party's life, and what its Object and the capsule may ask about it.
// Why: see party_session.h; the route of its messages is in party_messages.cc.
// Who: the coordinator, Objects, management.
#include "party/party_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"
#include "party/suspicion.h"
#include "types/check/binding_check.h"

namespace hector {

using party::Plan;

class PartySession::InteractionTarget final : public CallTarget {
 public:
  InteractionTarget(PartySession& session, std::uint32_t interaction, std::uint32_t member)
      : session_(session), interaction_(interaction), member_(member) {}
  void start(Call& call) noexcept override { session_.start(interaction_, member_, call); }

 private:
  PartySession& session_;
  const std::uint32_t interaction_, member_;
};

namespace {

/// Takes the type out of the spec: it is large, and a party needs it once.
party::Identity identity_of(PartySpec& spec, const Offer& offer) {
  const auto role = static_cast<std::uint32_t>(types::role_position(spec.type, spec.role));
  std::string type_id = types::binding_id(spec.type);
  return {.binding = spec.binding,
          .session = spec.session,
          .type = std::move(spec.type),
          .type_id = std::move(type_id),
          .role = spec.role,
          .place = {role, spec.member},
          .is_successor = spec.is_successor,
          .object = offer.object};
}

}  // namespace

PartySession::PartySession(Core& core, PartySpec& spec, OfferPtr offer)
    : core_(core),
      offer_(std::move(offer)),
      self_(identity_of(spec, *offer_)),
      timers_(*core.options.clock, *core.options.executor),
      phases_(self_.type, self_.role, timers_,
              [this](const types::MandatoryPhase& late) { report_overrun(late); }),
      arrivals_(timers_, [this](party::Arrivals::Sender& sender) { deliver_ready(sender); }),
      held_({.timers = timers_,
             .arrivals = arrivals_,
             .why = [this](const party::HeldMessage& message) { return held_text(message); },
             .report = [this](const std::string& why) { report_held(why); }}),
      gate_(timers_),
      builder_({.types = core.types,
                .policies = core.policies,
                .interceptors = core.interceptors,
                .clock = *core.options.clock,
                .capsule = core.options.capsule,
                .type = self_.type,
                .self = self_.place,
                .offer = *offer_,
                .arrivals = arrivals_,
                .make_target =
                    [this](std::uint32_t interaction, std::uint32_t member) {
                      return std::make_unique<InteractionTarget>(*this, interaction, member);
                    },
                .breach =
                    [this](const ChannelSpec& partner, const std::string& dimension,
                           const std::string& text) {
                      report(partner.role, partner.member, dimension, text);
                    }}),
      changes_(
          {.core = core,
           .self = self_,
           .offer = *offer_,
           .plans = plans_,
           .builder = builder_,
           .arrivals = arrivals_,
           .gate = gate_,
           .enlist = [this] { enlist(); },
           .delist_sender =
               [this](Place from) { core_.sessions.remove(channel_id(self_.session, from), this); },
           .resume = [this] { resume(); }}) {}

PartySession::~PartySession() {
  HECTOR_CHECK(leaving_.load() == 0, "a party is destroyed while messages of it leave");
}

// --- its life

Result<std::shared_ptr<PartySession>> PartySession::make(Core& core, PartySpec spec,
                                                         OfferPtr offer) {
  HECTOR_CHECK(offer != nullptr, "a party is made without its Offer");
  if (const auto wrong = types::malformed(spec.type); !wrong.empty())
    return fail(Error::invalid_argument("the type of a Binding is malformed: " + wrong));
  if (types::role_position(spec.type, spec.role) < 0)
    return fail(Error::invalid_argument(
        fmt::format("{} has no role '{}'", types::binding_id(spec.type), spec.role)));
  std::shared_ptr<PartySession> made(new PartySession(core, spec, std::move(offer)));
  made->timers_.belong_to(made);
  for (const auto& each : made->self_.type.roles()) {
    auto interceptors = HECTOR_TRY(made->builder_.interceptors_for(each.name()));
    made->arriving_interceptors_.push_back(std::move(interceptors));
  }
  auto plan = HECTOR_TRY(made->builder_.build(spec, nullptr, nullptr));
  made->plans_.put(std::move(plan));
  return made;
}

Status PartySession::connect() {
  for (const auto& out : plan().out) {
    HECTOR_TRY(party::connect(core_, *out, party::Peers::kLater));
  }
  return {};
}

void PartySession::enlist() {
  const EpochGuard section;
  const Plan& plan = this->plan();
  for (std::uint32_t r = 0; r < plan.senders.size(); ++r) {
    for (std::uint32_t m = 0; m < plan.senders[r].size(); ++m) {
      if (!plan.view.is_absent(r, m))
        core_.sessions.put(channel_id(self_.session, {r, m}), {shared_from_this(), r, m});
    }
  }
}

void PartySession::delist() {
  const EpochGuard section;
  const Plan& plan = this->plan();
  for (std::uint32_t r = 0; r < plan.senders.size(); ++r) {
    for (std::uint32_t m = 0; m < plan.senders[r].size(); ++m)
      core_.sessions.remove(channel_id(self_.session, {r, m}), this);
  }
}

void PartySession::activate() {
  for (const auto& out : plan().out) {
    if (out->route == OutChannel::Route::kInProcess)
      out->connect_peer(core_.sessions.find(out->id).session);
  }
  {
    const EpochGuard section;
    if (!phases_.empty()) phases_.advance(*plan().monitor, std::nullopt);
  }
  State before = State::kPrepared;
  if (!state_.compare_exchange_strong(before, State::kActive)) return;  // closed, or told twice
  offer_->host->notify([self = shared_from_this()](Servant& servant) { servant.bound(*self); });
  deliver_early();
}

bool PartySession::close(const std::string& why, Code code) {
  if (is_closing_.exchange(true)) return false;
  closed_ = self_.closed(code, why);
  const State before = state_.exchange(State::kClosed);
  HECTOR_CHECK(before != State::kClosed, "a party ended twice");
  EpochGuard::synchronize();
  held_.close();
  auto left = arrivals_.close();
  const auto pending = gate_.close();
  left.insert(left.end(), pending.begin(), pending.end());
  phases_.close();
  for (auto* call : left) call->fail(closed_);
  if (before == State::kActive)
    offer_->host->notify([self = shared_from_this()](Servant& servant) { servant.unbound(*self); });
  // Nothing starts any more, and each message that was on its way has left.
  plans_.disconnect_peers();
  return true;
}

// --- what the Object sees

Result<std::vector<Member>> PartySession::members(std::string_view role) const {
  const std::uint32_t at = HECTOR_TRY(self_.role_position(role));
  const EpochGuard section;
  const Plan& plan = this->plan();
  const auto& known = plan.spec.roles[at].members;
  std::vector<Member> members;
  for (const std::uint32_t number : plan.view.present(at)) {
    if (number >= known.size()) continue;  // of its own role it knows only how many there are
    members.push_back({known[number].object, known[number].capsule, number});
  }
  return members;
}

CallTarget& PartySession::call_target(std::uint32_t interaction, std::uint32_t member) {
  const EpochGuard section;
  return *plan().targets.at(interaction).at(member);
}

std::size_t PartySession::receivers(std::uint32_t interaction) const noexcept {
  const EpochGuard section;
  return plan().receivers(interaction).size();
}

const Operation& PartySession::operation(std::uint32_t interaction) const {
  static const Operation kNone{};
  const EpochGuard section;
  const auto& stubs = plan().interactions.at(interaction).stubs;
  const auto known = std::find_if(stubs.begin(), stubs.end(),
                                  [](const Stub& each) { return each.operation != nullptr; });
  return known == stubs.end() ? kNone : *known->operation;
}

Result<OutChannelPtr> PartySession::channel_to(std::string_view role, std::uint32_t number) const {
  const int at = types::role_position(self_.type, role);
  const EpochGuard section;
  auto found = at < 0 ? nullptr : plan().channel_to({static_cast<std::uint32_t>(at), number});
  if (found) return found;
  return fail(
      Error::not_found(fmt::format("{} has no channel to {} {}", self_.describe(), role, number)));
}

Result<std::string> PartySession::location(std::string_view role, std::uint32_t number) const {
  const auto out = HECTOR_TRY(channel_to(role, number));
  if (out->hides.location) {
    return fail(Error::failed_precondition(
        fmt::format("channels to '{}' hide where it is; policy '{}.{}.transparencies' without "
                    "location shows it",
                    role, self_.type.name(), role)));
  }
  const Profile profile = out->profile();
  return fmt::format("{} {}", profile.protocol, profile.address);
}

Result<std::shared_ptr<CallTarget>> PartySession::endpoint(std::string_view role,
                                                           std::uint32_t number) const {
  const auto out = HECTOR_TRY(channel_to(role, number));
  const Transparencies& hides = out->hides;
  if (hides.access || hides.location || hides.relocation || hides.failure) {
    return fail(Error::failed_precondition(
        fmt::format("channels to '{}' keep {}; policy '{}.{}.transparencies: [none]' gives the "
                    "protocol's own channel",
                    role, hides.text(), self_.type.name(), role)));
  }
  if (out->route == OutChannel::Route::kInProcess)
    return fail(
        Error::unimplemented("both ends are in one capsule: there is no protocol between them"));
  return std::static_pointer_cast<CallTarget>(out->protocol());
}

// --- what the capsule looks at

bool PartySession::uses(Place to, const std::string& protocol) const {
  const EpochGuard section;
  const auto out = plan().channel_to(to);
  return out && (protocol.empty() || out->profile().protocol == protocol);
}

std::vector<ChannelState> PartySession::channels() const {
  const EpochGuard section;
  std::vector<ChannelState> states;
  for (const auto& out : plan().out) {
    states.push_back({self_.role_name(out->to.role), out->to.member, out->party, out->profile(),
                      out->why(), out->sent(), out->hides.text(), out->metrics()});
  }
  return states;
}

std::vector<std::pair<std::string, std::shared_ptr<Channel>>> PartySession::remote_channels()
    const {
  const EpochGuard section;
  std::vector<std::pair<std::string, std::shared_ptr<Channel>>> list;
  for (const auto& out : plan().out) {
    if (auto protocol = out->protocol())
      list.emplace_back(fmt::format("{} at {} over {}", out->party.object, out->party.capsule,
                                    out->profile().protocol),
                        std::move(protocol));
  }
  return list;
}

Reference PartySession::initiator() const {
  const EpochGuard section;
  return plan().spec.initiator;
}

std::vector<Reference> PartySession::partners() const {
  const EpochGuard section;
  std::vector<Reference> all;
  for (const auto& role : plan().spec.roles)
    all.insert(all.end(), role.members.begin(), role.members.end());
  return all;
}

// --- what the Binding's initiator is told

void PartySession::report_overrun(const types::MandatoryPhase& late) {
  if (!is_active()) return;
  std::string names;
  for (const auto interaction : late.interactions)
    names += (names.empty() ? "" : ", ") + self_.interaction_name(interaction);
  report(self_.role, self_.place.member, kOverrun,
         fmt::format("the phase of {} was not over within {} ms", names, late.time_ms));
}

void PartySession::report_held(const std::string& why) {
  if (!is_active()) return;
  hector::kernel::v1::Place place;
  place.set_binding(self_.binding);
  place.set_role(self_.role);
  place.set_member(self_.place.member);
  place.set_dimension(why.empty() ? kPassed : kHeld);
  place.set_text(why);
  tell_initiator(core_, initiator(), place);
}

void PartySession::report(const std::string& role, std::uint32_t member,
                          const std::string& dimension, const std::string& text) {
  hector::kernel::v1::Place place;
  place.set_binding(self_.binding);
  place.set_role(role);
  place.set_member(member);
  place.set_dimension(dimension);
  place.set_text(fmt::format("'{}' as {}: {}", self_.object, self_.role, text));
  tell_initiator(core_, initiator(), place);
}

void PartySession::suspect(OutChannel& out) {
  if (!out.suspect()) return;
  hector::kernel::v1::Place place;
  place.set_binding(self_.binding);
  place.set_role(self_.role_name(out.to.role));
  place.set_member(out.to.member);
  tell_initiator(core_, initiator(), place);
}

}  // namespace hector
