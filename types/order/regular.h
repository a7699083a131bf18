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

/// Regular expressions over one alphabet, hash-consed: equal ones have equal numbers, and a part is
/// older than what it is part of (Brzozowski 1964; Owens, Reppy, Turon 2009). One thread at a time.
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
  /// kUnbounded: as often as one likes.
  static constexpr std::int32_t kUnbounded = -1;
  Node repeat(Node of, std::uint32_t min, std::int32_t max);

  [[nodiscard]] bool may_end(Node node) const { return nodes_[node].nullable; }
  /// What may follow after `symbol`; kVoid if it is not allowed.
  Node after(Node node, Symbol symbol);
  /// The symbols allowed first, ascending.
  const std::vector<Symbol>& first(Node node);
  /// Every symbol that occurs, ascending.
  std::vector<Symbol> alphabet(Node node) const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// Forgets every expression that is no part of `node`, whose new number it returns. Every other
  /// number is invalid afterwards.
  Node keep_only(Node node);
  /// More than kNodesMax expressions were needed: results since then are wrong, and
  /// build_automaton() refuses them.
  [[nodiscard]] bool is_overfull() const { return overfull_; }
  /// About 30 MB. The largest Binding types of the templates need some hundreds.
  static constexpr std::size_t kNodesMax = 200'000;

 private:
  enum class Form : std::uint8_t { kVoid, kEmpty, kSymbol, kSequence, kChoice, kInterleave, kStar };
  struct Data {
    Form form;
    bool nullable;
    Symbol symbol = 0;
    std::vector<Node> of;
  };
  Node make(Data data);
  Node derive(Node node, Symbol symbol);
  std::vector<Data> nodes_;
  bool overfull_ = false;
  std::map<std::tuple<Form, Symbol, std::vector<Node>>, Node> known_;
  std::unordered_map<std::uint64_t, Node> after_;
  std::unordered_map<Node, std::vector<Symbol>> first_;
};

/// Deterministic. What build_automaton() and minimise() return is minimal and trimmed too: from
/// every state, the start of an empty language aside, an accepting one is reached.
struct Automaton {
  using State = std::uint32_t;
  using Column = std::uint32_t;
  static constexpr std::uint32_t kNone = UINT32_MAX;  ///< no state, no column
  std::vector<Symbol> symbols;                        ///< ascending; columns of `next`
  std::vector<std::vector<State>> next;               ///< [state][column], kNone where not allowed
  std::vector<bool> accepting;                        ///< by state
  State start = 0;

  [[nodiscard]] std::size_t size() const { return next.size(); }
  /// kNone if the symbol is none of the automaton's.
  [[nodiscard]] Column column(Symbol symbol) const;
  /// kNone if the symbol is not allowed in the state.
  [[nodiscard]] State step(State state, Symbol symbol) const;
};

/// A table of this many states and 100 symbols has 8 MB; conformance and checks look at pairs of
/// states.
inline constexpr std::size_t kAutomatonStatesMax = 20'000;

/// RESOURCE_EXHAUSTED if more than `states_max` states are met while it is built.
Result<Automaton> build_automaton(Regular& language, Regular::Node start,
                                  std::size_t states_max = kAutomatonStatesMax);
/// The smallest automaton of the same language, with the same symbols.
Automaton minimise(const Automaton& automaton);

}  // namespace hector::types
