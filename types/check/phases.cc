#include "types/check/phases.h"

#include <algorithm>
#include <set>

#include "hector/check.h"
#include "types/order/expression.h"
#include "types/order/projection.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::Expression;
using hector::type::v1::Interaction;

namespace {

std::string single_end(const Binding& binding, const OptionalPhase& phase,
                       const std::string& (Interaction::*end)() const) {
  std::set<std::string> roles;
  for (const auto& [name, count] : phase.interactions)
    roles.insert((binding.interactions(interaction_position(binding, name)).*end)());
  if (roles.size() != 1) return {};
  const int at = role_position(binding, *roles.begin());
  HECTOR_CHECK(at >= 0, "an interaction's end is a role that the Binding type has not");
  const auto& role = binding.roles(at);
  return is_many(role) ? "" : role.name();
}

std::vector<std::uint32_t> positions(const Binding& binding,
                                     const std::map<std::string, int>& interactions) {
  std::vector<std::uint32_t> list;
  for (const auto& [name, count] : interactions) {
    const int at = interaction_position(binding, name);
    HECTOR_CHECK(at >= 0, "a phase has an interaction that the Binding type has not");
    list.push_back(static_cast<std::uint32_t>(at));
  }
  return list;
}

}  // namespace

std::map<std::string, int> occurrences(const Expression& expression) {
  std::map<std::string, int> count;
  each_part(expression, [&](const Expression& part) {
    if (part.has_symbol()) ++count[part.symbol().name()];
  });
  return count;
}

std::vector<OptionalPhase> optional_phases(const Binding& binding) {
  std::vector<OptionalPhase> phases;
  if (!binding.has_protocol()) return phases;
  Regular language;
  const auto members = checked_members(binding, 1);
  each_part(binding.protocol(), [&](const Expression& part) {
    if (part.has_before() &&
        language.may_end(phase(binding, part.before().of(), members, language)))
      phases.push_back({occurrences(part.before().of()), part.before().time_ms()});
  });
  return phases;
}

std::string single_receiver(const Binding& binding, const OptionalPhase& phase) {
  return single_end(binding, phase, &Interaction::to);
}
std::string single_initiator(const Binding& binding, const OptionalPhase& phase) {
  return single_end(binding, phase, &Interaction::from);
}

std::vector<TimedPhase> timed_phases(const Binding& binding) {
  std::vector<TimedPhase> phases;
  for (const auto& found : optional_phases(binding)) {
    if (found.interactions.empty()) continue;
    TimedPhase phase{positions(binding, found.interactions), found.time_ms,
                     single_receiver(binding, found), true};
    if (phase.counting_role.empty()) {
      phase.counting_role = single_initiator(binding, found);
      phase.is_refusable = false;
    }
    phases.push_back(std::move(phase));
  }
  return phases;
}

std::vector<MandatoryPhase> mandatory_phases(const Binding& binding) {
  std::vector<MandatoryPhase> phases;
  if (!binding.has_protocol()) return phases;
  const auto everywhere = occurrences(binding.protocol());
  const auto members = checked_members(binding, 1);
  each_part(binding.protocol(), [&](const Expression& part) {
    if (!part.has_before()) return;
    Regular language;
    const auto within = phase(binding, part.before().of(), members, language);
    const auto inside = occurrences(part.before().of());
    const bool is_alone = std::all_of(inside.begin(), inside.end(), [&](const auto& each) {
      return everywhere.at(each.first) == each.second;
    });
    if (language.may_end(within) || !is_alone) return;
    MandatoryPhase found{positions(binding, inside), {}, part.before().time_ms()};
    for (const Symbol symbol : language.first(within))
      found.first.push_back(global_interaction(symbol));
    phases.push_back(std::move(found));
  });
  return phases;
}

std::vector<bool> refusable_interactions(const Binding& binding) {
  std::vector<bool> refusable(static_cast<std::size_t>(binding.interactions_size()), false);
  for (const auto& phase : timed_phases(binding)) {
    for (const auto interaction : phase.interactions) {
      HECTOR_CHECK(interaction < refusable.size(), "a phase of an interaction that there is not");
      refusable[interaction] = refusable[interaction] || phase.is_refusable;
    }
  }
  return refusable;
}

}  // namespace hector::types
