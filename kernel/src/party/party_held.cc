// What: messages that a party holds: what they wait for in words, how they are looked at, refused
// and, when its Binding is reset, given up.
// Why: see party_session.h.
// Who: HeldWatch, the coordinator.
#include <fmt/format.h>

#include <algorithm>

#include "call/call_state.h"
#include "hector/check.h"
#include "party/party_session.h"

namespace hector {

using party::HeldMessage;

std::string PartySession::starter_text(types::Symbol symbol) const {
  const auto interaction = types::symbol_interaction(symbol);
  HECTOR_CHECK(interaction < static_cast<std::uint32_t>(self_.type.interactions_size()),
               "a symbol of another type");
  const std::string& from = self_.type.interactions(static_cast<int>(interaction)).from();
  const std::uint32_t member =
      from == self_.role ? self_.place.member : types::symbol_member(symbol);
  return fmt::format("'{}' of {} {}", self_.interaction_name(interaction), from, member);
}

std::string PartySession::held_text(const HeldMessage& message) const {
  const EpochGuard section;
  const auto& monitor = plan().monitor;
  const auto symbol = types::view_symbol(message.interaction, message.sender);
  std::vector<std::string> needed;
  for (const auto each : monitor->needed_for(symbol)) needed.push_back(starter_text(each));
  return fmt::format("{} {} at {} {} ('{}') until {}; allowed there now: {}", starter_text(symbol),
                     message.has_ended ? "has its place" : "is held", self_.role,
                     self_.place.member, self_.object,
                     needed.empty() ? "its turn" : fmt::format("{}", fmt::join(needed, " or ")),
                     monitor->allowed());
}

kernel::v1::PartyLook PartySession::look() const {
  kernel::v1::PartyLook look;
  look.set_role(self_.role);
  look.set_member(self_.place.member);
  const auto held = arrivals_.held();
  const TimePoint now = timers_.now();
  const EpochGuard section;
  const auto& monitor = plan().monitor;
  for (const auto symbol : monitor->trace()) look.add_way(symbol);
  look.set_allowed(monitor->allowed());
  for (const auto& each : held) {
    auto& shown = *look.add_held();
    shown.set_interaction(each.interaction);
    shown.set_sender(each.sender);
    shown.set_number(each.number);
    shown.set_has_ended(each.has_ended);
    shown.set_held_ms(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now - each.since).count()));
    const auto symbol = types::view_symbol(each.interaction, each.sender);
    for (const auto needed : monitor->needed_for(symbol)) shown.add_needs(needed);
  }
  return look;
}

std::optional<types::Symbol> PartySession::symbol_of_target(const void* target) const {
  const EpochGuard section;
  const auto& targets = plan().targets;
  for (std::uint32_t i = 0; i < targets.size(); ++i) {
    for (std::uint32_t m = 0; m < targets[i].size(); ++m) {
      if (target != nullptr && targets[i][m] == target) return types::view_symbol(i, m);
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> PartySession::interaction_of(const void* operation,
                                                          std::uint32_t from_role) const {
  const EpochGuard section;
  const auto& interactions = plan().interactions;
  for (std::uint32_t i = 0; i < interactions.size(); ++i) {
    const auto& each = interactions[i];
    if (each.is_for_me && each.own == operation && each.other_role == from_role) return i;
  }
  return std::nullopt;
}

bool PartySession::refuse_held(std::uint64_t number, Error why) {
  Call* const call = arrivals_.end_early(number);
  if (call == nullptr) return false;
  call->fail(std::move(why));
  return true;
}

Status PartySession::reset(const std::vector<types::Symbol>& trace, const std::string& why) {
  {
    const EpochGuard section;
    const auto& monitor = plan().monitor;
    if (!monitor->replay(trace))
      return fail(Error::failed_precondition(
          fmt::format("{} cannot stand where the others do", self_.describe())));
    phases_.restart(*monitor);
  }
  const auto refuse = [&](Call& call, const std::string& message) {
    call.fail(Error::aborted(fmt::format("the Binding {} was reset {}, and the message '{}' was "
                                         "of before",
                                         self_.type_id, why, message))
                  .with_type(kNotExecuted));
  };
  for (const auto& each : arrivals_.take_all_held())
    refuse(*each.call, self_.type.interactions(static_cast<int>(each.interaction)).name());
  for (auto* const call : gate_.take_stepped())
    refuse(*call, call->operation == nullptr ? "" : call->operation->name);
  held_.emptied();
  return {};
}

}  // namespace hector
