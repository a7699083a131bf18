// What: protocol expressions made into languages: an Interface's own, and a Binding's as one member
// of a role sees it.
// Why: the same projection serves conformance (with up to three members) and the monitor (with
// those there are).
// Who: compiled Interfaces, conformance, the monitor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hector/type/v1/type.pb.h"
#include "types/order/regular.h"

namespace hector::types {

/// Symbols: position in operations, then operations_size() + position in initiates.
Result<Automaton> interface_automaton(const hector::type::v1::Interface& model);

/// One member's view of a Binding: a symbol is an interaction and the member at its other end.
struct View {
  std::uint32_t role = 0;  ///< position in the Binding's roles
  std::uint32_t member = 0;
  std::vector<std::uint32_t> members;  ///< how many numbers each role has given to members
  std::vector<std::vector<std::uint32_t>>
      absent;  ///< of each role, those numbers whose member left; may be empty
  [[nodiscard]] bool is_absent(std::uint32_t of_role, std::uint32_t number) const;
  /// The numbers of those who are there, ascending.
  [[nodiscard]] std::vector<std::uint32_t> present(std::uint32_t of_role) const;
};
constexpr Symbol view_symbol(std::uint32_t interaction, std::uint32_t other_member) {
  return interaction << 16 | other_member;
}
constexpr std::uint32_t symbol_interaction(Symbol symbol) { return symbol >> 16; }
constexpr std::uint32_t symbol_member(Symbol symbol) { return symbol & 0xffffU; }

/// All of a Binding at once: a symbol is an interaction from one member to one member (a multicast:
/// to member 0).
inline constexpr std::uint32_t kEverybody = UINT32_MAX;
inline constexpr std::uint32_t kGlobalMembersMax = 1U << 11;
inline constexpr std::uint32_t kGlobalInteractionsMax = 1U << 10;
constexpr Symbol global_symbol(std::uint32_t interaction, std::uint32_t from, std::uint32_t to) {
  return interaction << 22 | from << 11 | to;
}
constexpr std::uint32_t global_interaction(Symbol symbol) { return symbol >> 22; }
constexpr std::uint32_t global_from(Symbol symbol) { return symbol >> 11 & 0x7ffU; }
constexpr std::uint32_t global_to(Symbol symbol) { return symbol & 0x7ffU; }
/// The language of a Binding's protocol over global symbols, with `members` in each role (types.md
/// 3, G); of a part of it.
Regular::Node choreography(const hector::type::v1::Binding& binding,
                           const std::vector<std::uint32_t>& members, Regular& language);
/// The same with those who are there; `view`'s own role and member do not matter.
Regular::Node choreography(const hector::type::v1::Binding& binding, View view, Regular& language);
Regular::Node phase(const hector::type::v1::Binding& binding,
                    const hector::type::v1::Expression& expression,
                    const std::vector<std::uint32_t>& members, Regular& language);

/// Interactions of other parties leave no trace (types.md 3: a party's local states). A multicast
/// is one symbol, of member 0 at its sender. A Binding without protocol allows everything in any
/// order.
Regular::Node project(const hector::type::v1::Binding& binding, const View& view,
                      Regular& language);

/// Position of a name; -1 if there is none.
int role_position(const hector::type::v1::Binding& binding, std::string_view name);
int interaction_position(const hector::type::v1::Binding& binding, std::string_view name);

/// Whether its type has a role's party replaced then: "failure", "breach".
bool is_traded_again(const hector::type::v1::Role& role, std::string_view when);
/// Whether a role may have more than one member.
bool is_many(const hector::type::v1::Role& role);
/// What types.md 3 checks a Binding type with: `wanted` members in each many role, moved into its
/// cardinality, never none; one in the others.
std::vector<std::uint32_t> checked_members(const hector::type::v1::Binding& binding,
                                           std::uint32_t wanted);

/// R of types.md 4: the view of one member with the largest number of members instantiated, each
/// interaction renamed to its operation. Symbols are positions in `operations`, which it fills:
/// received ones first.
struct RoleOrder {
  std::vector<std::string> operations;
  std::vector<bool> is_output;
  Automaton automaton;
};
Result<RoleOrder> role_order(const hector::type::v1::Binding& binding, std::uint32_t role);
/// The same with these numbers of members.
Result<RoleOrder> role_order(const hector::type::v1::Binding& binding, std::uint32_t role,
                             const std::vector<std::uint32_t>& members);

}  // namespace hector::types
