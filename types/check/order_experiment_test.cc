// Orders against a second, naive program: the same questions answered by enumeration, on random
// cases; and the experiment behind C0 to C5: Binding types that were accepted are played
// asynchronously by random parties that conform, and none runs into a dead end.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "types/check/binding_check.h"
#include "types/check/conformance.h"
#include "types/model/reader.h"
#include "types/order/expression.h"

namespace hector::types {
namespace {

using hector::type::v1::Expression;
using Random = std::mt19937;

std::uint32_t below(Random& random, std::uint32_t bound) { return random() % bound; }

/// A random protocol expression over these names.
std::string random_expression(Random& random, const std::vector<std::string>& names, int depth) {
  if (depth == 0 || below(random, 4) == 0)
    return below(random, 12) == 0 ? "end"
                                  : names[below(random, static_cast<std::uint32_t>(names.size()))];
  const auto part = [&] { return random_expression(random, names, depth - 1); };
  switch (below(random, 9)) {
    case 0:
    case 1:
    case 2:
      return fmt::format("({} ; {})", part(), part());
    case 3:
    case 4:
      return fmt::format("({} | {})", part(), part());
    case 5:
      return fmt::format("({} & {})", part(), part());
    case 6:
      return fmt::format("({})*", part());
    case 7:
      return fmt::format("({})?", part());
    default:
      return fmt::format("({}){{1,2}}", part());
  }
}

// --- the naive program: words, as sets
// ----------------------------------------------------------------------------------------------

/// An automaton with empty moves, made the textbook way (Thompson; interleaving by the product).
struct Naive {
  struct Edge {
    int from, to;
    std::string symbol;  ///< empty: an empty move
  };
  std::vector<Edge> edges;
  int states = 0, start = 0, end = 0;

  static Naive word(const std::string& symbol) {
    Naive made;
    made.states = 2;
    made.end = 1;
    made.edges.push_back({0, 1, symbol});
    return made;
  }
  int take(const Naive& other) {
    const int offset = states;
    for (const auto& e : other.edges) edges.push_back({e.from + offset, e.to + offset, e.symbol});
    states += other.states;
    return offset;
  }
  static Naive sequence(const Naive& a, const Naive& b) {
    Naive made;
    const int x = made.take(a), y = made.take(b);
    made.edges.push_back({x + a.end, y + b.start, ""});
    made.start = x + a.start;
    made.end = y + b.end;
    return made;
  }
  static Naive choice(const Naive& a, const Naive& b) {
    Naive made;
    made.states = 2;
    made.end = 1;
    for (const auto* part : {&a, &b}) {
      const int x = made.take(*part);
      made.edges.push_back({0, x + part->start, ""});
      made.edges.push_back({x + part->end, 1, ""});
    }
    return made;
  }
  static Naive star(const Naive& a) {
    Naive made;
    made.states = 1;
    const int x = made.take(a);
    made.edges.push_back({0, x + a.start, ""});
    made.edges.push_back({x + a.end, 0, ""});
    return made;
  }
  static Naive interleave(const Naive& a, const Naive& b) {
    Naive made;
    made.states = a.states * b.states;
    const auto at = [&](int x, int y) { return x * b.states + y; };
    for (const auto& e : a.edges) {
      for (int y = 0; y < b.states; ++y)
        made.edges.push_back({at(e.from, y), at(e.to, y), e.symbol});
    }
    for (const auto& e : b.edges) {
      for (int x = 0; x < a.states; ++x)
        made.edges.push_back({at(x, e.from), at(x, e.to), e.symbol});
    }
    made.start = at(a.start, b.start);
    made.end = at(a.end, b.end);
    return made;
  }
  static Naive of(const Expression& expression) {
    const auto fold = [](const Expression::List& list, Naive (*join)(const Naive&, const Naive&)) {
      Naive all = of(list.of(0));
      for (int i = 1; i < list.of_size(); ++i) all = join(all, of(list.of(i)));
      return all;
    };
    switch (expression.form_case()) {
      case Expression::kSymbol:
        return word(expression.symbol().name());
      case Expression::kSequence:
        return fold(expression.sequence(), sequence);
      case Expression::kChoice:
        return fold(expression.choice(), choice);
      case Expression::kInterleaving:
        return fold(expression.interleaving(), interleave);
      case Expression::kRepeat: {
        const Naive once = of(expression.repeat().of());
        Naive all = word("");
        for (std::uint32_t i = 0; i < expression.repeat().min(); ++i) all = sequence(all, once);
        if (expression.repeat().max() < 0) return sequence(all, star(once));
        for (auto i = static_cast<std::int32_t>(expression.repeat().min());
             i < expression.repeat().max(); ++i)
          all = sequence(all, choice(once, word("")));
        return all;
      }
      default:
        return word("");
    }
  }

  using States = std::set<int>;
  States closed(States in) const {
    for (bool grew = true; grew;) {
      grew = false;
      for (const auto& e : edges) {
        if (e.symbol.empty() && in.contains(e.from) && in.insert(e.to).second) grew = true;
      }
    }
    return in;
  }
  States begin() const { return closed({start}); }
  States step(const States& in, const std::string& symbol) const {
    States out;
    for (const auto& e : edges) {
      if (e.symbol == symbol && in.contains(e.from)) out.insert(e.to);
    }
    return closed(std::move(out));
  }
  bool allows(const States& in, const std::string& symbol) const {
    return !step(in, symbol).empty();
  }
  bool ends(const States& in) const { return in.contains(end); }
};

/// R1 to R5 word for word, walking both along every common word. The rules that fail, each with the
/// length of its shortest trace.
std::map<std::string, std::size_t> naive_verdict(const Naive& role, const Naive& offered,
                                                 const std::vector<std::string>& inputs,
                                                 const std::vector<std::string>& outputs) {
  std::map<std::string, std::size_t> failed;
  using Pair = std::pair<Naive::States, Naive::States>;
  std::map<Pair, std::size_t> length{{{role.begin(), offered.begin()}, 0}};
  std::deque<Pair> todo{length.begin()->first};
  while (!todo.empty()) {
    const auto [r, i] = todo.front();
    todo.pop_front();
    const std::size_t at = length.at({r, i});
    const auto fails = [&](const char* rule, std::size_t trace) {
      failed.try_emplace(rule, trace);
    };
    bool r_in = false, r_out = false, i_out = false;
    for (const auto& x : inputs) {
      r_in |= role.allows(r, x);
      if (role.allows(r, x) && !offered.allows(i, x)) fails("R1", at + 1);
    }
    for (const auto& x : outputs) {
      r_out |= role.allows(r, x);
      i_out |= offered.allows(i, x);
      if (offered.allows(i, x) && !role.allows(r, x)) fails("R2", at + 1);
    }
    const bool r_may = role.ends(r), i_may = offered.ends(i), r_must = r_may && !r_in && !r_out;
    if (r_must && !i_may) fails("R3", at);
    if (r_may && !r_in && r_out && !i_may && !i_out) fails("R3", at);
    if (r_may && r_in && !i_may) fails("R4", at);
    if (!r_may && r_out && (!i_out || i_may)) fails("R5", at);
    for (const auto* list : {&inputs, &outputs}) {
      for (const auto& x : *list) {
        const Pair next{role.step(r, x), offered.step(i, x)};
        if (!next.first.empty() && !next.second.empty() && length.try_emplace(next, at + 1).second)
          todo.push_back(next);
      }
    }
  }
  return failed;
}

hector::type::v1::Interface interface_with(const std::string& protocol) {
  static const hector::type::v1::Interface model = [] {
    auto file = read_types(
        "interface: t.I/1\nmessages: [google/protobuf/empty.proto]\noperations:\n  a: {kind: "
        "announce, in: google.protobuf.Empty}\n  b: {kind: announce, in: google.protobuf.Empty}\n"
        "initiates:\n  c: {kind: announce, in: google.protobuf.Empty}\n  d: {kind: announce, in: "
        "google.protobuf.Empty}\n",
        "t", "/");
    return file->interfaces.at(0);
  }();
  auto made = model;
  *made.mutable_protocol() = *parse_expression(protocol);
  return made;
}

constexpr int kRandomPairs = 100'000;

TEST(Order, ConformanceIsWhatANaiveProgramFindsOnRandomPairs) {
  Random random(20'261'121);
  int conforming = 0, compared = 0;
  for (int i = 0; i < kRandomPairs; ++i) {
    const std::string role = random_expression(random, {"a", "b", "c", "d"}, 2);
    const std::string offered = below(random, 3) == 0
                                    ? random_expression(random, {role, role, "a", "c"}, 1)
                                    : random_expression(random, {"a", "b", "c", "d"}, 2);
    const auto role_model = interface_with(role), offered_model = interface_with(offered);
    RoleOrder order;
    order.operations = {"a", "b", "c", "d"};
    order.is_output = {false, false, true, true};
    order.automaton = *interface_automaton(role_model);
    const auto automaton = interface_automaton(offered_model);
    ASSERT_TRUE(automaton);
    const auto verdict = check_order(*automaton, order);
    std::map<std::string, std::size_t> found;
    for (const auto& reason : verdict) {
      const auto [at, is_new] = found.try_emplace(reason.rule, reason.trace.size());
      at->second = std::min(at->second, reason.trace.size());
    }
    const auto expected =
        naive_verdict(Naive::of(role_model.protocol()), Naive::of(offered_model.protocol()),
                      {"a", "b"}, {"c", "d"});
    ASSERT_EQ(found, expected) << "role " << role << "\noffered " << offered << "\npair " << i;
    conforming += verdict.empty() ? 1 : 0;
    ++compared;
  }
  EXPECT_EQ(compared, kRandomPairs);
  EXPECT_GT(conforming, kRandomPairs / 50);
}

// --- the experiment: accepted Binding types, conforming parties, every asynchronous run
// ------------------------------------------------------

/// A random Binding type of three roles, r with many members at times, without timed phases.
std::string random_binding(Random& random) {
  const bool is_many = below(random, 3) == 0;
  std::string yaml = fmt::format(
      "binding: t.B/1\nroles: {{p: {{interface: t.P/1}}, q: {{interface: t.Q/1}}, r: {{interface: "
      "t.R/1{}}}}}\ninteractions:\n",
      is_many ? ", cardinality: 1..*" : "");
  const char* const roles[] = {"p", "q", "r"};
  std::vector<std::string> leaves;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    const std::uint32_t from = below(random, 3), to = (from + 1 + below(random, 2)) % 3;
    const bool is_multicast = is_many && to == 2 && below(random, 2) == 0;
    yaml += fmt::format("  {}: {{kind: {}, from: {}, to: {}, operation: {}}}\n", name,
                        is_multicast            ? "multicast"
                        : below(random, 3) == 0 ? "rpc"
                                                : "announce",
                        roles[from], roles[to], name);
    const char* const marks[] = {"[r]", "[r*]", "[r?]", ""};
    leaves.push_back(name + (is_many && (from == 2 || to == 2) && !is_multicast
                                 ? std::string(marks[below(random, 4)])
                                 : ""));
  }
  return yaml + "protocol: \"" + random_expression(random, leaves, 3) + "\"\n";
}

/// Removes transitions of outputs and adds ones of inputs at random: what still conforms plays.
Automaton vary(Random& random, const RoleOrder& order) {
  Automaton offered = order.automaton;
  if (order.operations.empty()) return offered;
  for (int tries = 0; tries < 12; ++tries) {
    Automaton varied = offered;
    const auto state = below(random, static_cast<std::uint32_t>(varied.next.size()));
    const auto column = below(random, static_cast<std::uint32_t>(order.operations.size()));
    if (varied.symbols.empty() || varied.column(column) == Automaton::kNone) continue;
    auto& entry = varied.next[state][varied.column(column)];
    if (order.is_output[column]) {
      entry = Automaton::kNone;
    } else if (entry == Automaton::kNone) {
      entry = below(random, static_cast<std::uint32_t>(varied.next.size()));
    }
    if (below(random, 4) == 0) varied.accepting[state] = !varied.accepting[state];
    if (check_order(varied, order).empty()) offered = std::move(varied);
  }
  return offered;
}

/// Every run of the parties over channels that keep their order and lose nothing. A rpc's caller
/// starts nothing else until it was taken.
class World {
 public:
  static constexpr std::size_t kConfigurationsMax = 4'000;
  static constexpr std::size_t kQueueMax = 3;

  World(Random& random, const hector::type::v1::Binding& binding,
        std::vector<std::uint32_t> members, bool varied)
      : binding_(binding), members_(std::move(members)) {
    for (std::uint32_t role = 0; role < members_.size(); ++role) {
      const auto order = *role_order(binding_, role, members_);
      // An Interface knows operations, not members: one that leaves out outputs may leave out the
      // only one that is left for a member.
      bool sees_many = false;
      for (std::uint32_t other = 0; other < members_.size(); ++other)
        sees_many |= other != role && members_[other] > 1;
      const Automaton plays = varied && !sees_many ? vary(random, order) : order.automaton;
      for (std::uint32_t member = 0; member < members_[role]; ++member) {
        Regular language;
        parties_.push_back(
            {role, member,
             *build_automaton(language, project(binding_, {role, member, members_}, language)),
             plays, order});
      }
    }
  }

  /// What happened in a run that can neither go on nor be over; empty if there is no such run.
  std::string dead_end() {
    Configuration first;
    for (const auto& party : parties_)
      first.at.push_back({party.sees.start, party.plays.start, -1});
    first.queues.resize(parties_.size() * parties_.size());
    std::map<std::string, std::string> seen{{text(first), ""}};
    std::deque<Configuration> todo{first};
    while (!todo.empty() && seen.size() < kConfigurationsMax) {
      const Configuration at = std::move(todo.front());
      todo.pop_front();
      const std::string run = seen.at(text(at));
      bool goes_on = false;
      const auto visit = [&](Configuration next, const std::string& step) {
        if (seen.try_emplace(text(next), run + " " + step).second) todo.push_back(std::move(next));
      };
      deliveries(at, visit, goes_on);
      sends(at, visit, goes_on);
      if (!goes_on && !is_over(at)) return run.empty() ? " at the start" : run;
    }
    return {};
  }

 private:
  struct Party {
    std::uint32_t role, member;
    Automaton sees, plays;
    RoleOrder order;
  };
  struct At {
    Automaton::State sees, plays;
    int waits;  ///< for a rpc at that party; -1: no
  };
  struct Configuration {
    std::vector<At> at;
    std::vector<std::vector<std::uint32_t>> queues;  ///< interactions, from * parties + to
  };

  std::string text(const Configuration& c) const {
    std::string out;
    for (const auto& at : c.at) out += fmt::format("{},{},{};", at.sees, at.plays, at.waits);
    for (const auto& queue : c.queues) out += fmt::format("{}/", fmt::join(queue, "."));
    return out;
  }
  const hector::type::v1::Interaction& interaction(std::uint32_t x) const {
    return binding_.interactions(static_cast<int>(x));
  }
  Automaton::State plays(const Party& party, Automaton::State state, std::uint32_t x) const {
    const bool is_output =
        interaction(x).from() == binding_.roles(static_cast<int>(party.role)).name();
    for (Symbol s = 0; s < party.order.operations.size(); ++s) {
      if (party.order.operations[s] == interaction(x).operation() &&
          party.order.is_output[s] == is_output)
        return party.plays.step(state, s);
    }
    return Automaton::kNone;
  }
  bool is_over(const Configuration& c) const {
    for (const auto& queue : c.queues) {
      if (!queue.empty()) return false;
    }
    for (std::size_t i = 0; i < parties_.size(); ++i) {
      if (!parties_[i].sees.accepting[c.at[i].sees]) return false;
    }
    return true;
  }

  template <class Visit>
  void deliveries(const Configuration& c, const Visit& visit, bool& goes_on) const {
    const std::size_t n = parties_.size();
    for (std::size_t from = 0; from < n; ++from) {
      for (std::size_t to = 0; to < n; ++to) {
        const auto& queue = c.queues[from * n + to];
        if (queue.empty()) continue;
        const std::uint32_t x = queue.front();
        const auto sees =
            parties_[to].sees.step(c.at[to].sees, view_symbol(x, parties_[from].member));
        const auto moved = plays(parties_[to], c.at[to].plays, x);
        if (sees == Automaton::kNone || moved == Automaton::kNone) continue;
        goes_on = true;
        Configuration next = c;
        next.queues[from * n + to].erase(next.queues[from * n + to].begin());
        next.at[to].sees = sees;
        next.at[to].plays = moved;
        if (interaction(x).kind() == hector::type::v1::KIND_RPC) next.at[from].waits = -1;
        visit(std::move(next), fmt::format("{}{}>", interaction(x).name(), parties_[to].member));
      }
    }
  }

  template <class Visit>
  void sends(const Configuration& c, const Visit& visit, bool& goes_on) const {
    const std::size_t n = parties_.size();
    for (std::size_t i = 0; i < n; ++i) {
      const Party& party = parties_[i];
      if (c.at[i].waits >= 0) continue;
      // Its Interface knows operations, its session also which members have had theirs: it may stop
      // where both say so.
      const bool may_stop =
          party.plays.accepting[c.at[i].plays] && party.sees.accepting[c.at[i].sees];
      for (const Symbol symbol : party.sees.symbols) {
        const std::uint32_t x = symbol_interaction(symbol);
        if (interaction(x).from() != binding_.roles(static_cast<int>(party.role)).name()) continue;
        const auto sees = party.sees.step(c.at[i].sees, symbol),
                   moved = plays(party, c.at[i].plays, x);
        if (sees == Automaton::kNone || moved == Automaton::kNone) continue;
        if (!may_stop) goes_on = true;
        Configuration next = c;
        next.at[i].sees = sees;
        next.at[i].plays = moved;
        bool is_full = false;
        for (std::size_t to = 0; to < n; ++to) {
          if (binding_.roles(static_cast<int>(parties_[to].role)).name() != interaction(x).to())
            continue;
          const bool is_multicast = interaction(x).kind() == hector::type::v1::KIND_MULTICAST;
          if (!is_multicast && parties_[to].member != symbol_member(symbol)) continue;
          next.queues[i * n + to].push_back(x);
          is_full |= next.queues[i * n + to].size() > kQueueMax;
          if (interaction(x).kind() == hector::type::v1::KIND_RPC)
            next.at[i].waits = static_cast<int>(to);
        }
        if (!is_full)
          visit(std::move(next), fmt::format("{}{}", party.member, interaction(x).name()));
      }
    }
  }

  const hector::type::v1::Binding& binding_;
  const std::vector<std::uint32_t> members_;
  std::vector<Party> parties_;
};

TEST(Order, AcceptedBindingTypesRunIntoNoDeadEndWithAnyConformingParties) {
  Random random(3'004);
  int accepted = 0, rejected = 0, dead = 0;
  for (int i = 0; i < 6'000; ++i) {
    const std::string yaml = random_binding(random);
    auto file = read_types(yaml, "t", "/");
    ASSERT_TRUE(file) << file.error().text();
    const auto& binding = file->bindings.at(0);
    const auto fault = check_binding(binding, {});
    if (fault && fault->rule == "limits") continue;
    (fault ? rejected : accepted) += 1;
    if (fault && rejected % 4 != 0) continue;  // a sample of them is enough
    bool is_dead = false;
    for (const auto& members : checked_sizes(binding)) {
      const std::string run = World(random, binding, members, !fault).dead_end();
      is_dead |= !run.empty();
      if (fault) continue;
      ASSERT_EQ(run, "") << yaml << fmt::format("members {}", fmt::join(members, ","));
    }
    dead += is_dead ? 1 : 0;
  }
  fmt::print("accepted {}, rejected {}; of {} of those, {} run into a dead end\n", accepted,
             rejected, rejected / 4, dead);
  EXPECT_GT(accepted, 500);
  EXPECT_GT(dead * 2, rejected / 4) << "most that are rejected would be stuck";
}

}  // namespace
}  // namespace hector::types
