#include "capsule/channel_moves.h"

#include <fmt/format.h>

#include <set>

#include "binding/coordinator.h"
#include "binding/formation.h"
#include "call/reference_model.h"
#include "hector/check.h"
#include "hector/coordinator.hector.h"
#include "party/party_session.h"
#include "party/target.h"

namespace hector {

namespace {

constexpr Duration kMovedWithin = std::chrono::seconds(3);  ///< of one channel

const char* moves(Unload mode) { return mode == Unload::kDryRun ? "would move" : "moved"; }

}  // namespace

ChannelMoves::Findings ChannelMoves::run(Unload mode) {
  Findings found;
  for (const auto& session : core_.parties.all()) {
    own_channels(*session, mode, found);
    partners_channels(*session, mode, found);
  }
  return found;
}

void ChannelMoves::own_channels(PartySession& session, Unload mode, Findings& found) {
  for (const auto& channel : session.channels()) {
    if (channel.profile.protocol != protocol_) continue;
    const int role = types::role_position(session.type(), channel.role);
    HECTOR_CHECK(role >= 0, "a channel leads to a role that its Binding type has not");
    const auto moved =
        session.changes().move({.to = {static_cast<std::uint32_t>(role), channel.member},
                                .exclude = protocol_,
                                .only = {},
                                .is_trial = mode == Unload::kDryRun});
    const std::string what =
        fmt::format("channel {} -> {} ({}) of {}", session.offer()->object, channel.party.object,
                    channel.role, id_text(session.binding()));
    if (moved)
      found.effects.push_back(fmt::format("{} {} from {} to {} ({})", what, moves(mode), protocol_,
                                          moved->profile.protocol, moved->why));
    else
      found.breaks.push_back(fmt::format("{} would break: {}", what, moved.error().message));
  }
}

void ChannelMoves::partners_channels(PartySession& session, Unload mode, Findings& found) {
  std::set<std::uint64_t> asked;
  for (const Reference& partner : session.partners()) {
    if (core_.references.is_own(partner) || !asked.insert(partner.capsule_id).second) continue;
    ask_partner(session, partner, mode, found);
  }
}

void ChannelMoves::ask_partner(PartySession& session, const Reference& partner, Unload mode,
                               Findings& found) {
  kernel::v1::MoveChannel request;
  request.set_binding(session.binding());
  request.set_role(session.role());
  request.set_member(session.member());
  request.set_exclude(protocol_);
  request.set_dry_run(mode == Unload::kDryRun);
  const auto target = coordinator_of(core_, partner);
  const auto& clock = *core_.options.clock;
  const auto moved = target ? ask(**target, clock, CoordinatorOperations::kMoveChannel, request,
                                  clock.now() + kMovedWithin)
                            : Result<kernel::v1::MovedChannel>(fail(target.error()));
  if (!moved) {
    found.breaks.push_back(fmt::format("channels from capsule {} to {} would break: {}",
                                       partner.capsule, session.offer()->object,
                                       moved.error().text()));
    return;
  }
  for (const auto& move : moved->moves()) {
    found.effects.push_back(fmt::format("channel {} -> {} ({}) of {} {} from {} to {} ({})",
                                        move.from(), session.offer()->object, session.role(),
                                        id_text(session.binding()), moves(mode), protocol_,
                                        move.profile().protocol(), move.why()));
  }
}

}  // namespace hector
