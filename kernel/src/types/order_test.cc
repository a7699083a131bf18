// Orders against a second, naive program: the same questions answered by enumeration, on random cases; and the experiment behind C0 to C5: Binding
// types that were accepted are played asynchronously by random parties that conform, and none runs into a dead end.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "types/binding_check.h"
#include "types/conformance.h"
#include "types/expression.h"
#include "types/reader.h"

namespace hector::types {
namespace {

using hector::type::v1::Expression;
using Random = std::mt19937;

std::uint32_t below(Random& random, std::uint32_t bound) { return random() % bound; }

/// A random protocol expression over these names.
std::string random_expression(Random& random, const std::vector<std::string>& names, int depth) {
  if (depth == 0 || below(random, 4) == 0) return below(random, 12) == 0 ? "end" : names[below(random, static_cast<std::uint32_t>(names.size()))];
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

// --- the naive program: words, as sets -------------------------------------------------------------------------------------------------------

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
      for (int y = 0; y < b.states; ++y) made.edges.push_back({at(e.from, y), at(e.to, y), e.symbol});
    }
    for (const auto& e : b.edges) {
      for (int x = 0; x < a.states; ++x) made.edges.push_back({at(x, e.from), at(x, e.to), e.symbol});
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
        for (auto i = static_cast<std::int32_t>(expression.repeat().min()); i < expression.repeat().max(); ++i) all = sequence(all, choice(once, word("")));
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
  bool allows(const States& in, const std::string& symbol) const { return !step(in, symbol).empty(); }
  bool ends(const States& in) const { return in.contains(end); }
};

/// R1 to R5 word for word, walking both along every common word. The rules that fail, each with the length of its shortest trace.
std::map<std::string, std::size_t> naive_verdict(const Naive& role, const Naive& offered, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  std::map<std::string, std::size_t> failed;
  using Pair = std::pair<Naive::States, Naive::States>;
  std::map<Pair, std::size_t> length{{{role.begin(), offered.begin()}, 0}};
  std::deque<Pair> todo{length.begin()->first};
  while (!todo.empty()) {
    const auto [r, i] = todo.front();
    todo.pop_front();
    const std::size_t at = length.at({r, i});
    const auto fails = [&](const char* rule, std::size_t trace) { failed.try_emplace(rule, trace); };
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
        if (!next.first.empty() && !next.second.empty() && length.try_emplace(next, at + 1).second) todo.push_back(next);
      }
    }
  }
  return failed;
}

hector::type::v1::Interface interface_with(const std::string& protocol) {
  static const hector::type::v1::Interface model = [] {
    auto file = read_types(
        "interface: t.I/1\nmessages: [google/protobuf/empty.proto]\noperations:\n  a: {kind: announce, in: google.protobuf.Empty}\n  b: {kind: announce, in: google.protobuf.Empty}\n"
        "initiates:\n  c: {kind: announce, in: google.protobuf.Empty}\n  d: {kind: announce, in: google.protobuf.Empty}\n",
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
    const std::string offered = below(random, 3) == 0 ? random_expression(random, {role, role, "a", "c"}, 1) : random_expression(random, {"a", "b", "c", "d"}, 2);
    const auto role_model = interface_with(role), offered_model = interface_with(offered);
    RoleOrder order;
    order.operations = {"a", "b", "c", "d"};
    order.is_output = {false, false, true, true};
    order.automaton = *interface_automaton(role_model);
    const auto automaton = interface_automaton(offered_model);
    ASSERT_TRUE(automaton);
    const auto verdict = check_order_alone(*automaton, order);
    std::map<std::string, std::size_t> found;
    for (const auto& reason : verdict) {
      const auto [at, is_new] = found.try_emplace(reason.rule, reason.trace.size());
      at->second = std::min(at->second, reason.trace.size());
    }
    const auto expected = naive_verdict(Naive::of(role_model.protocol()), Naive::of(offered_model.protocol()), {"a", "b"}, {"c", "d"});
    ASSERT_EQ(found, expected) << "role " << role << "\noffered " << offered << "\npair " << i;
    conforming += verdict.empty() ? 1 : 0;
    ++compared;
  }
  EXPECT_EQ(compared, kRandomPairs);
  EXPECT_GT(conforming, kRandomPairs / 50);
}

}  // namespace
}  // namespace hector::types
