#include "types/order/regular.h"

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include "hector/check.h"

namespace hector::types {

Regular::Regular() {
  const Node none = make({Form::kVoid, false});
  const Node empty = make({Form::kEmpty, true});
  HECTOR_CHECK(none == kVoid && empty == kEmpty, "the first two expressions have other numbers");
}

Regular::Node Regular::make(Data data) {
  for (const Node part : data.of)
    HECTOR_CHECK(part < nodes_.size(), "an expression is made of one that is not there");
  auto key = std::make_tuple(data.form, data.symbol, std::move(data.of));
  if (auto found = known_.find(key); found != known_.end()) return found->second;
  if (nodes_.size() >= kNodesMax) {
    overfull_ = true;
    return kEmpty;
  }
  const auto node = static_cast<Node>(nodes_.size());
  data.of = std::get<2>(key);
  nodes_.push_back(std::move(data));
  known_.emplace(std::move(key), node);
  return node;
}

Regular::Node Regular::symbol(Symbol symbol) { return make({Form::kSymbol, false, symbol}); }

Regular::Node Regular::sequence(Node first, Node second) {
  HECTOR_CHECK(first < nodes_.size() && second < nodes_.size(), "a number of another language");
  if (first == kVoid || second == kVoid) return kVoid;
  if (first == kEmpty) return second;
  if (second == kEmpty) return first;
  std::vector<Node> heads;  // kept right-leaning, so that equal words meet in equal nodes
  for (; nodes_[first].form == Form::kSequence; first = nodes_[first].of[1])
    heads.push_back(nodes_[first].of[0]);
  Node tail = make({Form::kSequence, may_end(first) && may_end(second), 0, {first, second}});
  for (auto head = heads.rbegin(); head != heads.rend() && !overfull_; ++head)
    tail = make({Form::kSequence, may_end(*head) && may_end(tail), 0, {*head, tail}});
  return tail;
}

Regular::Node Regular::choice(std::vector<Node> options) {
  if (options.size() == 1) return options.front();
  std::vector<Node> flat;
  for (const Node option : options) {
    if (option == kVoid) continue;
    HECTOR_CHECK(option < nodes_.size(), "a number of another language");
    if (nodes_[option].form == Form::kChoice) {
      flat.insert(flat.end(), nodes_[option].of.begin(), nodes_[option].of.end());
    } else {
      flat.push_back(option);
    }
  }
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  const bool nullable = std::any_of(flat.begin(), flat.end(), [&](Node n) { return may_end(n); });
  if (std::any_of(flat.begin(), flat.end(), [&](Node n) { return n != kEmpty && may_end(n); }))
    std::erase(flat, kEmpty);
  if (flat.empty()) return kVoid;
  if (flat.size() == 1) return flat.front();
  return make({Form::kChoice, nullable, 0, std::move(flat)});
}

Regular::Node Regular::interleave(std::vector<Node> parts) {
  std::vector<Node> flat;
  bool nullable = true;
  for (const Node part : parts) {
    if (part == kVoid) return kVoid;
    if (part == kEmpty) continue;
    HECTOR_CHECK(part < nodes_.size(), "a number of another language");
    nullable = nullable && may_end(part);
    if (nodes_[part].form == Form::kInterleave) {
      flat.insert(flat.end(), nodes_[part].of.begin(), nodes_[part].of.end());
    } else {
      flat.push_back(part);
    }
  }
  if (flat.empty()) return kEmpty;
  if (flat.size() == 1) return flat.front();
  std::sort(flat.begin(), flat.end());
  return make({Form::kInterleave, nullable, 0, std::move(flat)});
}

Regular::Node Regular::star(Node of) {
  if (of == kVoid || of == kEmpty) return kEmpty;
  if (nodes_[of].form == Form::kStar) return of;
  return make({Form::kStar, true, 0, {of}});
}

Regular::Node Regular::repeat(Node of, std::uint32_t min, std::int32_t max) {
  Node tail = kEmpty;
  if (max < 0) {
    tail = star(of);
  } else {
    for (std::int64_t i = max; i > static_cast<std::int64_t>(min) && !overfull_; --i)
      tail = optional(sequence(of, tail));
  }
  for (std::uint32_t i = 0; i < min && !overfull_; ++i) tail = sequence(of, tail);
  return tail;
}

Regular::Node Regular::after(Node node, Symbol symbol) {
  HECTOR_CHECK(node < nodes_.size(), "a number of another language");
  const std::uint64_t key = (static_cast<std::uint64_t>(node) << 32) | symbol;
  if (auto found = after_.find(key); found != after_.end()) return found->second;
  const Node result = derive(node, symbol);
  after_.emplace(key, result);
  return result;
}

Regular::Node Regular::derive(Node node, Symbol wanted) {
  const Data data = nodes_[node];  // a copy: the recursion adds nodes
  switch (data.form) {
    case Form::kVoid:
    case Form::kEmpty:
      return kVoid;
    case Form::kSymbol:
      return data.symbol == wanted ? kEmpty : kVoid;
    case Form::kSequence: {
      const Node head = sequence(after(data.of[0], wanted), data.of[1]);
      if (!may_end(data.of[0])) return head;
      return choice({head, after(data.of[1], wanted)});
    }
    case Form::kChoice: {
      std::vector<Node> options;
      for (const Node option : data.of) options.push_back(after(option, wanted));
      return choice(std::move(options));
    }
    case Form::kInterleave: {
      std::vector<Node> options;
      for (std::size_t i = 0; i < data.of.size(); ++i) {
        const Node moved = after(data.of[i], wanted);
        if (moved == kVoid) continue;
        std::vector<Node> parts = data.of;
        parts[i] = moved;
        options.push_back(interleave(std::move(parts)));
      }
      return choice(std::move(options));
    }
    case Form::kStar:
      return sequence(after(data.of[0], wanted), node);
  }
  HECTOR_CHECK(false, "an expression of a form that there is not");
}

const std::vector<Symbol>& Regular::first(Node node) {
  HECTOR_CHECK(node < nodes_.size(), "a number of another language");
  if (auto found = first_.find(node); found != first_.end()) return found->second;
  const Data data = nodes_[node];
  std::set<Symbol> symbols;
  if (data.form == Form::kSymbol) symbols.insert(data.symbol);
  for (std::size_t i = 0; i < data.of.size(); ++i) {
    const auto& inner = first(data.of[i]);
    symbols.insert(inner.begin(), inner.end());
    if (data.form == Form::kSequence && !may_end(data.of[i])) break;
  }
  return first_.emplace(node, std::vector<Symbol>(symbols.begin(), symbols.end())).first->second;
}

std::vector<Symbol> Regular::alphabet(Node start) const {
  HECTOR_CHECK(start < nodes_.size(), "a number of another language");
  std::set<Symbol> symbols;
  std::set<Node> seen;
  std::vector<Node> todo{start};
  while (!todo.empty()) {
    const Node node = todo.back();
    todo.pop_back();
    if (!seen.insert(node).second) continue;
    if (nodes_[node].form == Form::kSymbol) symbols.insert(nodes_[node].symbol);
    todo.insert(todo.end(), nodes_[node].of.begin(), nodes_[node].of.end());
  }
  return {symbols.begin(), symbols.end()};
}

Regular::Node Regular::keep_only(Node node) {
  HECTOR_CHECK(node < nodes_.size(), "a number of another language");
  std::vector<bool> wanted(nodes_.size(), false);
  wanted[node] = true;
  for (Node at = node; at > kEmpty; --at) {  // parts are older than what they are part of
    if (!wanted[at]) continue;
    for (const Node part : nodes_[at].of) wanted[part] = true;
  }
  Regular kept;
  std::vector<Node> numbers(nodes_.size(), kEmpty);
  numbers[kVoid] = kVoid;
  for (Node at = kEmpty + 1; at <= node; ++at) {
    if (!wanted[at]) continue;
    Data data = std::move(nodes_[at]);
    for (Node& part : data.of) {
      HECTOR_CHECK(part < at, "an expression is older than what it is made of");
      part = numbers[part];
    }
    if (data.form == Form::kChoice || data.form == Form::kInterleave)
      std::sort(data.of.begin(), data.of.end());
    numbers[at] = kept.make(std::move(data));
  }
  *this = std::move(kept);
  return numbers[node];
}

namespace {

/// Every successor is a state, every row has a column for each symbol, the symbols are in order:
/// so the automaton is deterministic, and a look-up never leaves its table.
void check_invariants(const Automaton& automaton) {
  const std::size_t states = automaton.size();
  HECTOR_CHECK(automaton.accepting.size() == states, "a state without an end mark");
  HECTOR_CHECK(states == 0 || automaton.start < states, "the start is no state");
  HECTOR_CHECK(std::adjacent_find(automaton.symbols.begin(), automaton.symbols.end(),
                                  std::greater_equal<>()) == automaton.symbols.end(),
               "the symbols are not ascending");
  for (const auto& row : automaton.next) {
    HECTOR_CHECK(row.size() == automaton.symbols.size(), "a row without a column for each symbol");
    for (const auto next : row)
      HECTOR_CHECK(next == Automaton::kNone || next < states, "a successor is no state");
  }
}

}  // namespace

Automaton::Column Automaton::column(Symbol symbol) const {
  const auto found = std::lower_bound(symbols.begin(), symbols.end(), symbol);
  return found != symbols.end() && *found == symbol ? static_cast<Column>(found - symbols.begin())
                                                    : kNone;
}

Automaton::State Automaton::step(State state, Symbol symbol) const {
  const Column at = column(symbol);
  HECTOR_CHECK(state < next.size(), "a step from a state that there is not");
  return at == kNone ? kNone : next[state][at];
}

Result<Automaton> build_automaton(Regular& language, Regular::Node start, std::size_t states_max) {
  Automaton automaton;
  const auto overfull = [] {
    return fail(Code::kResourceExhausted,
                "the protocol is too long when its counts are written out; use smaller counts");
  };
  if (language.is_overfull()) return overfull();
  automaton.symbols = language.alphabet(start);
  std::unordered_map<Regular::Node, Automaton::State> numbers;
  std::vector<Regular::Node> states;
  const auto number = [&](Regular::Node node) {
    const auto [found, is_new] =
        numbers.emplace(node, static_cast<Automaton::State>(states.size()));
    if (is_new) states.push_back(node);
    return found->second;
  };
  number(start);
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states.size() > states_max || language.is_overfull()) {
      return fail(Code::kResourceExhausted,
                  "the protocol has more than " + std::to_string(states_max) +
                      " states; use fewer interleavings (&) or smaller counts");
    }
    const Regular::Node node = states[i];
    std::vector<Automaton::State> row(automaton.symbols.size(), Automaton::kNone);
    for (const Symbol symbol : std::vector<Symbol>(language.first(node))) {
      const Regular::Node next = language.after(node, symbol);
      if (next == Regular::kVoid) continue;
      const auto column = automaton.column(symbol);
      HECTOR_CHECK(column != Automaton::kNone, "a first symbol that does not occur");
      row[column] = number(next);
    }
    automaton.next.push_back(std::move(row));
    automaton.accepting.push_back(language.may_end(node));
  }
  if (language.is_overfull()) return overfull();
  return minimise(automaton);
}

Automaton minimise(const Automaton& automaton) {
  check_invariants(automaton);
  using State = Automaton::State;
  const std::size_t count = automaton.size();
  std::vector<State> block(count);
  for (std::size_t i = 0; i < count; ++i) block[i] = automaton.accepting[i] ? 1 : 0;
  std::size_t blocks = 0;
  for (;;) {  // Moore's refinement: states stay together while all their successors do
    std::map<std::vector<State>, State> signatures;
    std::vector<State> refined(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<State> signature{block[i]};
      for (const State next : automaton.next[i])
        signature.push_back(next == Automaton::kNone ? Automaton::kNone : block[next]);
      const auto fresh = static_cast<State>(signatures.size());
      refined[i] = signatures.emplace(std::move(signature), fresh).first->second;
    }
    HECTOR_CHECK(signatures.size() >= blocks, "a refinement has fewer blocks than before");
    const bool is_stable = signatures.size() == blocks;
    blocks = signatures.size();
    block = std::move(refined);
    if (is_stable) break;
  }
  Automaton result;
  result.symbols = automaton.symbols;
  result.next.assign(blocks, std::vector<State>(automaton.symbols.size(), Automaton::kNone));
  result.accepting.assign(blocks, false);
  for (std::size_t i = 0; i < count; ++i) {
    const State at = block[i];
    result.accepting[at] = automaton.accepting[i];
    for (std::size_t c = 0; c < automaton.symbols.size(); ++c) {
      const State next = automaton.next[i][c];
      if (next != Automaton::kNone) result.next[at][c] = block[next];
    }
  }
  result.start = count == 0 ? 0 : block[automaton.start];
  check_invariants(result);
  return result;
}

}  // namespace hector::types
