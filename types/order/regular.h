// What: Regular, regular languages as shared expressions with derivatives; Automaton, the minimal
// deterministic one of such a language.
// Why: every question about an order (may it come now, does it conform) is decided on these two,
// for any number of members.
// Who: protocol expressions, Binding projections, conformance, the monitor.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "hector/result.h"

namespace hector::types {

using Symbol = std::uint32_t;

/// Expressions of one language family, each kept once, so that equal ones have equal numbers
/// (Brzozowski 1964; Owens, Reppy, Turon 2009). Not for several threads at once.
class Regular {
 public:
  using Node = std::uint32_t;
  static constexpr Node kVoid = 0;   ///< no word
  static constexpr Node kEmpty = 1;  ///< the empty word
  Regular();

  Node symbol(Symbol symbol);
  Node sequence(Node first, Node second);
  Node choice(std::vector<Node> options);
  Node interleave(std::vector<Node> parts);
  Node star(Node of);
  Node optional(Node of) { return choice({of, kEmpty}); }
  /// max below 0: no bound.
  Node repeat(Node of, std::uint32_t min, std::int32_t max);

  [[nodiscard]] bool may_end(Node node) const { return nodes_[node].nullable; }
  /// What may follow after `symbol`; kVoid if it is not allowed.
  Node after(Node node, Symbol symbol);
  /// The symbols allowed first, ascending.
  const std::vector<Symbol>& first(Node node);
  /// Every symbol that occurs.
  std::vector<Symbol> alphabet(Node node) const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// Forgets all that `node` is not made of; every other number is void afterwards. Its number from
  /// now on.
  Node keep_only(Node node);
  /// More than kNodesMax expressions were needed: what came after that is wrong, build_automaton()
  /// refuses it.
  [[nodiscard]] bool is_overfull() const { return overfull_; }
  static constexpr std::size_t kNodesMax = 200'000;

 private:
  enum class Form : std::uint8_t { kVoid, kEmpty, kSymbol, kSequence, kChoice, kInterleave, kStar };
  struct Data {
    Form form;
    bool nullable;
    Symbol symbol = 0;
    std::vector<Node> of;
  };
  Node make(Form form, bool nullable, Symbol symbol, std::vector<Node> of);
  Node derive(Node node, Symbol symbol);
  std::vector<Data> nodes_;
  bool overfull_ = false;
  std::map<std::tuple<Form, Symbol, std::vector<Node>>, Node> known_;
  std::unordered_map<std::uint64_t, Node> after_;
  std::unordered_map<Node, std::vector<Symbol>> first_;
};

/// Deterministic, minimal, trimmed: from every state an accepting one is reached.
struct Automaton {
  static constexpr std::int32_t kNone = -1;
  std::vector<Symbol> symbols;                  ///< ascending; columns of `next`
  std::vector<std::vector<std::int32_t>> next;  ///< [state][column], kNone if not allowed
  std::vector<bool> accepting;
  std::int32_t start = 0;

  [[nodiscard]] std::int32_t column(Symbol symbol) const;
  [[nodiscard]] std::int32_t step(std::int32_t state, Symbol symbol) const;
};

inline constexpr std::size_t kAutomatonStatesMax = 20'000;

/// RESOURCE_EXHAUSTED if more than `states_max` states are met on the way.
Result<Automaton> build_automaton(Regular& language, Regular::Node start,
                                  std::size_t states_max = kAutomatonStatesMax);
Automaton minimise(const Automaton& automaton);

}  // namespace hector::types
