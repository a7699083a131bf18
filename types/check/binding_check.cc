#include "types/check/binding_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text/nearest.h"
#include "hector/check.h"
#include "types/check/choreography_check.h"
#include "types/check/phases.h"
#include "types/order/expression.h"
#include "types/order/projection.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::Expression;
using hector::type::v1::Interaction;

namespace {

/// types.md 3: a fourth member changed no result in the trials behind it.
constexpr std::uint32_t kSizesTried = 3;

const hector::type::v1::Role& role_named(const Binding& binding, const std::string& name) {
  const int at = role_position(binding, name);
  HECTOR_CHECK(at >= 0, "an interaction's end is a role that the Binding type has not");
  return binding.roles(at);
}

std::optional<Finding> check_symbol(const Binding& binding, const Expression::Symbol& symbol) {
  if (symbol.role().empty()) return std::nullopt;
  const auto& x = binding.interactions(interaction_position(binding, symbol.name()));
  const auto fault = [&](std::string text) {
    return Finding{"names", std::move(text), {symbol.name()}, {symbol.role()}};
  };
  if (symbol.role() != x.from() && symbol.role() != x.to()) {
    return fault(fmt::format("{}[{}]: '{}' is at neither end of {}, which goes from {} to {}",
                             symbol.name(), symbol.role(), symbol.role(), symbol.name(), x.from(),
                             x.to()));
  }
  if (x.kind() == hector::type::v1::KIND_MULTICAST && symbol.role() == x.to()) {
    return fault(fmt::format("{}[{}]: a multicast reaches all members of '{}' at once; write {}",
                             symbol.name(), symbol.role(), symbol.role(), symbol.name()));
  }
  if (!is_many(role_named(binding, symbol.role()))) {
    return fault(
        fmt::format("{}[{}]: role '{}' has one member at most; write {}, or give it a cardinality",
                    symbol.name(), symbol.role(), symbol.role(), symbol.name()));
  }
  return std::nullopt;
}

std::optional<Finding> check_operations(const Binding& binding, const InterfaceLookup& known) {
  for (const auto& x : binding.interactions()) {
    const CompiledInterface* interface =
        known ? known(role_named(binding, x.to()).interface_id()) : nullptr;
    if (interface == nullptr) continue;
    const auto fault = [&](std::string text) {
      return Finding{"names", std::move(text), {x.name()}, {x.to()}};
    };
    const Operation* operation = interface->find(x.operation());
    if (operation == nullptr) {
      std::vector<std::string> names;
      for (const auto& each : interface->operations()) names.push_back(each.name);
      return fault(fmt::format(
          "interaction '{}': {}, the Interface of role '{}', has no operation '{}'{}", x.name(),
          interface->id(), x.to(), x.operation(), nearest_hint(x.operation(), names)));
    }
    const bool is_multicast = x.kind() == hector::type::v1::KIND_MULTICAST;
    const bool fits = is_multicast
                          ? operation->kind != Kind::kStream
                          : static_cast<int>(operation->kind) + 1 == static_cast<int>(x.kind());
    if (!fits) {
      return fault(fmt::format("interaction '{}': operation '{}' of {} is of kind {}{}", x.name(),
                               x.operation(), interface->id(), kind_name(operation->kind),
                               is_multicast ? ", which cannot be multicast" : ""));
    }
  }
  return std::nullopt;
}

std::optional<Finding> check_names(const Binding& binding, const InterfaceLookup& known) {
  if (auto fault = check_operations(binding, known)) return fault;
  std::optional<Finding> found;
  if (binding.has_protocol()) {
    each_part(binding.protocol(), [&](const Expression& part) {
      if (!found && part.has_symbol()) found = check_symbol(binding, part.symbol());
    });
  }
  return found;
}

std::optional<Finding> check_c4(const Binding& binding) {
  const auto everywhere = occurrences(binding.protocol());
  for (const auto& phase : optional_phases(binding)) {
    for (const auto& [name, count] : phase.interactions) {
      if (everywhere.at(name) == count) continue;
      const auto& x = binding.interactions(interaction_position(binding, name));
      return Finding{
          "C4",
          fmt::format("'{}' belongs to a timed phase that may be empty, and occurs outside it too: "
                      "after the deadline the occurrences cannot be told apart",
                      name),
          {name},
          {x.from(), x.to()}};
    }
    if (phase.interactions.empty() || !single_receiver(binding, phase).empty() ||
        !single_initiator(binding, phase).empty())
      continue;
    Finding fault{"C4", {}, {}, {}};
    std::set<std::string> ends;
    for (const auto& [name, count] : phase.interactions) {
      fault.trace.push_back(name);
      ends.insert(binding.interactions(interaction_position(binding, name)).to());
    }
    fault.roles.assign(ends.begin(), ends.end());
    fault.text = fmt::format(
        "the timed phase of {} may be empty, and no role alone can run its timer: it has neither a "
        "single receiver nor a single initiator",
        fmt::join(fault.trace, ", "));
    return fault;
  }
  return std::nullopt;
}

std::optional<Finding> check_c0(const Binding& binding) {
  std::optional<Finding> found;
  Regular language;
  const auto members = checked_members(binding, 1);
  each_part(binding.protocol(), [&](const Expression& part) {
    if (found || !part.has_chosen()) return;
    for (const Symbol first :
         language.first(phase(binding, part.chosen().of(), members, language))) {
      const auto& x = binding.interactions(static_cast<int>(global_interaction(first)));
      if (x.from() == part.chosen().role()) continue;
      found = Finding{"C0",
                      fmt::format("@{}( … ): '{}' can come first, and {} starts it, not {}",
                                  part.chosen().role(), x.name(), x.from(), part.chosen().role()),
                      {x.name()},
                      {x.from()}};
      return;
    }
  });
  return found;
}

Finding too_large(std::string what) {
  return {"limits", fmt::format("too large to be decided: {}", what), {}, {}};
}

/// Names, limits, C4 and C0: what an expression says without its automaton.
std::optional<Finding> check_protocol_text(const Binding& binding, const InterfaceLookup& known) {
  if (auto fault = check_names(binding, known)) return fault;
  if (!binding.has_protocol()) return std::nullopt;
  if (static_cast<std::uint32_t>(binding.interactions_size()) > kGlobalInteractionsMax)
    return too_large(fmt::format("more than {} interactions", kGlobalInteractionsMax));
  for (const auto members : checked_members(binding, kSizesTried)) {
    if (members > kGlobalMembersMax)
      return too_large(fmt::format("a role with at least {} members; {} are looked into", members,
                                   kGlobalMembersMax));
  }
  if (auto fault = check_c4(binding)) return fault;
  return check_c0(binding);
}

}  // namespace

std::vector<std::vector<std::uint32_t>> checked_sizes(const Binding& binding) {
  std::vector<std::vector<std::uint32_t>> sizes;
  for (std::uint32_t wanted = 1; wanted <= kSizesTried; ++wanted) {
    auto members = checked_members(binding, wanted);
    if (sizes.empty() || sizes.back() != members) sizes.push_back(std::move(members));
  }
  return sizes;
}

std::string malformed(const Binding& binding) {
  std::set<std::string> roles, names;
  for (const auto& role : binding.roles()) {
    if (!roles.insert(role.name()).second)
      return fmt::format("role '{}' stands twice", role.name());
  }
  for (const auto& interaction : binding.interactions()) {
    if (!names.insert(interaction.name()).second)
      return fmt::format("interaction '{}' stands twice", interaction.name());
    if (!roles.contains(interaction.from()) || !roles.contains(interaction.to()) ||
        interaction.from() == interaction.to()) {
      return fmt::format("interaction '{}' goes from '{}' to '{}'", interaction.name(),
                         interaction.from(), interaction.to());
    }
  }
  if (static_cast<std::uint32_t>(binding.interactions_size()) > kGlobalInteractionsMax)
    return fmt::format("more than {} interactions", kGlobalInteractionsMax);
  std::string wrong;
  if (!binding.has_protocol()) return wrong;
  each_part(binding.protocol(), [&](const Expression& part) {
    if (part.has_symbol() && !names.contains(part.symbol().name()))
      wrong = fmt::format("the protocol names an unknown interaction '{}'", part.symbol().name());
    if (part.has_repeat() && (part.repeat().min() > kExpressionCountMax ||
                              part.repeat().max() > static_cast<std::int32_t>(kExpressionCountMax)))
      wrong = "the protocol repeats something too often";
  });
  return wrong;
}

std::optional<Finding> check_binding(const Binding& binding, const InterfaceLookup& known) {
  if (auto fault = check_protocol_text(binding, known)) return fault;
  if (!binding.has_protocol()) return std::nullopt;  // any order: no rule can fail
  const auto refusable = refusable_interactions(binding);
  try {
    for (const auto& members : checked_sizes(binding)) {
      if (auto fault = check_choreography(binding, members, refusable)) return fault;
    }
  } catch (const TooLargeToCheck& limit) {
    return too_large(limit.text);
  }
  return std::nullopt;
}

Error cannot_work(const std::string& id, const Finding& fault) {
  Error error =
      Error::failed_precondition(fmt::format("{} cannot work", id)).with_type(kIncompatible);
  error.reasons.push_back(fmt::format(
      "{}: {}{}", fault.rule, fault.text,
      fault.trace.empty() ? "" : fmt::format(" (trace: {})", fmt::join(fault.trace, " ; "))));
  return error;
}

}  // namespace hector::types
