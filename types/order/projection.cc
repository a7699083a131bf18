#include "types/order/projection.h"

#include <algorithm>
#include <functional>
#include <map>
#include <span>

#include "hector/check.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::Expression;
using Leaf = std::function<Regular::Node(const Expression::Symbol&)>;

namespace {

Regular::Node translate(const Expression& expression, Regular& language, const Leaf& leaf) {
  const auto list = [&](const Expression::List& parts) {
    std::vector<Regular::Node> nodes;
    for (const auto& part : parts.of()) nodes.push_back(translate(part, language, leaf));
    return nodes;
  };
  switch (expression.form_case()) {
    case Expression::kSymbol:
      return leaf(expression.symbol());
    case Expression::kSequence: {
      auto nodes = list(expression.sequence());
      Regular::Node tail = Regular::kEmpty;
      for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
        tail = language.sequence(*node, tail);
      return tail;
    }
    case Expression::kInterleaving:
      return language.interleave(list(expression.interleaving()));
    case Expression::kChoice:
      return language.choice(list(expression.choice()));
    case Expression::kRepeat:
      return language.repeat(translate(expression.repeat().of(), language, leaf),
                             expression.repeat().min(), expression.repeat().max());
    case Expression::kBefore:
      return translate(expression.before().of(), language, leaf);
    case Expression::kChosen:
      return translate(expression.chosen().of(), language, leaf);
    case Expression::kEnd:
    case Expression::FORM_NOT_SET:
      return Regular::kEmpty;
  }
  return Regular::kEmpty;
}

Regular::Node with_member_mark(Expression::Member mark, Regular::Node once, Regular& language) {
  switch (mark) {
    case Expression::MEMBER_OPTIONAL:
      return language.optional(once);
    case Expression::MEMBER_ANY:
      return language.star(once);
    case Expression::MEMBER_SOME:
      return language.repeat(once, 1, -1);
    default:
      return once;
  }
}

class Projection {
 public:
  Projection(const Binding& binding, const View& view, Regular& language)
      : binding_(binding), view_(view), language_(language) {}

  Regular::Node run() { return binding_.has_protocol() ? part(binding_.protocol()) : any_order(); }
  Regular::Node part(const Expression& expression) {
    return translate(expression, language_,
                     [this](const Expression::Symbol& symbol) { return leaf(symbol); });
  }

 private:
  Regular::Node any_order() {
    std::vector<Regular::Node> all;
    for (int i = 0; i < binding_.interactions_size(); ++i) {
      Expression::Symbol symbol;
      symbol.set_name(binding_.interactions(i).name());
      const Regular::Node node = leaf(symbol);
      if (node != Regular::kEmpty) all.push_back(node);
    }
    return language_.star(language_.choice(std::move(all)));
  }

  /// What this party sees of interaction x from member f to member t.
  Regular::Node seen(int interaction, std::uint32_t from_role, std::uint32_t f,
                     std::uint32_t to_role, std::uint32_t t, bool is_multicast) {
    const auto x = static_cast<std::uint32_t>(interaction);
    if (view_.role == kAllRoles) {
      HECTOR_CHECK(x < kGlobalInteractionsMax && f < kGlobalMembersMax && t < kGlobalMembersMax,
                   "more interactions or members than a global symbol can tell apart");
      return language_.symbol(global_symbol(x, f, is_multicast ? 0 : t));
    }
    if (view_.role == from_role && view_.member == f)
      return language_.symbol(view_symbol(x, is_multicast ? 0 : t));
    if (view_.role == to_role && (is_multicast || view_.member == t))
      return language_.symbol(view_symbol(x, f));
    return Regular::kEmpty;
  }

  Regular::Node leaf(const Expression::Symbol& symbol) {
    const int x = interaction_position(binding_, symbol.name());
    HECTOR_CHECK(x >= 0, "the protocol names an unknown interaction");
    const auto& interaction = binding_.interactions(x);
    const auto from = static_cast<std::uint32_t>(role_position(binding_, interaction.from()));
    const auto to = static_cast<std::uint32_t>(role_position(binding_, interaction.to()));
    HECTOR_CHECK(from != to, "an interaction goes to its own role, or to none that there is");
    const bool is_multicast = interaction.kind() == hector::type::v1::KIND_MULTICAST;
    const auto senders = view_.present(from);
    auto receivers = view_.present(to);
    if (is_multicast && receivers.size() > 1) receivers.resize(1);
    if (senders.empty() || receivers.empty()) return Regular::kEmpty;
    const bool each_sender = symbol.role() == interaction.from();
    const bool each_receiver = symbol.role() == interaction.to();
    // Without a mark: one choice among all pairs. With one: such a choice for each marked member.
    using Members = std::span<const std::uint32_t>;
    const auto choice = [&](Members from_members, Members to_members) {
      std::vector<Regular::Node> options;
      options.reserve(from_members.size() * to_members.size());
      for (const std::uint32_t f : from_members) {
        for (const std::uint32_t t : to_members)
          options.push_back(seen(x, from, f, to, t, is_multicast));
      }
      return with_member_mark(symbol.member(), language_.choice(std::move(options)), language_);
    };
    if (!each_sender && !each_receiver) return choice(senders, receivers);
    const auto& marked = each_sender ? senders : receivers;
    std::vector<Regular::Node> each;
    each.reserve(marked.size());
    for (const std::uint32_t& member : marked) {
      const Members one(&member, 1);
      each.push_back(each_sender ? choice(one, receivers) : choice(senders, one));
    }
    return language_.interleave(std::move(each));
  }

  const Binding& binding_;
  const View& view_;
  Regular& language_;
};

}  // namespace

bool View::is_absent(std::uint32_t of_role, std::uint32_t number) const {
  return of_role < absent.size() &&
         std::find(absent[of_role].begin(), absent[of_role].end(), number) != absent[of_role].end();
}

std::vector<std::uint32_t> View::present(std::uint32_t of_role) const {
  HECTOR_CHECK(of_role < members.size(), "a view of fewer roles than the Binding type has");
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t m = 0; m < members[of_role]; ++m) {
    if (!is_absent(of_role, m)) numbers.push_back(m);
  }
  return numbers;
}

int role_position(const Binding& binding, std::string_view name) {
  for (int i = 0; i < binding.roles_size(); ++i) {
    if (binding.roles(i).name() == name) return i;
  }
  return -1;
}

int interaction_position(const Binding& binding, std::string_view name) {
  for (int i = 0; i < binding.interactions_size(); ++i) {
    if (binding.interactions(i).name() == name) return i;
  }
  return -1;
}

Regular::Node choreography(const Binding& binding, const std::vector<std::uint32_t>& members,
                           Regular& language) {
  return choreography(binding, View{kAllRoles, 0, members, {}}, language);
}

Regular::Node choreography(const Binding& binding, View view, Regular& language) {
  view.role = kAllRoles;
  return Projection(binding, view, language).run();
}

Regular::Node phase(const Binding& binding, const Expression& expression,
                    const std::vector<std::uint32_t>& members, Regular& language) {
  const View view{kAllRoles, 0, members, {}};
  return Projection(binding, view, language).part(expression);
}

Regular::Node project(const Binding& binding, const View& view, Regular& language) {
  HECTOR_CHECK(view.members.size() == static_cast<std::size_t>(binding.roles_size()),
               "a view of another number of roles than the Binding type has");
  return Projection(binding, view, language).run();
}

Result<Automaton> interface_automaton(const hector::type::v1::Interface& model) {
  Regular language;
  std::string unknown;
  const auto leaf = [&](const Expression::Symbol& symbol) -> Regular::Node {
    Symbol number = 0;
    for (const auto* list : {&model.operations(), &model.initiates()}) {
      for (const auto& operation : *list) {
        if (operation.name() == symbol.name()) return language.symbol(number);
        ++number;
      }
    }
    unknown = symbol.name();
    return Regular::kEmpty;
  };
  const Regular::Node start = translate(model.protocol(), language, leaf);
  if (!unknown.empty()) {
    return fail(Code::kInvalidArgument,
                model.name() + ": the protocol names an unknown operation '" + unknown + "'");
  }
  return build_automaton(language, start);
}

bool is_traded_again(const hector::type::v1::Role& role, std::string_view when) {
  return std::find(role.retrade().begin(), role.retrade().end(), when) != role.retrade().end();
}

bool is_many(const hector::type::v1::Role& role) {
  return role.members_max() < 0 || role.members_max() > 1;
}

std::vector<std::uint32_t> checked_members(const Binding& binding, std::uint32_t wanted) {
  std::vector<std::uint32_t> members;
  for (const auto& role : binding.roles()) {
    const std::uint32_t max =
        role.members_max() < 0 ? UINT32_MAX : static_cast<std::uint32_t>(role.members_max());
    members.push_back(is_many(role) ? std::clamp(wanted, std::max(role.members_min(), 1U), max)
                                    : 1);
  }
  return members;
}

Result<RoleOrder> role_order(const Binding& binding, std::uint32_t role) {
  constexpr std::uint32_t kMembersForChecking = 3;  // types.md 4
  return role_order(binding, role, checked_members(binding, kMembersForChecking));
}

namespace {

/// The position of an operation among the order's symbols, added where it is new.
Symbol number_of(RoleOrder& order, const std::string& operation, bool is_output) {
  for (Symbol s = 0; s < order.operations.size(); ++s) {
    if (order.operations[s] == operation && order.is_output[s] == is_output) return s;
  }
  order.operations.push_back(operation);
  order.is_output.push_back(is_output);
  return static_cast<Symbol>(order.operations.size() - 1);
}

/// The order's operations, received ones first.
RoleOrder operations_of(const Binding& binding, const std::string& role) {
  RoleOrder order;
  for (const bool outputs : {false, true}) {
    for (const auto& interaction : binding.interactions()) {
      if ((outputs ? interaction.from() : interaction.to()) == role)
        number_of(order, interaction.operation(), outputs);
    }
  }
  return order;
}

/// The automaton with its symbols replaced: `renaming` by column, symbols 0 … symbols - 1.
/// Renaming makes it nondeterministic; the subset construction makes it deterministic again.
Result<Automaton> renamed(const Automaton& automaton, const std::vector<Symbol>& renaming,
                          std::size_t symbols) {
  HECTOR_CHECK(renaming.size() == automaton.symbols.size(), "a symbol has no new name");
  using States = std::vector<Automaton::State>;
  std::map<States, Automaton::State> numbers{{{automaton.start}, 0}};
  std::vector<States> sets{{automaton.start}};
  Automaton result;
  for (Symbol s = 0; s < symbols; ++s) result.symbols.push_back(s);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets.size() > kAutomatonStatesMax) {
      return fail(Error::resource_exhausted("the Role's order has more than " +
                                            std::to_string(kAutomatonStatesMax) + " states"));
    }
    std::vector<States> successors(symbols);
    bool may_end = false;
    for (const auto state : sets[i]) {
      may_end = may_end || automaton.accepting[state];
      for (std::size_t c = 0; c < automaton.symbols.size(); ++c) {
        const auto next = automaton.next[state][c];
        if (next != Automaton::kNone) successors[renaming[c]].push_back(next);
      }
    }
    auto& row = result.next.emplace_back(symbols, Automaton::kNone);
    for (Symbol s = 0; s < symbols; ++s) {
      auto& successor = successors[s];
      if (successor.empty()) continue;
      std::sort(successor.begin(), successor.end());
      successor.erase(std::unique(successor.begin(), successor.end()), successor.end());
      const auto fresh = static_cast<Automaton::State>(sets.size());
      const auto [found, is_new] = numbers.emplace(successor, fresh);
      if (is_new) sets.push_back(successor);
      row[s] = found->second;
    }
    result.accepting.push_back(may_end);
  }
  return minimise(result);
}

}  // namespace

Result<RoleOrder> role_order(const Binding& binding, std::uint32_t role,
                             const std::vector<std::uint32_t>& members) {
  HECTOR_CHECK(role < static_cast<std::uint32_t>(binding.roles_size()), "a role of another type");
  Regular language;
  const Regular::Node seen = project(binding, {role, 0, members, {}}, language);
  const auto local = HECTOR_TRY(build_automaton(language, seen));
  const std::string& name = binding.roles(static_cast<int>(role)).name();
  RoleOrder order = operations_of(binding, name);
  const std::size_t operations = order.operations.size();
  std::vector<Symbol> renaming;
  for (const Symbol symbol : local.symbols) {
    const auto& interaction = binding.interactions(static_cast<int>(symbol_interaction(symbol)));
    renaming.push_back(number_of(order, interaction.operation(), interaction.from() == name));
  }
  HECTOR_CHECK(order.operations.size() == operations, "a role sees an interaction that is not its");
  order.automaton = HECTOR_TRY(renamed(local, renaming, operations));
  return order;
}

}  // namespace hector::types
