// What: capsules' answers, put together.
// Why: see binding_look.h.
// Who: BindingController.
#include "binding/binding_look.h"

#include <fmt/format.h>

#include <algorithm>

#include "types/order/history.h"

namespace hector {

BindingLook::BindingLook(Coordinators& coordinators, const Formation& formation,
                         const std::set<std::uint64_t>& lost)
    : formation_(formation), graph_(formation) {
  for (const Place place : formation.places()) parties_.push_back({place, std::nullopt, {}});
  kernel::v1::BindingId id;
  id.set_binding(formation.id);
  const auto each_of = [this](std::uint64_t capsule, const auto& visit) {
    for (auto& party : parties_) {
      if (formation_.at(party.place).reference.capsule_id == capsule) visit(party);
    }
  };
  for (const auto& capsule : formation.capsules()) {
    Result<kernel::v1::Look> told =
        lost.contains(capsule.capsule_id)
            ? Result<kernel::v1::Look>(fail(Error::unavailable("its capsule is lost")))
            : coordinators.tell(capsule, CoordinatorOperations::kLook, id, kAnsweredWithin);
    if (!told) {
      each_of(capsule.capsule_id, [&](Party& party) { party.problem = told.error().text(); });
      continue;
    }
    for (const auto& look : told->parties()) {
      each_of(capsule.capsule_id, [&](Party& party) {
        if (formation_.find_place(look.role(), look.member()) == party.place && graph_.add(look))
          party.look = look;
      });
    }
  }
}

std::string BindingLook::held() const {
  for (const auto& party : parties_) {
    if (!party.look || party.look->held().empty()) continue;
    const auto& first = party.look->held(0);
    return fmt::format("{} waits at {} for {}", graph_.message_text(*party.look, first),
                       formation_.text(party.place), graph_.needs_text(*party.look, first));
  }
  return {};
}

std::uint32_t BindingLook::held_count() const {
  std::uint32_t count = 0;
  for (const auto& party : parties_) {
    if (!party.look) continue;
    count += static_cast<std::uint32_t>(
        std::count_if(party.look->held().begin(), party.look->held().end(),
                      [](const auto& each) { return !each.has_ended(); }));
  }
  return count;
}

bool BindingLook::disagrees() const {
  std::vector<types::PartyTrace> traces;
  for (const auto& party : parties_) {
    if (!party.look) return false;
    traces.push_back({party.place.role,
                      party.place.member,
                      {party.look->way().begin(), party.look->way().end()}});
  }
  return !types::common_history(formation_.type(), formation_.view(), traces);
}

bool BindingLook::is_as(const BindingLook& other) const {
  return std::equal(parties_.begin(), parties_.end(), other.parties_.begin(), other.parties_.end(),
                    [](const Party& a, const Party& b) {
                      return a.look && b.look &&
                             std::equal(a.look->way().begin(), a.look->way().end(),
                                        b.look->way().begin(), b.look->way().end());
                    });
}

void BindingLook::show(binding::v1::State& state) const {
  for (const auto& party : parties_) {
    auto& shown = *state.add_parties();
    const auto& reference = formation_.at(party.place).reference;
    shown.set_role(formation_.name(party.place.role));
    shown.set_number(party.place.member);
    shown.set_object(reference.object);
    shown.set_capsule(reference.capsule);
    if (!party.look) {
      shown.set_problem(party.problem.empty() ? "its capsule knows nothing of it" : party.problem);
      continue;
    }
    for (const auto symbol : party.look->way()) {
      const auto index = static_cast<int>(types::symbol_interaction(symbol));
      shown.add_position(formation_.type().interactions(index).name());
    }
    shown.set_allowed(party.look->allowed());
    for (const auto& each : party.look->held()) {
      auto& held = *shown.add_held();
      const auto index = static_cast<int>(each.interaction());
      held.set_message(formation_.type().interactions(index).name());
      held.set_from(graph_.sender_text(*party.look, each));
      held.set_held_ms(each.held_ms());
      held.set_until(graph_.needs_text(*party.look, each));
      held.set_has_ended(each.has_ended());
    }
    for (const auto& each : party.look->waits()) shown.add_waits(graph_.wait_text(each));
  }
  for (auto& line : graph_.lines()) state.add_waiting(std::move(line));
}

}  // namespace hector
