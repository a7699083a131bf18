#include "binding/membership.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace hector {

namespace {

/// How long messages in flight may take until a change is put off.
constexpr Duration kInFlight = std::chrono::milliseconds(100);
constexpr Duration kLookAgain = std::chrono::milliseconds(1);  ///< between two looks
/// How long the Binding runs on between two attempts.
constexpr Duration kTryAgain = std::chrono::milliseconds(5);

/// Members that are new have seen nothing.
void add_new_members(const Formation& next, std::vector<types::PartyTrace>& traces) {
  for (const Place place : next.places()) {
    const bool is_new = std::none_of(traces.begin(), traces.end(), [&](const auto& trace) {
      return trace.role == place.role && trace.member == place.member;
    });
    if (is_new) traces.push_back({place.role, place.member, {}});
  }
}

}  // namespace

Participants MembershipChange::participants() {
  return {options_.finder.coordinators(), options_.present, options_.lost};
}

std::optional<PartyPositions> MembershipChange::quiesce() {
  auto all = participants();
  const TimePoint until = options_.clock.now() + kInFlight;
  do {
    auto positions = all.freeze(Freeze::kStarts);
    if (!positions) return std::nullopt;
    if (positions->is_quiescent()) return std::move(*positions);
  } while (options_.clock.now() < until && options_.pause(kLookAgain));
  return std::nullopt;
}

Result<std::vector<types::Symbol>> MembershipChange::await_moment(const Formation& next,
                                                                  std::optional<Place> leaving,
                                                                  Duration longest,
                                                                  const std::string& what) {
  const TimePoint until = options_.clock.now() + longest;
  const auto view = next.view();
  std::string last;
  do {
    if (const auto positions = quiesce()) {
      auto traces = positions->traces(leaving);
      last = PartyPositions::last_interaction(next, traces);
      add_new_members(next, traces);
      if (auto history = types::common_history(next.type(), view, traces))
        return std::move(*history);
    }
    options_.resume();
  } while (options_.clock.now() < until && options_.pause(kTryAgain));
  return fail(Error::failed_precondition(
      fmt::format("{} now: what has happened{} is no beginning of {} with the members there would "
                  "be; try again when that round is over",
                  what, last.empty() ? "" : fmt::format(" (up to '{}')", last),
                  types::binding_id(next.type()))));
}

Status MembershipChange::reconfigure(const Formation& next,
                                     const std::vector<types::Symbol>& history,
                                     std::optional<Place> except) {
  HECTOR_TRY(participants().freeze(Freeze::kAll));
  struct Capsule {
    Reference reference;
    kernel::v1::Reconfigure request;
  };
  std::map<std::uint64_t, Capsule> capsules;
  for (const Place place : next.places()) {
    if (place == except) continue;
    auto part = HECTOR_TRY(options_.finder.part_of(next, place));
    const auto& reference = next.at(place).reference;
    auto& capsule = capsules[reference.capsule_id];
    capsule.reference = reference;
    auto* one = capsule.request.add_parties();
    *one->mutable_part() = std::move(part);
    for (const auto symbol : types::seen_by(next.type(), history, place.role, place.member))
      one->add_way(symbol);
  }
  for (const auto& [id, capsule] : capsules)
    HECTOR_TRY(options_.finder.coordinators().tell(
        capsule.reference, CoordinatorOperations::kReconfigure, capsule.request));
  return {};
}

}  // namespace hector
