#include "types/check/binding_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/text/nearest.h"
#include "types/check/conformance.h"
#include "types/order/expression.h"
#include "types/order/projection.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::Expression;
using hector::type::v1::Interaction;

namespace {

constexpr std::uint32_t kSizesTried =
    3;  // a fourth member never changed a verdict in the trials behind types.md

const hector::type::v1::Role& role_named(const Binding& binding, const std::string& name) {
  return binding.roles(role_position(binding, name));
}

std::string then(const std::vector<std::string>& trace) {
  return trace.empty() ? "at the start" : fmt::format("after {}", fmt::join(trace, " ; "));
}

/// How often each interaction stands in an expression.
std::map<std::string, int> occurrences(const Expression& expression) {
  std::map<std::string, int> count;
  each_part(expression, [&](const Expression& part) {
    if (part.has_symbol()) ++count[part.symbol().name()];
  });
  return count;
}

// --- names, C4, C0
// ----------------------------------------------------------------------------------------------

std::optional<BindingFault> check_symbol(const Binding& binding, const Expression::Symbol& symbol) {
  if (symbol.role().empty()) return std::nullopt;
  const auto& x = binding.interactions(interaction_position(binding, symbol.name()));
  const auto fault = [&](std::string text) {
    return BindingFault{"names", std::move(text), {symbol.name()}, {symbol.role()}};
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

std::optional<BindingFault> check_operations(const Binding& binding, const InterfaceLookup& known) {
  for (const auto& x : binding.interactions()) {
    const CompiledInterface* interface =
        known ? known(role_named(binding, x.to()).interface_id()) : nullptr;
    if (interface == nullptr) continue;
    const auto fault = [&](std::string text) {
      return BindingFault{"names", std::move(text), {x.name()}, {x.to()}};
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

std::optional<BindingFault> check_names(const Binding& binding, const InterfaceLookup& known) {
  if (auto fault = check_operations(binding, known)) return fault;
  std::optional<BindingFault> found;
  if (binding.has_protocol()) {
    each_part(binding.protocol(), [&](const Expression& part) {
      if (!found && part.has_symbol()) found = check_symbol(binding, part.symbol());
    });
  }
  return found;
}

/// The single role that all interactions of a phase share at one end; empty if there is none, or it
/// is many.
std::string single_end(const Binding& binding, const std::map<std::string, int>& phase,
                       const std::string& (Interaction::*end)() const) {
  std::set<std::string> roles;
  for (const auto& [name, count] : phase)
    roles.insert((binding.interactions(interaction_position(binding, name)).*end)());
  return roles.size() == 1 && !is_many(role_named(binding, *roles.begin())) ? *roles.begin() : "";
}

/// A timed phase that may be empty, with how often each of its interactions stands in it.
struct OptionalPhase {
  std::map<std::string, int> interactions;
  std::uint64_t time_ms;
};
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

std::optional<BindingFault> check_c4(const Binding& binding) {
  const auto everywhere = occurrences(binding.protocol());
  for (const auto& phase : optional_phases(binding)) {
    for (const auto& [name, count] : phase.interactions) {
      if (everywhere.at(name) == count) continue;
      const auto& x = binding.interactions(interaction_position(binding, name));
      return BindingFault{
          "C4",
          fmt::format("'{}' belongs to a timed phase that may be empty, and occurs outside it too: "
                      "once the time is over nobody could tell which one is meant",
                      name),
          {name},
          {x.from(), x.to()}};
    }
    if (phase.interactions.empty() ||
        !single_end(binding, phase.interactions, &Interaction::to).empty() ||
        !single_end(binding, phase.interactions, &Interaction::from).empty())
      continue;
    BindingFault fault{"C4"};
    std::set<std::string> ends;
    for (const auto& [name, count] : phase.interactions) {
      fault.trace.push_back(name);
      ends.insert(binding.interactions(interaction_position(binding, name)).to());
    }
    fault.who.assign(ends.begin(), ends.end());
    fault.text = fmt::format(
        "the timed phase of {} may be empty, and nobody alone can say that its time is up: neither "
        "one receiver nor one initiator",
        fmt::join(fault.trace, ", "));
    return fault;
  }
  return std::nullopt;
}

std::optional<BindingFault> check_c0(const Binding& binding) {
  std::optional<BindingFault> found;
  Regular language;
  const auto members = checked_members(binding, 1);
  each_part(binding.protocol(), [&](const Expression& part) {
    if (found || !part.has_chosen()) return;
    for (const Symbol first :
         language.first(phase(binding, part.chosen().of(), members, language))) {
      const auto& x = binding.interactions(static_cast<int>(global_interaction(first)));
      if (x.from() == part.chosen().role()) continue;
      found =
          BindingFault{"C0",
                       fmt::format("@{}( … ): '{}' can come first, and {} starts it, not {}",
                                   part.chosen().role(), x.name(), x.from(), part.chosen().role()),
                       {x.name()},
                       {x.from()}};
      return;
    }
  });
  return found;
}

// --- C1, C2, C3, C5 on G
// ----------------------------------------------------------------------------------------------

using Set = std::vector<std::int32_t>;  ///< states of G, ascending
using Bits = std::vector<bool>;

struct TooLarge {
  std::string what;
};

/// How a state was reached first: the state before and the column from there; the shortest way, as
/// states are met nearest first.
struct Step {
  std::int32_t before = -1, column = -1;
  std::size_t length = 0;
};
std::vector<std::int32_t> word_to(const std::vector<Step>& steps, std::int32_t state) {
  std::vector<std::int32_t> word;
  for (; steps[static_cast<std::size_t>(state)].before >= 0;
       state = steps[static_cast<std::size_t>(state)].before)
    word.push_back(steps[static_cast<std::size_t>(state)].column);
  std::reverse(word.begin(), word.end());
  return word;
}

/// What one party sees: its local states and what it may do in them.
struct Party {
  std::uint32_t role = 0, member = 0;
  std::vector<bool> takes_part;  ///< by column
  std::vector<bool> starts;      ///< by column
  std::vector<Set> states;
  std::vector<std::vector<std::int32_t>> next;  ///< [local state][column]
  std::vector<Step> steps;                      ///< to each local state
  [[nodiscard]] std::vector<std::int32_t> word(std::size_t state) const {
    return word_to(steps, static_cast<std::int32_t>(state));
  }
  std::vector<Bits> may_start;  ///< [state of G][column]: in some local state that contains it
  Bits may_end;                 ///< [state of G]: in some local state that contains it
};

class Check {
 public:
  Check(const Binding& binding, std::vector<std::uint32_t> members,
        const std::vector<bool>& refusable)
      : binding_(binding), members_(std::move(members)) {
    Regular language;
    auto built =
        build_automaton(language, choreography(binding_, members_, language), kCheckStatesMax);
    if (!built) throw TooLarge{built.error().message};
    g_ = std::move(*built);
    columns_ = g_.symbols.size();
    for (const Symbol symbol : g_.symbols)
      refusable_.push_back(refusable[global_interaction(symbol)]);
    shortest_words();
    for (std::uint32_t r = 0; r < members_.size(); ++r) {
      for (std::uint32_t m = 0; m < members_[r]; ++m) parties_.push_back(party(r, m));
    }
  }

  std::optional<BindingFault> run() {
    for (const auto rule : {&Check::c1, &Check::c2, &Check::c3, &Check::c5}) {
      best_.reset();
      (this->*rule)();
      if (best_) return best_;
    }
    return std::nullopt;
  }

 private:
  const Interaction& interaction(std::size_t column) const {
    return binding_.interactions(static_cast<int>(global_interaction(g_.symbols[column])));
  }
  std::int32_t next(std::int32_t state, std::size_t column) const {
    return state < 0 ? -1 : g_.next[static_cast<std::size_t>(state)][column];
  }
  bool ends(std::int32_t state) const { return g_.accepting[static_cast<std::size_t>(state)]; }
  std::uint32_t from_role(std::size_t column) const {
    return static_cast<std::uint32_t>(role_position(binding_, interaction(column).from()));
  }
  std::uint32_t to_role(std::size_t column) const {
    return static_cast<std::uint32_t>(role_position(binding_, interaction(column).to()));
  }
  bool is_start_of(std::size_t column, std::uint32_t role, std::uint32_t member) const {
    return from_role(column) == role && global_from(g_.symbols[column]) == member;
  }
  bool has_part(std::size_t column, std::uint32_t role, std::uint32_t member) const {
    if (is_start_of(column, role, member)) return true;
    const bool is_multicast = interaction(column).kind() == hector::type::v1::KIND_MULTICAST;
    return to_role(column) == role && (is_multicast || global_to(g_.symbols[column]) == member);
  }
  std::pair<std::uint32_t, std::uint32_t> initiator(std::size_t column) const {
    return {from_role(column), global_from(g_.symbols[column])};
  }
  const Party& initiating_party(std::size_t column) const {
    const auto who = initiator(column);
    return *std::find_if(parties_.begin(), parties_.end(), [&](const Party& p) {
      return std::pair{p.role, p.member} == who;
    });
  }

  /// Keeps the fault with the shortest trace; of equal ones the first.
  void report(const char* rule, std::string text, std::vector<std::int32_t> columns,
              std::vector<std::string> who) {
    if (best_ && best_->trace.size() <= columns.size()) return;
    std::stable_sort(who.begin(), who.end(), [&](const std::string& a, const std::string& b) {
      return role_position(binding_, a) < role_position(binding_, b);
    });
    BindingFault fault{rule, std::move(text), {}, std::move(who)};
    for (const auto column : columns)
      fault.trace.push_back(interaction(static_cast<std::size_t>(column)).name());
    best_ = std::move(fault);
  }
  std::vector<std::string> names(const std::vector<std::int32_t>& columns) const {
    std::vector<std::string> list;
    for (const auto column : columns)
      list.push_back(interaction(static_cast<std::size_t>(column)).name());
    return list;
  }

  void shortest_words() {
    steps_.assign(g_.next.size(), {});
    std::vector<bool> seen(g_.next.size(), false);
    std::deque<std::int32_t> todo{g_.start};
    seen[static_cast<std::size_t>(g_.start)] = true;
    while (!todo.empty()) {
      const std::int32_t at = todo.front();
      todo.pop_front();
      order_.push_back(at);
      for (std::size_t c = 0; c < columns_; ++c) {
        const std::int32_t to = next(at, c);
        if (to < 0 || seen[static_cast<std::size_t>(to)]) continue;
        seen[static_cast<std::size_t>(to)] = true;
        steps_[static_cast<std::size_t>(to)] = {at, static_cast<std::int32_t>(c),
                                                steps_[static_cast<std::size_t>(at)].length + 1};
        todo.push_back(to);
      }
    }
  }

  /// Everything reached by symbols the party takes no part in.
  Set closed(Set states, const Party& party) const {
    std::vector<bool> in(g_.next.size(), false);
    for (const auto s : states) in[static_cast<std::size_t>(s)] = true;
    for (std::size_t i = 0; i < states.size(); ++i) {
      for (std::size_t c = 0; c < columns_; ++c) {
        if (party.takes_part[c]) continue;
        const std::int32_t to = next(states[i], c);
        if (to < 0 || in[static_cast<std::size_t>(to)]) continue;
        in[static_cast<std::size_t>(to)] = true;
        states.push_back(to);
      }
    }
    std::sort(states.begin(), states.end());
    return states;
  }

  Party party(std::uint32_t role, std::uint32_t member) {
    Party p;
    p.role = role;
    p.member = member;
    for (std::size_t c = 0; c < columns_; ++c) {
      p.takes_part.push_back(has_part(c, role, member));
      p.starts.push_back(is_start_of(c, role, member));
    }
    p.may_start.assign(g_.next.size(), Bits(columns_, false));
    p.may_end.assign(g_.next.size(), false);
    std::map<Set, std::int32_t> numbers;
    const auto number = [&](Set states, Step step) {
      const auto [found, is_new] =
          numbers.emplace(std::move(states), static_cast<std::int32_t>(p.states.size()));
      if (is_new) {
        p.states.push_back(found->first);
        p.steps.push_back(step);
        local_octets_ += found->first.size();
        if (++local_states_ > kCheckLocalStatesMax || local_octets_ > 100 * kCheckLocalStatesMax)
          throw TooLarge{
              fmt::format("the parties' views have more than {} states", kCheckLocalStatesMax)};
      }
      return found->second;
    };
    number(closed({g_.start}, p), {});
    for (std::size_t i = 0; i < p.states.size(); ++i) {
      const Set states = p.states[i];
      std::vector<std::int32_t> row(columns_, -1);
      for (std::size_t c = 0; c < columns_; ++c) {
        if (!p.takes_part[c]) continue;
        Set reached;
        for (const auto s : states) {
          if (next(s, c) >= 0) reached.push_back(next(s, c));
        }
        if (reached.empty()) continue;
        std::sort(reached.begin(), reached.end());
        reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
        row[c] = number(
            closed(std::move(reached), p),
            {static_cast<std::int32_t>(i), static_cast<std::int32_t>(c), p.steps[i].length + 1});
      }
      p.next.push_back(std::move(row));
    }
    for (std::size_t i = 0; i < p.states.size(); ++i) {
      Bits startable(columns_, false);
      bool may_end = false;
      for (const auto s : p.states[i]) {
        may_end = may_end || ends(s);
        for (std::size_t c = 0; c < columns_; ++c) {
          if (p.starts[c] && next(s, c) >= 0) startable[c] = true;
        }
      }
      for (const auto s : p.states[i]) {
        const auto at = static_cast<std::size_t>(s);
        if (may_end) p.may_end[at] = true;
        for (std::size_t c = 0; c < columns_; ++c) {
          if (startable[c]) p.may_start[at][c] = true;
        }
      }
    }
    return p;
  }

  void c1() {
    for (const auto g : order_) {
      const std::size_t length = steps_[static_cast<std::size_t>(g)].length;
      if (best_ && best_->trace.size() <= length + 1) return;
      for (std::size_t x = 0; x < columns_; ++x) {
        if (next(g, x) < 0) continue;
        for (std::size_t y = 0; y < columns_; ++y) {
          if (y == x || next(g, y) < 0 || initiator(x) == initiator(y)) continue;
          const std::int32_t xy = next(next(g, x), y), yx = next(next(g, y), x);
          if (xy >= 0 && xy == yx) continue;
          if (may_be_refused(x, y) || may_be_refused(y, x)) continue;
          if (xy >= 0 && yx < 0) continue;  // told at (y, x): after y, x is refused
          const auto word = word_to(steps_, g);
          auto trace = word;
          trace.push_back(static_cast<std::int32_t>(x));
          const std::string a = interaction(x).from(), b = interaction(y).from();
          report("C1",
                 fmt::format("{} {} may start '{}' and {} may start '{}', each without knowing of "
                             "the other; after '{}', '{}' {}",
                             then(names(word)), a, interaction(x).name(), b, interaction(y).name(),
                             interaction(x).name(), interaction(y).name(),
                             xy < 0 ? "is not allowed any more"
                                    : "leads elsewhere than the other way round"),
                 trace, {a, b});
        }
      }
    }
  }
  /// x is refusable and y's initiator takes part in it, so he learns of it.
  bool may_be_refused(std::size_t x, std::size_t y) const {
    const auto who = initiator(y);
    return refusable_[x] && has_part(x, who.first, who.second);
  }

  /// By symbols the party takes no part in.
  bool reaches(std::int32_t from, std::size_t column, const Party& p) const {
    const Set all = closed({from}, p);
    return std::any_of(all.begin(), all.end(),
                       [&](std::int32_t s) { return next(s, column) >= 0; });
  }

  void c2() {
    for (const auto& p : parties_) {
      if (p.member != 0) continue;  // all members are alike
      for (std::size_t i = 0; i < p.states.size(); ++i) {
        for (std::size_t x = 0; x < columns_; ++x) {
          if (!p.starts[x] || p.next[i][x] < 0 || refusable_[x]) continue;
          for (const auto s : p.states[i]) {
            if (next(s, x) >= 0) continue;
            bool waits = !ends(s);
            for (std::size_t c = 0; c < columns_ && waits; ++c)
              waits = !p.takes_part[c] || next(s, c) < 0;
            if (waits && reaches(s, x, p)) continue;
            auto trace = p.word(i);
            trace.push_back(static_cast<std::int32_t>(x));
            const auto& role = binding_.roles(static_cast<int>(p.role)).name();
            report("C2",
                   fmt::format("{} {} may start '{}' without knowing whether the others took "
                               "another way, in which it is not allowed",
                               then(names(p.word(i))), role, interaction(x).name()),
                   trace, {role});
            break;
          }
        }
      }
    }
  }

  void c3() {
    for (const auto& p : parties_) {
      if (p.member != 0) continue;
      for (std::size_t i = 0; i < p.states.size(); ++i) {
        for (std::size_t u = 0; u < columns_; ++u) {
          if (p.next[i][u] < 0 || p.starts[u]) continue;
          for (std::size_t w = 0; w < columns_; ++w) {
            if (p.next[i][w] < 0 || p.starts[w] || initiator(u) == initiator(w)) continue;
            const std::int32_t uw = p.next[static_cast<std::size_t>(p.next[i][u])][w],
                               wu = p.next[static_cast<std::size_t>(p.next[i][w])][u];
            if (uw == wu || !overtakes(p, p.states[i], u, w)) continue;
            auto trace = p.word(i);
            trace.push_back(static_cast<std::int32_t>(w));
            const auto& role = binding_.roles(static_cast<int>(p.role)).name();
            report("C3",
                   fmt::format("{} {} may take '{}' from {} for that of another branch: it can be "
                               "sent early, or overtake '{}' from {}",
                               then(names(p.word(i))), role, interaction(w).name(),
                               interaction(w).from(), interaction(u).name(), interaction(u).from()),
                   trace, {role});
          }
        }
      }
    }
  }
  /// w's sender may start it where u came first, or before u.
  bool overtakes(const Party& p, const Set& states, std::size_t u, std::size_t w) const {
    const Party& sender = initiating_party(w);
    for (const auto g : states) {
      if (next(g, u) < 0) continue;
      Set after = closed({next(g, u)}, p);
      if (next(g, w) < 0) after.push_back(g);
      for (const auto h : after) {
        if (sender.may_start[static_cast<std::size_t>(h)][w]) return true;
      }
    }
    return false;
  }

  void c5() {
    for (const auto g : order_) {
      if (ends(g)) continue;
      std::set<std::string> waiting;
      bool goes_on = false;
      for (std::size_t c = 0; c < columns_ && !goes_on; ++c) {
        if (next(g, c) < 0) continue;
        waiting.insert(interaction(c).from());
        goes_on = !refusable_[c] && !initiating_party(c).may_end[static_cast<std::size_t>(g)];
      }
      if (goes_on) continue;
      const auto word = word_to(steps_, g);
      report("C5",
             fmt::format("{} everybody may wait for somebody else: {} may believe that all is over",
                         then(names(word)), fmt::join(waiting, " and ")),
             word, {waiting.begin(), waiting.end()});
    }
  }

  const Binding& binding_;
  const std::vector<std::uint32_t> members_;
  Automaton g_;
  std::size_t columns_ = 0;
  std::vector<bool> refusable_;
  std::vector<Step> steps_;          ///< to each state of G
  std::vector<std::int32_t> order_;  ///< states of G, nearest first
  std::vector<Party> parties_;
  std::size_t local_states_ = 0, local_octets_ = 0;
  std::optional<BindingFault> best_;
};

BindingFault too_large(std::string what) {
  return {"limits", fmt::format("too large to be decided: {}", what), {}, {}};
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

std::vector<TimedPhase> timed_phases(const Binding& binding) {
  std::vector<TimedPhase> phases;
  for (const auto& found : optional_phases(binding)) {
    if (found.interactions.empty()) continue;
    TimedPhase phase{
        {}, found.time_ms, single_end(binding, found.interactions, &Interaction::to), true};
    if (phase.counting_role.empty())
      phase = {
          {}, found.time_ms, single_end(binding, found.interactions, &Interaction::from), false};
    for (const auto& [name, count] : found.interactions)
      phase.interactions.push_back(static_cast<std::uint32_t>(interaction_position(binding, name)));
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
    MandatoryPhase found;
    found.time_ms = part.before().time_ms();
    for (const auto& [name, count] : inside)
      found.interactions.push_back(static_cast<std::uint32_t>(interaction_position(binding, name)));
    for (const Symbol symbol : language.first(within))
      found.first.push_back(global_interaction(symbol));
    phases.push_back(std::move(found));
  });
  return phases;
}

std::vector<bool> refusable_interactions(const Binding& binding) {
  std::vector<bool> refusable(static_cast<std::size_t>(binding.interactions_size()), false);
  for (const auto& phase : timed_phases(binding)) {
    for (const auto interaction : phase.interactions)
      refusable[interaction] = refusable[interaction] || phase.is_refusable;
  }
  return refusable;
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

std::optional<BindingFault> check_binding(const Binding& binding, const InterfaceLookup& known) {
  if (auto fault = check_names(binding, known)) return fault;
  if (!binding.has_protocol()) return std::nullopt;  // every order: nothing can go wrong with one
  if (static_cast<std::uint32_t>(binding.interactions_size()) > kGlobalInteractionsMax)
    return too_large(fmt::format("more than {} interactions", kGlobalInteractionsMax));
  const auto sizes = checked_sizes(binding);
  for (const auto members : sizes.back()) {
    if (members > kGlobalMembersMax)
      return too_large(fmt::format("a role with at least {} members; {} are looked into", members,
                                   kGlobalMembersMax));
  }
  if (auto fault = check_c4(binding)) return fault;
  if (auto fault = check_c0(binding)) return fault;
  const auto refusable = refusable_interactions(binding);
  try {
    for (const auto& members : sizes) {
      if (auto fault = Check(binding, members, refusable).run()) return fault;
    }
  } catch (const TooLarge& what) {
    return too_large(what.what);
  }
  return std::nullopt;
}

Error cannot_work(const std::string& id, const BindingFault& fault) {
  Error error{Code::kFailedPrecondition,
              fmt::format("{} cannot work", id),
              std::string(kIncompatible),
              {},
              {}};
  error.reasons.push_back(fmt::format(
      "{}: {}{}", fault.rule, fault.text,
      fault.trace.empty() ? "" : fmt::format(" (trace: {})", fmt::join(fault.trace, " ; "))));
  return error;
}

}  // namespace hector::types
