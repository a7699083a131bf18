// What: what a party is called, and its refusals.
// Why: see identity.h.
// Who: PartySession.
#include "party/identity.h"

#include <fmt/format.h>

#include <vector>

#include "base/text/nearest.h"
#include "hector/check.h"
#include "types/order/projection.h"

namespace hector::party {

std::string Identity::describe() const { return fmt::format("role '{}' of {}", role, type_id); }

const std::string& Identity::role_name(std::uint32_t role) const {
  HECTOR_CHECK(role < static_cast<std::uint32_t>(type.roles_size()), "a role of another type");
  return type.roles(static_cast<int>(role)).name();
}

const std::string& Identity::interaction_name(std::uint32_t interaction) const {
  HECTOR_CHECK(interaction < static_cast<std::uint32_t>(type.interactions_size()),
               "an interaction of another type");
  return type.interactions(static_cast<int>(interaction)).name();
}

Result<std::uint32_t> Identity::role_position(std::string_view name) const {
  const int at = types::role_position(type, name);
  if (at >= 0) return static_cast<std::uint32_t>(at);
  std::vector<std::string> names;
  for (const auto& each : type.roles()) names.push_back(each.name());
  return fail(Error::not_found(
      fmt::format("{} has no role '{}'{}", type_id, name, nearest_hint(name, names))));
}

Result<std::uint32_t> Identity::interaction_position(std::string_view name) const {
  std::vector<std::string> mine;
  for (int i = 0; i < type.interactions_size(); ++i) {
    if (type.interactions(i).from() != role) continue;
    mine.push_back(type.interactions(i).name());
    if (mine.back() == name) return static_cast<std::uint32_t>(i);
  }
  return fail(
      Error::not_found(fmt::format("{} starts no interaction '{}'{}; it starts {}", describe(),
                                   name, nearest_hint(name, mine), fmt::join(mine, ", "))));
}

Reliability Identity::reliability(std::uint32_t interaction) const noexcept {
  if (interaction >= static_cast<std::uint32_t>(type.interactions_size())) return Reliability::kAll;
  const std::string& said = type.interactions(static_cast<int>(interaction)).qos().reliability();
  if (said == "best_effort") return Reliability::kBestEffort;
  if (said == "at_least_one") return Reliability::kAtLeastOne;
  return said == "majority" ? Reliability::kMajority : Reliability::kAll;
}

bool Identity::is_retraded(std::uint32_t role) const {
  HECTOR_CHECK(role < static_cast<std::uint32_t>(type.roles_size()), "a role of another type");
  return types::is_traded_again(type.roles(static_cast<int>(role)), "failure");
}

Error Identity::closed() const {
  return Error::unavailable(fmt::format("the Binding {} is closed", type_id))
      .with_type(kNotExecuted);
}

Error Identity::closed(Code code, const std::string& why) const {
  return Error{code, fmt::format("the Binding {} is closed: {}", type_id, why)}.with_type(
      kNotExecuted);
}

Error Identity::out_of_order(std::uint32_t interaction, const std::string& allowed) const {
  return Error::failed_precondition(fmt::format("'{}' is out of order in {}; allowed now: {}",
                                                interaction_name(interaction), describe(),
                                                allowed));
}

Error Identity::overrun(std::uint32_t interaction, std::uint64_t time_ms) const {
  return Error::deadline_exceeded(
      fmt::format("the time for '{}' in {} is over: {} ms from when it could begin",
                  interaction_name(interaction), type_id, time_ms));
}

Error Identity::absent(std::uint32_t interaction, std::uint32_t member) const {
  HECTOR_CHECK(interaction < static_cast<std::uint32_t>(type.interactions_size()),
               "an interaction of another type");
  return Error::unavailable(fmt::format("member {} of role '{}' has left the Binding {}", member,
                                        type.interactions(static_cast<int>(interaction)).to(),
                                        type_id))
      .with_type(kNotExecuted);
}

Error Identity::outcome_unknown(std::uint32_t interaction, const std::string& object,
                                const std::string& cause) const {
  return Error{Code::kUnknown,
               fmt::format("outcome unknown: '{}' was lost while it may have been at work on '{}', "
                           "which is not idempotent ({})",
                           object, interaction_name(interaction), cause)}
      .with_type(kOutcomeUnknown);
}

}  // namespace hector::party
