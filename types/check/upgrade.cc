// What: what players of a Binding type's older version would miss in a newer one.
// Why: one comparison of two Binding types serves the command line and the Type service.
// Who: `hector type breaking`, the Type service.
#include "types/check/upgrade.h"

#include <fmt/format.h>

#include <limits>

#include "hector/check.h"
#include "types/check/conformance.h"
#include "types/order/projection.h"

namespace hector::types {

using hector::type::v1::Binding;

namespace {

/// R of the older version as if it were an Interface's order: it allows what all its players may
/// do.
std::vector<Finding> role_findings(const Binding& older, std::uint32_t older_role,
                                   const Binding& newer, std::uint32_t newer_role) {
  auto before = role_order(older, older_role), after = role_order(newer, newer_role);
  if (!before || !after)
    return {{"limits", before ? after.error().message : before.error().message, {}}};
  // Both over one list of operations.
  RoleOrder joined = *after;
  std::vector<Symbol> numbers;
  for (std::size_t s = 0; s < before->operations.size(); ++s) {
    std::size_t at = 0;
    while (at < joined.operations.size() && (joined.operations[at] != before->operations[s] ||
                                             joined.is_output[at] != before->is_output[s]))
      ++at;
    if (at == joined.operations.size()) {
      joined.operations.push_back(before->operations[s]);
      joined.is_output.push_back(before->is_output[s]);
    }
    numbers.push_back(static_cast<Symbol>(at));
  }
  Automaton renamed;
  HECTOR_CHECK(
      before->automaton.symbols.empty() || before->automaton.symbols.back() < numbers.size(),
      "an order's symbol is none of its operations");
  renamed.start = before->automaton.start;
  renamed.accepting = before->automaton.accepting;
  for (Symbol s = 0; s < joined.operations.size(); ++s) renamed.symbols.push_back(s);
  for (const auto& row : before->automaton.next) {
    auto& wider = renamed.next.emplace_back(joined.operations.size(), Automaton::kNone);
    HECTOR_CHECK(row.size() == before->automaton.symbols.size(), "a row without its columns");
    for (std::size_t c = 0; c < before->automaton.symbols.size(); ++c)
      wider[numbers[before->automaton.symbols[c]]] = row[c];
  }
  return check_order(renamed, joined);
}

std::string members_text(const hector::type::v1::Role& role) {
  if (role.members_max() < 0) return fmt::format("{}..*", role.members_min());
  return static_cast<std::int32_t>(role.members_min()) == role.members_max()
             ? std::to_string(role.members_max())
             : fmt::format("{}..{}", role.members_min(), role.members_max());
}

/// A Binding that was right has too many members now, or too few.
void check_members(const hector::type::v1::Role& before, const hector::type::v1::Role& after,
                   const std::string& where, std::vector<Finding>& findings) {
  const auto most = [](const auto& role) {
    return role.members_max() < 0 ? std::numeric_limits<std::int32_t>::max() : role.members_max();
  };
  if (most(after) < most(before) || after.members_min() > before.members_min())
    findings.push_back({"roles",
                        fmt::format("{}: it may have {} members, it had {}", where,
                                    members_text(after), members_text(before)),
                        {}});
  if (before.optional() && !after.optional())
    findings.push_back({"roles", fmt::format("{}: it is no longer optional", where), {}});
}

}  // namespace

void check_upgrade(const Binding& before, const Binding& after, std::vector<Finding>& findings) {
  for (int r = 0; r < before.roles_size(); ++r) {
    const auto& role = before.roles(r);
    const std::string where = fmt::format("{}.{}", before.name(), role.name());
    const int now = role_position(after, role.name());
    if (now < 0) {
      findings.push_back({"roles", fmt::format("{}: the role is gone", where), {}});
      continue;
    }
    check_members(role, after.roles(now), where, findings);
    for (auto& finding : role_findings(before, static_cast<std::uint32_t>(r), after,
                                       static_cast<std::uint32_t>(now))) {
      finding.text = where + ": " + finding.text;
      findings.push_back(std::move(finding));
    }
  }
  for (const auto& role : after.roles()) {
    if (role_position(before, role.name()) < 0 && !role.optional())
      findings.push_back(
          {"roles",
           fmt::format("{}.{}: a new role that is not optional", after.name(), role.name()),
           {}});
  }
}

}  // namespace hector::types
