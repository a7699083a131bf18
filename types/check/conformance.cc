#include "types/check/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "hector/check.h"
#include "types/check/contract.h"
#include "types/check/signature.h"

namespace hector::types {

namespace {

/// Walks both automata together, from their starts along what both allow (types.md 4), and looks at
/// each pair of states that is met.
class OrderCheck {
 public:
  OrderCheck(const Automaton& offered, const RoleOrder& order, std::vector<Finding>& findings)
      : offered_(offered), role_(order.automaton), order_(order), findings_(findings) {
    check_order_is_whole();
    for (Symbol s = 0; s < order.operations.size(); ++s) offered_symbols_.push_back(s);
  }
  OrderCheck(const CompiledInterface& offered, const RoleOrder& order,
             std::vector<Finding>& findings)
      : offered_(*offered.automaton()), role_(order.automaton), order_(order), findings_(findings) {
    check_order_is_whole();
    const auto inputs = static_cast<Symbol>(offered.operations().size());
    for (std::size_t s = 0; s < order.operations.size(); ++s) {
      const auto* found = find_in(order.is_output[s] ? offered.initiates() : offered.operations(),
                                  order.operations[s]);
      offered_symbols_.push_back(
          found == nullptr ? kNoSymbol : (order.is_output[s] ? inputs : 0U) + found->index);
    }
    for (const auto& output : offered.initiates()) {
      const Symbol symbol = inputs + output.index;
      if (std::find(offered_symbols_.begin(), offered_symbols_.end(), symbol) ==
          offered_symbols_.end())
        foreign_outputs_.emplace_back(output.name, symbol);
    }
  }

  void run() {
    const std::pair start{role_.start, offered_.start};
    std::deque<std::pair<State, State>> pending{start};
    traces_[start] = {};
    while (!pending.empty()) {
      const auto at = pending.front();
      pending.pop_front();
      const auto trace = traces_[at];
      check(at.first, at.second, trace);
      for (Symbol s = 0; s < order_.operations.size(); ++s) {
        const State r = role_.step(at.first, s);
        const State i = step_offered(at.second, s);
        if (r == Automaton::kNone || i == Automaton::kNone || traces_.contains({r, i})) continue;
        auto longer = trace;
        longer.push_back(order_.operations[s]);
        traces_[{r, i}] = std::move(longer);
        pending.emplace_back(r, i);
      }
    }
  }

 private:
  using State = Automaton::State;
  // No operation has this number.
  static constexpr Symbol kNoSymbol = UINT32_MAX;

  void check_order_is_whole() const {
    HECTOR_CHECK(order_.operations.size() == order_.is_output.size(),
                 "an order without a direction for each operation");
    for (const Symbol symbol : role_.symbols)
      HECTOR_CHECK(symbol < order_.operations.size(),
                   "an order's symbol is none of its operations");
  }
  State step_offered(State state, Symbol symbol) const {
    const Symbol own = offered_symbols_[symbol];
    return own == kNoSymbol ? Automaton::kNone : offered_.step(state, own);
  }
  void add(const char* rule, std::string text, std::vector<std::string> trace) {
    if (!seen_.insert(std::string(rule) + text).second) return;
    findings_.push_back({rule, std::move(text), std::move(trace)});
  }

  /// What may come next in a pair of states.
  struct Next {
    bool role_inputs = false, role_outputs = false, offered_outputs = false;
  };

  void check(State role, State offered, const std::vector<std::string>& trace) {
    Next next;
    for (Symbol s = 0; s < order_.operations.size(); ++s)
      check_symbol(s, role_.step(role, s) != Automaton::kNone,
                   step_offered(offered, s) != Automaton::kNone, trace, next);
    for (const auto& [name, symbol] : foreign_outputs_) {
      if (offered_.step(offered, symbol) == Automaton::kNone) continue;
      next.offered_outputs = true;
      add("R2", fmt::format("the Interface may start '{}', which the Role does not know", name),
          with(trace, name));
    }
    check_end(next, role_.accepting[role], offered_.accepting[offered], trace);
  }

  /// R1 and R2: what is allowed on one side only.
  void check_symbol(Symbol s, bool in_role, bool in_offered, const std::vector<std::string>& trace,
                    Next& next) {
    const std::string& operation = order_.operations[s];
    if (!order_.is_output[s]) {
      next.role_inputs |= in_role;
      if (in_role && !in_offered)
        add("R1",
            fmt::format("the Role may be sent '{}' where the Interface does not accept it",
                        operation),
            with(trace, operation));
      return;
    }
    next.role_outputs |= in_role;
    next.offered_outputs |= in_offered;
    if (in_offered && !in_role)
      add("R2", fmt::format("the Interface may start '{}' where the Role forbids it", operation),
          with(trace, operation));
  }

  /// R3 to R5: which side may end, and which must continue.
  void check_end(const Next& next, bool role_ends, bool offered_ends,
                 const std::vector<std::string>& trace) {
    if (role_ends && !next.role_inputs && !next.role_outputs && !offered_ends) {
      add("R3", "the Role is over here, but the Interface is not", trace);
    } else if (role_ends && !next.role_inputs && next.role_outputs && !offered_ends &&
               !next.offered_outputs) {
      add("R3", "the Role may end or continue by itself here, the Interface does neither", trace);
    }
    if (role_ends && next.role_inputs && !offered_ends)
      add("R4", "the partner may stop here, but the Interface waits for more", trace);
    if (!role_ends && next.role_outputs && (!next.offered_outputs || offered_ends)) {
      add("R5",
          offered_ends ? "the Role must continue here, but the Interface may end"
                       : "the Role must start something here, but the Interface starts nothing",
          trace);
    }
  }

  static std::vector<std::string> with(std::vector<std::string> trace, const std::string& step) {
    trace.push_back(step);
    return trace;
  }

  const Automaton& offered_;
  const Automaton& role_;
  const RoleOrder& order_;
  std::vector<Symbol> offered_symbols_;  ///< by the order's symbol; kNoSymbol: it has none
  /// What the Interface may start and the Role does not know.
  std::vector<std::pair<std::string, Symbol>> foreign_outputs_;
  std::vector<Finding>& findings_;
  std::map<std::pair<State, State>, std::vector<std::string>> traces_;  ///< to each pair, shortest
  std::set<std::string> seen_;
};

/// By rule; of one rule in the order in which they were met, so the shortest trace comes first.
std::vector<Finding> by_rule(std::vector<Finding> findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.rule < b.rule; });
  return findings;
}

/// Signatures and order; what it promises besides is the caller's matter.
Conformance check_behaviour(const CompiledInterface& offered, const RoleOrder& order,
                            const CompiledInterface& required) {
  Conformance conformance;
  check_signatures(offered, order, required, conformance.findings);
  conformance.order_compared = offered.automaton().has_value();
  if (!conformance.order_compared) return conformance;
  std::vector<Finding> found;
  OrderCheck(offered, order, found).run();
  for (auto& finding : by_rule(std::move(found)))
    conformance.findings.push_back(std::move(finding));
  return conformance;
}

/// An Interface's own order as one that another has to play.
RoleOrder order_of(const CompiledInterface& interface) {
  RoleOrder order;
  for (const auto* list : {&interface.operations(), &interface.initiates()}) {
    for (const auto& operation : *list) {
      order.operations.push_back(operation.name);
      order.is_output.push_back(list == &interface.initiates());
    }
  }
  if (interface.automaton()) {
    order.automaton = *interface.automaton();
    return order;
  }
  // Any order: one state that everything leads back to.
  for (Symbol s = 0; s < order.operations.size(); ++s) order.automaton.symbols.push_back(s);
  order.automaton.next = {std::vector<Automaton::State>(order.operations.size(), 0)};
  order.automaton.accepting = {true};
  return order;
}

}  // namespace

std::vector<Finding> check_order(const Automaton& offered, const RoleOrder& order) {
  std::vector<Finding> found;
  OrderCheck(offered, order, found).run();
  return by_rule(std::move(found));
}

Result<Conformance> check_role(const CompiledInterface& offered,
                               const hector::type::v1::Binding& binding, std::uint32_t role,
                               const CompiledInterface& required) {
  const auto order = HECTOR_TRY(role_order(binding, role));
  Conformance conformance = check_behaviour(offered, order, required);
  check_contract(offered, binding, role, required, conformance.findings);
  return conformance;
}

Conformance check_replacement(const CompiledInterface& newer, const CompiledInterface& older) {
  Conformance conformance = check_behaviour(newer, order_of(older), older);
  check_contract(newer, older, conformance.findings);
  return conformance;
}

Error incompatible(const std::string& what, const Conformance& conformance) {
  Error error = Error::failed_precondition(what).with_type(kIncompatible);
  for (const auto& finding : conformance.findings) {
    std::string text = finding.rule + ": " + finding.text;
    if (finding.rule.starts_with('R'))
      text += fmt::format(" (trace: {})", finding.trace.empty()
                                              ? "at the start"
                                              : fmt::format("{}", fmt::join(finding.trace, " ; ")));
    error.reasons.push_back(std::move(text));
  }
  return error;
}

}  // namespace hector::types
