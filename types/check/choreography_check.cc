#include "types/check/choreography_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "hector/check.h"
#include "types/order/projection.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::Interaction;

namespace {

using State = Automaton::State;
using Word = std::vector<std::uint32_t>;  ///< columns of G
using Set = std::vector<State>;           ///< states of G, ascending
using Bits = std::vector<bool>;
constexpr State kNone = Automaton::kNone;

/// How a state was reached first: the state before and the column from there. States are met
/// nearest first, so the steps back to the start are a shortest word.
struct Step {
  State before = kNone;
  std::uint32_t column = kNone;
  std::size_t length = 0;
};
Word word_to(const std::vector<Step>& steps, State state) {
  Word word;
  for (; steps[state].before != kNone; state = steps[state].before) {
    HECTOR_CHECK(steps[state].length == steps[steps[state].before].length + 1,
                 "the steps to a state are not counted");
    word.push_back(steps[state].column);
  }
  std::reverse(word.begin(), word.end());
  return word;
}

/// What one party sees: its local states and what it may do in them.
struct Party {
  std::uint32_t role = 0, member = 0;
  Bits takes_part;  ///< by column
  Bits starts;      ///< by column
  std::vector<Set> states;
  std::vector<std::vector<State>> next;  ///< [local state][column]
  std::vector<Step> steps;               ///< to each local state
  [[nodiscard]] Word word(State state) const { return word_to(steps, state); }
  std::vector<Bits> may_start;  ///< [state of G][column]: in some local state that contains it
  Bits may_end;                 ///< [state of G]: in some local state that contains it
};

class ChoreographyCheck {
 public:
  ChoreographyCheck(const Binding& binding, std::vector<std::uint32_t> members,
                    const std::vector<bool>& refusable)
      : binding_(binding), members_(std::move(members)) {
    HECTOR_CHECK(refusable.size() == static_cast<std::size_t>(binding_.interactions_size()),
                 "an interaction of which it is not known whether it may be refused");
    HECTOR_CHECK(members_.size() == static_cast<std::size_t>(binding_.roles_size()),
                 "a role without a number of members");
    Regular language;
    auto built =
        build_automaton(language, choreography(binding_, members_, language), kCheckStatesMax);
    if (!built) throw TooLargeToCheck{built.error().message};
    g_ = std::move(*built);
    columns_ = g_.symbols.size();
    for (const Symbol symbol : g_.symbols)
      refusable_.push_back(refusable[global_interaction(symbol)]);
    shortest_words();
    for (std::uint32_t r = 0; r < members_.size(); ++r) {
      for (std::uint32_t m = 0; m < members_[r]; ++m) parties_.push_back(party(r, m));
    }
  }

  std::optional<Finding> run() {
    for (const auto rule : {&ChoreographyCheck::c1, &ChoreographyCheck::c2, &ChoreographyCheck::c3,
                            &ChoreographyCheck::c5}) {
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
  State next(State state, std::size_t column) const {
    return state == kNone ? kNone : g_.next[state][column];
  }
  bool allows(State state, std::size_t column) const { return next(state, column) != kNone; }
  bool ends(State state) const { return g_.accepting[state]; }
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
    const auto initiating = initiator(column);
    const auto found = std::find_if(parties_.begin(), parties_.end(), [&](const Party& p) {
      return std::pair{p.role, p.member} == initiating;
    });
    HECTOR_CHECK(found != parties_.end(), "an interaction that no party starts");
    return *found;
  }

  /// Keeps the finding with the shortest trace; of equal ones the first.
  void report(const char* rule, std::string text, const Word& word,
              std::vector<std::string> roles) {
    if (best_ && best_->trace.size() <= word.size()) return;
    std::stable_sort(roles.begin(), roles.end(), [&](const std::string& a, const std::string& b) {
      return role_position(binding_, a) < role_position(binding_, b);
    });
    best_ = Finding{rule, std::move(text), names(word), std::move(roles)};
  }
  std::vector<std::string> names(const Word& word) const {
    std::vector<std::string> list;
    for (const auto column : word) list.push_back(interaction(column).name());
    return list;
  }
  /// "at the start", or "after a ; b".
  std::string after(const Word& word) const {
    return word.empty() ? "at the start" : fmt::format("after {}", fmt::join(names(word), " ; "));
  }
  static Word with(Word word, std::size_t column) {
    word.push_back(static_cast<std::uint32_t>(column));
    return word;
  }
  const std::string& role_name(const Party& p) const {
    return binding_.roles(static_cast<int>(p.role)).name();
  }

  void shortest_words() {
    steps_.assign(g_.next.size(), {});
    Bits seen(g_.size(), false);
    order_ = {g_.start};
    seen[g_.start] = true;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const State at = order_[i];
      for (std::uint32_t c = 0; c < columns_; ++c) {
        const State to = next(at, c);
        if (to == kNone || seen[to]) continue;
        seen[to] = true;
        steps_[to] = {at, c, steps_[at].length + 1};
        order_.push_back(to);
      }
    }
    HECTOR_CHECK(order_.size() == g_.size(), "the automaton has states that nothing leads to");
  }

  /// Everything reached by symbols the party takes no part in.
  Set closed(Set states, const Party& party) const {
    Bits in(g_.size(), false);
    for (const auto s : states) in[s] = true;
    for (std::size_t i = 0; i < states.size(); ++i) {
      for (std::size_t c = 0; c < columns_; ++c) {
        if (party.takes_part[c]) continue;
        const State to = next(states[i], c);
        if (to == kNone || in[to]) continue;
        in[to] = true;
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
    find_local_states(p);
    find_beliefs(p);
    return p;
  }

  /// The subset construction over what the party does not see.
  void find_local_states(Party& p) {
    std::map<Set, State> numbers;
    const auto number = [&](Set states, Step step) {
      const auto fresh = static_cast<State>(p.states.size());
      const auto [found, is_new] = numbers.emplace(std::move(states), fresh);
      if (is_new) {
        p.states.push_back(found->first);
        p.steps.push_back(step);
        bound_local_states(found->first.size());
      }
      return found->second;
    };
    number(closed({g_.start}, p), {});
    for (State i = 0; i < p.states.size(); ++i) {
      const Set states = p.states[i];
      std::vector<State> row(columns_, kNone);
      for (std::uint32_t c = 0; c < columns_; ++c) {
        if (!p.takes_part[c]) continue;
        Set reached = after_column(states, c);
        if (reached.empty()) continue;
        row[c] = number(closed(std::move(reached), p), {i, c, p.steps[i].length + 1});
      }
      p.next.push_back(std::move(row));
    }
    HECTOR_CHECK(p.next.size() == p.states.size() && p.steps.size() == p.states.size(),
                 "a local state without its row or its step");
  }
  Set after_column(const Set& states, std::size_t column) const {
    Set reached;
    for (const auto s : states) {
      if (allows(s, column)) reached.push_back(next(s, column));
    }
    std::sort(reached.begin(), reached.end());
    reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
    return reached;
  }
  void bound_local_states(std::size_t octets) {
    local_octets_ += octets;
    if (++local_states_ > kCheckLocalStatesMax || local_octets_ > 100 * kCheckLocalStatesMax)
      throw TooLargeToCheck{
          fmt::format("the parties' views have more than {} states", kCheckLocalStatesMax)};
  }

  /// What the party may start, and whether it may consider the protocol finished, in each state of
  /// G: it cannot tell apart the states of G within one local state.
  void find_beliefs(Party& p) const {
    p.may_start.assign(g_.size(), Bits(columns_, false));
    p.may_end.assign(g_.size(), false);
    for (const Set& states : p.states) {
      Bits startable(columns_, false);
      bool may_end = false;
      for (const auto s : states) {
        may_end = may_end || ends(s);
        for (std::size_t c = 0; c < columns_; ++c)
          startable[c] = startable[c] || (p.starts[c] && allows(s, c));
      }
      for (const auto s : states) {
        p.may_end[s] = p.may_end[s] || may_end;
        for (std::size_t c = 0; c < columns_; ++c)
          p.may_start[s][c] = p.may_start[s][c] || startable[c];
      }
    }
  }

  // C1: two parties may start something at the same time; whatever the order, both must lead to the
  // same state.
  void c1() {
    for (const auto g : order_) {
      if (best_ && best_->trace.size() <= steps_[g].length + 1) return;
      for (std::size_t x = 0; x < columns_; ++x) {
        if (!allows(g, x)) continue;
        for (std::size_t y = 0; y < columns_; ++y) {
          if (y != x && allows(g, y) && initiator(x) != initiator(y)) c1_pair(g, x, y);
        }
      }
    }
  }
  void c1_pair(State g, std::size_t x, std::size_t y) {
    const State xy = next(next(g, x), y), yx = next(next(g, y), x);
    if (xy != kNone && xy == yx) return;
    if (may_be_refused(x, y) || may_be_refused(y, x)) return;
    if (xy != kNone && yx == kNone) return;  // reported for (y, x): after y, x is refused
    const Word word = word_to(steps_, g);
    const std::string a = interaction(x).from(), b = interaction(y).from();
    report("C1",
           fmt::format(
               "{} {} may start '{}' and {} may start '{}', each without knowing of "
               "the other; after '{}', '{}' {}",
               after(word), a, interaction(x).name(), b, interaction(y).name(),
               interaction(x).name(), interaction(y).name(),
               xy == kNone ? "is not allowed any more" : "leads elsewhere than in the other order"),
           with(word, x), {a, b});
  }
  /// x is refusable and y's initiator takes part in it, so that it learns of the refusal.
  bool may_be_refused(std::size_t x, std::size_t y) const {
    const auto initiating = initiator(y);
    return refusable_[x] && has_part(x, initiating.first, initiating.second);
  }

  /// By symbols the party takes no part in.
  bool reaches(State from, std::size_t column, const Party& p) const {
    const Set all = closed({from}, p);
    return std::any_of(all.begin(), all.end(), [&](State s) { return allows(s, column); });
  }

  // C2: what a party may start in a local state, it may start in each state of G in it. All members
  // of a role are alike: the first stands for them.
  void c2() {
    for (const auto& p : parties_) {
      if (p.member != 0) continue;
      for (State i = 0; i < p.states.size(); ++i) {
        for (std::size_t x = 0; x < columns_; ++x) {
          if (p.starts[x] && p.next[i][x] != kNone && !refusable_[x]) c2_start(p, i, x);
        }
      }
    }
  }
  void c2_start(const Party& p, State local, std::size_t x) {
    for (const auto s : p.states[local]) {
      if (allows(s, x) || (waits(p, s) && reaches(s, x, p))) continue;
      const Word word = p.word(local);
      report("C2",
             fmt::format("{} {} may start '{}' without knowing whether the others took "
                         "another branch, in which it is not allowed",
                         after(word), role_name(p), interaction(x).name()),
             with(word, x), {role_name(p)});
      return;
    }
  }
  /// The party has nothing to do or to receive in this state of G, and it is not the end.
  bool waits(const Party& p, State s) const {
    if (ends(s)) return false;
    for (std::size_t c = 0; c < columns_; ++c) {
      if (p.takes_part[c] && allows(s, c)) return false;
    }
    return true;
  }

  // C3: a party that receives from two senders must not take one message for that of another
  // branch.
  void c3() {
    for (const auto& p : parties_) {
      if (p.member != 0) continue;
      for (State i = 0; i < p.states.size(); ++i) {
        for (std::size_t u = 0; u < columns_; ++u) {
          if (p.next[i][u] == kNone || p.starts[u]) continue;
          for (std::size_t w = 0; w < columns_; ++w) {
            if (p.next[i][w] != kNone && !p.starts[w] && initiator(u) != initiator(w))
              c3_pair(p, i, u, w);
          }
        }
      }
    }
  }
  void c3_pair(const Party& p, State local, std::size_t u, std::size_t w) {
    HECTOR_CHECK(p.next[local][u] != kNone && p.next[local][w] != kNone,
                 "a party cannot receive here what it is looked at for");
    const State uw = p.next[p.next[local][u]][w], wu = p.next[p.next[local][w]][u];
    if (uw == wu || !overtakes(p, p.states[local], u, w)) return;
    const Word word = p.word(local);
    report("C3",
           fmt::format("{} {} may take '{}' from {} for that of another branch: it can be "
                       "sent early, or overtake '{}' from {}",
                       after(word), role_name(p), interaction(w).name(), interaction(w).from(),
                       interaction(u).name(), interaction(u).from()),
           with(word, w), {role_name(p)});
  }
  /// w's sender may start it where u came first, or before u.
  bool overtakes(const Party& p, const Set& states, std::size_t u, std::size_t w) const {
    const Party& sender = initiating_party(w);
    for (const auto g : states) {
      if (!allows(g, u)) continue;
      Set reached = closed({next(g, u)}, p);
      if (!allows(g, w)) reached.push_back(g);
      for (const auto h : reached) {
        if (sender.may_start[h][w]) return true;
      }
    }
    return false;
  }

  // C5: where the protocol is not over, a party must be due to act that cannot consider it
  // finished.
  void c5() {
    for (const auto g : order_) {
      if (ends(g)) continue;
      std::set<std::string> waiting;
      bool goes_on = false;
      for (std::size_t c = 0; c < columns_ && !goes_on; ++c) {
        if (!allows(g, c)) continue;
        waiting.insert(interaction(c).from());
        goes_on = !refusable_[c] && !initiating_party(c).may_end[g];
      }
      if (goes_on) continue;
      const Word word = word_to(steps_, g);
      report("C5",
             fmt::format("{} no party has to act: {} may consider the protocol finished",
                         after(word), fmt::join(waiting, " and ")),
             word, {waiting.begin(), waiting.end()});
    }
  }

  const Binding& binding_;
  const std::vector<std::uint32_t> members_;
  Automaton g_;
  std::size_t columns_ = 0;
  Bits refusable_;            ///< by column
  std::vector<Step> steps_;   ///< to each state of G
  std::vector<State> order_;  ///< states of G, nearest first
  std::vector<Party> parties_;
  std::size_t local_states_ = 0, local_octets_ = 0;
  std::optional<Finding> best_;
};

}  // namespace

std::optional<Finding> check_choreography(const Binding& binding,
                                          const std::vector<std::uint32_t>& members,
                                          const std::vector<bool>& refusable) {
  return ChoreographyCheck(binding, members, refusable).run();
}

}  // namespace hector::types
