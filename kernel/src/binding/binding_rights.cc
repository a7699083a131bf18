#include "binding/binding_rights.h"

#include <fmt/format.h>

#include <algorithm>

#include "channel/rights_words.h"
#include "types/registry/repository.h"

namespace hector {

namespace {

class Needs {
 public:
  Needs(const Formation& formation, const RightsView& view)
      : formation_(formation), view_(view), type_id_(types::binding_id(formation.type())) {}

  std::vector<NeededRight> all() {
    for (const RoleIndex role : formation_.roles())
      each_member(role, [&](Place place) { play(place); });
    for (const auto& interaction : formation_.type().interactions()) {
      const auto from = formation_.find_role(interaction.from());
      const auto to = formation_.find_role(interaction.to());
      if (!from || !to) continue;
      each_member(*from, [&](Place caller) {
        each_member(*to, [&](Place called) { call(caller, called, interaction.operation()); });
      });
    }
    return std::move(needs_);
  }

 private:
  template <class Take>
  void each_member(RoleIndex role, const Take& take) {
    const auto& members = formation_.members(role);
    for (std::uint32_t m = 0; m < members.size(); ++m) {
      if (members[m]) take(Place{role, MemberIndex(m)});
    }
  }
  [[nodiscard]] bool is_wanted(Place place) const { return !view_.only || *view_.only == place; }

  void play(Place place) {
    if (!is_wanted(place)) return;
    const auto& party = formation_.at(place).reference;
    add(place, std::string(rights::kPlay), rights::role(type_id_, formation_.name(place.role)),
        party, fmt::format("may not play role '{}'", formation_.name(place.role)));
  }
  void call(Place caller, Place called, const std::string& operation) {
    if (!is_wanted(caller) && !is_wanted(called)) return;
    const auto& party = formation_.at(called).reference;
    add(caller, std::string(rights::kCall), rights::operation(party.interface_id, operation), party,
        fmt::format("as '{}' may not call '{}.{}' of '{}'", formation_.name(caller.role),
                    party.interface_id, operation, called_text(party)));
  }
  static std::string called_text(const Reference& party) {
    return party.is_foreign() ? party.interface_id : party.object;
  }

  void add(Place holder, std::string action, std::string resource, const Reference& about,
           const std::string& may_not) {
    const auto& party = formation_.at(holder).reference;
    const bool is_proved = party.capsule_id == view_.own_capsule || view_.are_peers_proved;
    const std::string known = is_proved ? party.principal : std::string();
    auto context = rights::about(known, about.capsule, about.object);
    context.binding_type = type_id_;
    context.role = formation_.name(holder.role);
    context.initiator = view_.initiator;
    context.is_authenticated = !known.empty();
    if (known.empty() && rights::is_principal(party.principal)) context.claimed = party.principal;
    needs_.push_back(
        {holder,
         {rights::principal(known), std::move(action), std::move(resource), rights::json(context)},
         fmt::format("'{}' ({}) {}", called_text(party), who(known, context.claimed), may_not)});
  }
  static std::string who(const std::string& known, std::string_view claimed) {
    if (!known.empty()) return known;
    return claimed.empty() ? std::string(rights::kAnonymous)
                           : fmt::format("{}, it says that it is {}", rights::kAnonymous, claimed);
  }

  const Formation& formation_;
  const RightsView& view_;
  const std::string type_id_;
  std::vector<NeededRight> needs_;
};

std::string key_of(const RightsQuestion& question) {
  return question.principal + '\n' + question.action + '\n' + question.resource + '\n' +
         question.context;
}

}  // namespace

std::vector<NeededRight> needed_rights(const Formation& formation, const RightsView& view) {
  return Needs(formation, view).all();
}

std::vector<MissingRight> RightsCheck::missing(const std::vector<NeededRight>& needed) {
  std::vector<MissingRight> missing;
  for (const auto& each : needed) {
    const auto [known, is_new] = answers_.try_emplace(key_of(each.question));
    if (is_new) known->second = rights_.ask(each.question);
    if (!known->second.is_allowed)
      missing.push_back({each.holder, fmt::format("{}: {}", each.text, known->second.why),
                         known->second.is_said});
  }
  return missing;
}

Error denied(const std::vector<MissingRight>& missing) {
  std::vector<std::string> reasons;
  for (const auto& each : missing) {
    if (std::find(reasons.begin(), reasons.end(), each.reason) == reasons.end())
      reasons.push_back(each.reason);
  }
  return Error::permission_denied("a party may not take part").with_reasons(std::move(reasons));
}

}  // namespace hector
