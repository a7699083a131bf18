// What: the steps of a change, each at one party.
// Why: see changes.h.
// Who: the coordinator.
#include "party/changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/epoch.h"
#include "base/parker.h"
#include "channel/ping.h"
#include "channel/protocol_choice.h"
#include "hector/check.h"

namespace hector::party {

using hector::kernel::v1::Count;
using hector::kernel::v1::Position;

namespace {

/// How often a change looks again. Changes are rare and short, and what they wait for (a queue that
/// empties, a message that arrives) has no notification: it would cost every message.
constexpr Duration kPollInterval = std::chrono::microseconds(20);

/// False: the time was over first.
template <class Holds>
bool poll_until(Core& core, TimePoint until, Holds&& holds) {
  while (!holds()) {
    if (core.options.clock->now() >= until || !core.pause_for(kPollInterval)) return false;
  }
  return true;
}

Place place_of(const Count& count) { return {count.role(), count.member()}; }

void set_place(Count& count, Place place) {
  count.set_role(place.role);
  count.set_member(place.member);
}

}  // namespace

Status connect(Core& core, OutChannel& channel, Peers peers) {
  HECTOR_TRY(channel.connect(core.protocols));
  if (peers == Peers::kNow && channel.route == OutChannel::Route::kInProcess)
    channel.connect_peer(core.sessions.find(channel.id).session);
  return {};
}

// --- to stop

OutChannel::Counts Changes::pause(Place place) {
  const std::lock_guard lock(mutex_);
  const auto channel = options_.plans.now().channel_to(place);
  if (channel == nullptr) return {};
  options_.gate.pause(*channel);
  EpochGuard::synchronize();
  OutChannel::Counts counts = channel->counts();
  if (channel->route == OutChannel::Route::kInProcess) counts.messages = 0;
  return counts;
}

void Changes::freeze(Extent extent) {
  options_.gate.stop_starts();
  if (extent == Extent::kStartsAndArrivals) options_.arrivals.seal();
  EpochGuard::synchronize();
}

std::string Changes::missing(const Count& expected) const {
  const auto received = options_.arrivals.received(place_of(expected));
  if (received.messages >= expected.messages() && received.flows >= expected.flows()) return {};
  // Another capsule says which role; it may be none.
  const auto roles = static_cast<std::uint32_t>(options_.self.type.roles_size());
  const std::string role = expected.role() < roles ? options_.self.role_name(expected.role())
                                                   : "an unknown role's member";
  return fmt::format("{} of {} messages of {} {} have not arrived at '{}'",
                     expected.messages() - std::min(received.messages, expected.messages()),
                     expected.messages(), role, expected.member(), options_.self.object);
}

Status Changes::await_delivery(const google::protobuf::RepeatedPtrField<Count>& expected,
                               Duration grace) const {
  std::string text;
  const bool is_complete =
      poll_until(options_.core, options_.core.options.clock->now() + grace, [&] {
        text.clear();
        for (const auto& count : expected) {
          if (auto one = missing(count); !one.empty()) text = std::move(one);
        }
        return text.empty();
      });
  if (is_complete) return {};
  return fail(Error::deadline_exceeded(text));
}

bool Changes::is_idle() const {
  return options_.offer.host->is_at_rest() && options_.arrivals.early() == 0;
}

bool Changes::try_quiesce() {
  const std::uint64_t calls = options_.offer.host->calls();
  if (!is_idle()) return false;
  freeze(Extent::kStartsAndArrivals);
  // What was about to start before that has left; what came of it meanwhile would show in the
  // count.
  if (is_idle() && options_.offer.host->calls() == calls) return true;
  options_.resume();
  return false;
}

Status Changes::quiesce(Duration grace) {
  const TimePoint until = options_.core.options.clock->now() + grace;
  if (poll_until(options_.core, until, [&] { return try_quiesce(); })) return {};
  const std::size_t early = options_.arrivals.early();
  return fail(Error::deadline_exceeded(
      early != 0
          ? fmt::format("'{}' holds {} messages that came before their turn", options_.self.object,
                        early)
          : fmt::format("'{}' has not answered all that it was asked", options_.self.object)));
}

// --- where it stands

Position Changes::position() const {
  const std::lock_guard lock(mutex_);
  Position position;
  const Plan& plan = options_.plans.now();
  for (const auto symbol : plan.monitor->trace()) position.add_way(symbol);
  for (const auto& [place, received] : options_.arrivals.all_received()) {
    auto* count = position.add_received();
    set_place(*count, place);
    count->set_messages(received.messages);
    count->set_flows(received.flows);
  }
  for (const auto& channel : plan.out) {
    const auto sent = channel->counts();
    auto* count = position.add_sent();
    set_place(*count, channel->to);
    count->set_messages(sent.messages);
    count->set_flows(sent.flows);
  }
  return position;
}

Status Changes::take_position(const Position& position) {
  const Plan& plan = options_.plans.now();
  bool is_taken = true;
  for (const auto& count : position.received())
    is_taken = options_.arrivals.set_received(place_of(count), {count.messages(), count.flows()}) &&
               is_taken;
  for (const auto& count : position.sent()) {
    const auto channel = plan.channel_to(place_of(count));
    if (channel) is_taken = channel->set_counts({count.messages(), count.flows()}) && is_taken;
  }
  if (is_taken && plan.monitor->replay({position.way().begin(), position.way().end()})) return {};
  return fail(Error::failed_precondition(
      fmt::format("{} cannot go on from where it stood", options_.self.describe())));
}

// --- other partners

Result<PartySpec> Changes::spec_after(const Replacement& change) const {
  PartySpec spec = options_.plans.now().spec;
  const std::uint32_t role = HECTOR_TRY(options_.self.role_position(change.role));
  HECTOR_CHECK(role < spec.roles.size(), "a party's spec has fewer roles than its Binding type");
  auto& members = spec.roles[role].members;
  if (change.member < members.size()) members[change.member] = change.party;
  const auto route =
      std::find_if(change.routes.begin(), change.routes.end(), [&](const Replacement::Route& each) {
        return each.role == options_.self.role && each.member == options_.self.place.member;
      });
  const auto channel =
      std::find_if(spec.channels.begin(), spec.channels.end(), [&](const ChannelSpec& each) {
        return each.role == change.role && each.member == change.member;
      });
  if (route == change.routes.end() || channel == spec.channels.end()) return spec;
  channel->party = change.party;
  channel->profile = route->profile;
  channel->why = route->why;
  channel->session = change.session;
  channel->interface = static_cast<std::uint32_t>(spec.interfaces.size());
  spec.interfaces.push_back(change.interface);
  return spec;
}

Status Changes::replace(const Replacement& change) {
  const std::lock_guard lock(mutex_);
  const Plan& present = options_.plans.now();
  const auto spec = HECTOR_TRY(spec_after(change));
  auto made = HECTOR_TRY(options_.builder.build(spec, &present, present.monitor));
  for (const auto& channel : made->out) {
    const auto before = present.channel_to(channel->to);
    if (before == nullptr || before == channel) continue;
    HECTOR_TRY(connect_successor(*channel, *before));
  }
  options_.plans.put(std::move(made));
  return {};
}

Status Changes::connect_successor(OutChannel& channel, const OutChannel& before) {
  HECTOR_CHECK(&channel != &before, "a channel is its own successor");
  HECTOR_TRY(connect(options_.core, channel, Peers::kNow));
  channel.pause();
  channel.continue_from(before);
  if (channel.hides.relocation) return {};
  const Profile profile = channel.profile();
  channel.add(make_relocation_notice(fmt::format(
      "'{}' of capsule '{}' plays {} {} now, at {} {}; relocation is not hidden on this "
      "channel: the next call goes there",
      channel.party.object, channel.party.capsule, options_.self.role_name(channel.to.role),
      channel.to.member, profile.protocol, profile.address)));
  return {};
}

Status Changes::reconfigure(const PartySpec& spec, const std::vector<types::Symbol>& trace) {
  const std::lock_guard lock(mutex_);
  auto made = HECTOR_TRY(options_.builder.build(spec, &options_.plans.now(), nullptr));
  if (!made->monitor->replay(trace))
    return fail(Error::failed_precondition(
        fmt::format("{} cannot go on from where it stands", options_.self.describe())));
  HECTOR_TRY(connect_new(*made));
  forget_absent(*made);
  options_.plans.put(std::move(made));
  options_.enlist();
  return {};
}

Status Changes::connect_new(const Plan& made) {
  const auto& present = options_.plans.now().out;
  for (const auto& channel : made.out) {
    if (std::find(present.begin(), present.end(), channel) != present.end()) continue;
    HECTOR_TRY(connect(options_.core, *channel, Peers::kNow));
  }
  return {};
}

void Changes::forget_absent(const Plan& made) {
  const auto& senders = options_.plans.now().senders;
  for (std::uint32_t r = 0; r < senders.size(); ++r) {
    for (std::uint32_t m = 0; m < senders[r].size(); ++m) {
      if (!made.view.is_absent(r, m)) continue;
      options_.delist_sender({r, m});
      for (auto* call : options_.arrivals.forget({r, m})) call->fail(options_.self.closed());
    }
  }
}

void Changes::lose(Place place) {
  const std::lock_guard lock(mutex_);
  const auto channel = options_.plans.now().channel_to(place);
  if (channel == nullptr) return;
  static_cast<void>(channel->suspect());
  if (options_.self.is_retraded(place.role)) options_.gate.pause(*channel);
  options_.core.protocols.drop(channel->profile());
}

// --- channels that move to another protocol

namespace {

/// A question over a channel that nothing has passed yet: its hand-shake shall not fall upon the
/// calls that are moved to it. The answer does not matter.
void warm_up(Channel& channel, const Clock& clock) {
  constexpr Duration kWarmWithin = std::chrono::seconds(1);  ///< without it the first call connects
  WaitedCall call;
  write_ping(call);
  call.header.deadline = clock.now() + kWarmWithin;
  call.run(channel, clock);
}

}  // namespace

Result<Changes::Moved> Changes::move(const Move& move) {
  const std::lock_guard lock(mutex_);
  const auto channel = options_.plans.now().channel_to(move.to);
  if (channel == nullptr || channel->route == OutChannel::Route::kInProcess)
    return fail(Error::not_found("this Binding has no such channel to another capsule"));
  return this->move(*channel, move);
}

Result<Changes::Moved> Changes::move(OutChannel& channel, const Move& move) {
  Core& core = options_.core;
  const auto here = move.only.empty() ? core.protocols.names() : std::vector{move.only};
  auto choice = choose_protocol({.policies = core.policies,
                                 .binding = options_.self.type.name(),
                                 .role = options_.self.role_name(move.to.role),
                                 .object = options_.self.object,
                                 .offered = channel.party.profiles,
                                 .here = here,
                                 .exclude = move.exclude,
                                 .known = core.protocols.all_capabilities()});
  if (!choice) {
    Error why = choice.error();
    if (!move.only.empty())
      why.message = fmt::format("the channel to '{}' cannot go over '{}': {}", channel.party.object,
                                move.only, why.message);
    return fail(std::move(why));
  }
  if (move.is_trial) return Moved{choice->profile, choice->why};
  const auto protocol = HECTOR_TRY(core.protocols.connect(choice->profile));
  if (this_thread_may_block) warm_up(*protocol, *core.options.clock);
  const std::string why =
      move.only.empty() ? choice->why : fmt::format("'{}' was asked for", move.only);
  channel.move_to(protocol, choice->profile, why);
  return Moved{choice->profile, why};
}

}  // namespace hector::party
