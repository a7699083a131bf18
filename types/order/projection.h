// What: the languages of protocol expressions: an Interface's own, and a Binding's as one member of
// a role sees it.
// Why: the same projection serves conformance (with up to three members in a role) and the monitor
// (with the members there are).
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
  std::vector<std::uint32_t> members;  ///< by role: how many member numbers were given out
  /// By role: the numbers of members that left. May be shorter than `members`.
  std::vector<std::vector<std::uint32_t>> absent;
  [[nodiscard]] bool is_absent(std::uint32_t of_role, std::uint32_t number) const;
  /// The numbers of the members that are there, ascending.
  [[nodiscard]] std::vector<std::uint32_t> present(std::uint32_t of_role) const;
};
constexpr Symbol view_symbol(std::uint32_t interaction, std::uint32_t other_member) {
  return interaction << 16 | other_member;
}
constexpr std::uint32_t symbol_interaction(Symbol symbol) { return symbol >> 16; }
constexpr std::uint32_t symbol_member(Symbol symbol) { return symbol & 0xffffU; }

/// All of a Binding at once (types.md 3, G): a global symbol is an interaction from one member to
/// one member; a multicast goes to member 0. Its 32 bits are 10 of interaction, 11 of sender, 11 of
/// receiver.
inline constexpr std::uint32_t kAllRoles = UINT32_MAX;
inline constexpr std::uint32_t kGlobalMembersMax = 1U << 11;       ///< eleven bits of a symbol
inline constexpr std::uint32_t kGlobalInteractionsMax = 1U << 10;  ///< ten bits of a symbol
constexpr Symbol global_symbol(std::uint32_t interaction, std::uint32_t from, std::uint32_t to) {
  return interaction << 22 | from << 11 | to;
}
constexpr std::uint32_t global_interaction(Symbol symbol) { return symbol >> 22; }
constexpr std::uint32_t global_from(Symbol symbol) { return symbol >> 11 & 0x7ffU; }
constexpr std::uint32_t global_to(Symbol symbol) { return symbol & 0x7ffU; }
/// The language of a Binding's protocol over global symbols, with `members` in each role.
Regular::Node choreography(const hector::type::v1::Binding& binding,
                           const std::vector<std::uint32_t>& members, Regular& language);
/// The same with the members that are there; `view`'s own role and member are ignored.
Regular::Node choreography(const hector::type::v1::Binding& binding, View view, Regular& language);
/// The language of a part of the protocol.
Regular::Node phase(const hector::type::v1::Binding& binding,
                    const hector::type::v1::Expression& expression,
                    const std::vector<std::uint32_t>& members, Regular& language);

/// What one member sees: interactions between other parties become the empty word (types.md 3: a
/// party's local states). A multicast is one symbol, of member 0 at its sender. A Binding without
/// protocol allows everything in any order.
Regular::Node project(const hector::type::v1::Binding& binding, const View& view,
                      Regular& language);

/// Position of a name; -1 if there is none.
int role_position(const hector::type::v1::Binding& binding, std::string_view name);
int interaction_position(const hector::type::v1::Binding& binding, std::string_view name);

/// True if the role is traded again on this trigger: "failure", "breach".
bool is_traded_again(const hector::type::v1::Role& role, std::string_view when);
/// Whether a role may have more than one member.
bool is_many(const hector::type::v1::Role& role);
/// How many members types.md 3 checks a Binding type with, by role: `wanted` in each many role,
/// clamped to its cardinality and to at least one; one in the others.
std::vector<std::uint32_t> checked_members(const hector::type::v1::Binding& binding,
                                           std::uint32_t wanted);

/// R of types.md 4: the view of one member of a role, each interaction renamed to its operation.
struct RoleOrder {
  std::vector<std::string> operations;  ///< a symbol is a position in this; received ones first
  std::vector<bool> is_output;          ///< by symbol: the role starts it
  Automaton automaton;
};
/// With three members in each many role. RESOURCE_EXHAUSTED where the order is too large.
Result<RoleOrder> role_order(const hector::type::v1::Binding& binding, std::uint32_t role);
/// The same with these numbers of members.
Result<RoleOrder> role_order(const hector::type::v1::Binding& binding, std::uint32_t role,
                             const std::vector<std::uint32_t>& members);

}  // namespace hector::types
