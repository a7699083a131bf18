#include "binding/part_rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "call/reference_model.h"
#include "party/closing.h"
#include "party/party_session.h"

namespace hector {

using kernel::v1::PreparePart;

namespace {

/// A role's members that are looked at.
constexpr std::uint32_t kMembersMax = 100'000;
/// As long as a party waits for its Binding.
constexpr Duration kUntilSeen = std::chrono::seconds(60);

bool is_absent(const kernel::v1::RolePlan& plan, std::uint32_t member) {
  return std::find(plan.absent().begin(), plan.absent().end(), member) != plan.absent().end();
}

}  // namespace

Formation PartRights::formation_of(const PreparePart& part, const Offer& own) const {
  Formation formation(part.type());
  std::vector<Place> empty;
  for (const auto& plan : part.roles()) {
    const auto role = formation.find_role(plan.name());
    if (!role) continue;
    const bool is_own = plan.name() == part.role();
    const auto count = is_own ? part.member() + 1 : static_cast<std::uint32_t>(plan.members_size());
    for (std::uint32_t m = 0; m < count; ++m) {
      const bool is_there = is_own ? m == part.member() : !is_absent(plan, m);
      Candidate party;
      if (is_there)
        party.reference =
            is_own ? core_.references.of(own) : from_model(plan.members(static_cast<int>(m)));
      const Place place = formation.add(*role, std::move(party));
      if (!is_there) empty.push_back(place);
    }
  }
  for (const Place place : empty) formation.remove(place);
  return formation;
}

Status PartRights::admit(const PreparePart& part) {
  const OfferPtr own = core_.offers.find(part.offer());
  if (!own || !types::malformed(part.type()).empty() ||
      types::role_position(part.type(), part.role()) < 0 || part.member() >= kMembersMax)
    return {};  // who prepares it says what is wrong
  const Formation formation = formation_of(part, *own);
  const auto place = formation.find_place(part.role(), part.member());
  if (!place || formation.find(*place) == nullptr) return {};
  const RightsView view{.initiator = part.principal(),
                        .own_capsule = core_.capsule_id,
                        .are_peers_proved = core_.options.credentials != nullptr,
                        .only = *place};
  auto needed = needed_rights(formation, view);
  const auto missing = RightsCheck(core_.rights).missing(needed);
  if (!missing.empty()) return fail(denied(missing));
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= purge_at_) purge();
  kept_.push_back(
      {part.binding(), part.role(), part.member(), std::move(needed), core_.options.clock->now()});
  return {};
}

std::shared_ptr<PartySession> PartRights::session_of(const Kept& kept) const {
  for (auto& session : core_.parties.of_binding(kept.binding)) {
    if (session->role() == kept.role && session->member() == kept.member) return session;
  }
  return nullptr;
}

void PartRights::purge() {
  const TimePoint now = core_.options.clock->now();
  std::erase_if(kept_, [&](Kept& each) {
    const bool is_there = session_of(each) != nullptr;
    each.was_seen = each.was_seen || is_there;
    return !is_there && (each.was_seen || now - each.since > kUntilSeen);
  });
  purge_at_ = 2 * kept_.size() + kPurgeAtLeast;
}

bool PartRights::check() {
  std::vector<Kept> all;
  {
    const std::lock_guard lock(mutex_);
    purge();
    all = kept_;
  }
  RightsCheck rights(core_.rights);
  bool is_known = true;
  for (const auto& each : all) {
    const auto missing = rights.missing(each.needed);
    const auto session = session_of(each);
    if (missing.empty() || !session) continue;
    const auto taken = std::find_if(missing.begin(), missing.end(),
                                    [](const MissingRight& right) { return right.is_said; });
    if (taken == missing.end()) {
      is_known = false;
      continue;
    }
    core_.options.log->write(
        Level::kWarning, "a party of another capsule's Binding ends",
        {{"object", session->offer()->object}, {"role", each.role}, {"why", taken->reason}});
    close_party(core_, *session, taken->reason, Code::kPermissionDenied);
  }
  return is_known;
}

}  // namespace hector
