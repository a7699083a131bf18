// What: Monitor, the state of one party of a Binding in its Role's order.
// Why: a message out of order is refused, naming what was allowed; an early one is told apart from
// one that can never come.
// Who: sessions, at both ends of each channel.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "hector/check.h"
#include "types/order/projection.h"

namespace hector::types {

/// Any thread. A small order is a table, and a message costs one compare-and-swap; an order over
/// many members is derived as its states are met, under a lock.
class Monitor {
 public:
  enum class Answer { kAllowed, kNotYet, kNever };
  Monitor(const hector::type::v1::Binding& binding, View view);

  /// Takes the symbol if it is allowed now. Inline, since every message passes here twice.
  bool step(Symbol symbol) noexcept {
    if (!has_table()) [[unlikely]]
      return step_derived(symbol);
    const Symbol* const symbols = symbols_.data();
    const std::size_t count = symbols_.size();
    std::size_t column = 0;
    while (column < count && symbols[column] != symbol) ++column;
    if (column == count) [[unlikely]]
      return false;
    State state = current();
    for (;;) {
      const State to = table_[state * count + column];
      if (to == Automaton::kNone) return false;
      if (to == state || state_.compare_exchange_weak(state, to, std::memory_order_acq_rel))
        return true;
    }
  }
  /// Whether a symbol that step() refused may still become allowed by symbols of others than
  /// `sender_member` of `interaction`.
  Answer look(Symbol symbol);
  /// Whether any of these interactions is allowed now, by any member.
  bool allows_any(const std::vector<std::uint32_t>& interactions);
  /// For messages: "ask, release".
  std::string allowed();
  [[nodiscard]] bool may_end();
  /// Of the symbols allowed now, those after which this one is or may become allowed: what it waits
  /// for. Empty where it is allowed itself, or never will be.
  [[nodiscard]] std::vector<Symbol> needed_for(Symbol symbol);

  /// A word without loops that leads from the start to the current state, for replay() by another
  /// monitor of the same Role. A shortest one; of an order over many members what has happened,
  /// without what led back to an earlier state.
  [[nodiscard]] std::vector<Symbol> trace();
  /// Goes to the state that the word leads to from the start. False if the order does not allow the
  /// word: then the state stays what it is. No other call may run meanwhile.
  bool replay(const std::vector<Symbol>& word);

 private:
  using State = Automaton::State;
  /// Whether the order is a table; else its states are derived.
  [[nodiscard]] bool has_table() const noexcept { return states_ != 0; }
  [[nodiscard]] Automaton::Column column_of(Symbol symbol) const noexcept;
  [[nodiscard]] State next(State state, std::size_t column) const noexcept {
    return table_[state * symbols_.size() + column];
  }
  [[nodiscard]] State current() const noexcept {
    const State state = state_.load(std::memory_order_acquire);
    HECTOR_CHECK(state < states_, "the monitor is in a state that there is not");
    return state;
  }
  bool step_derived(Symbol symbol) noexcept;
  [[nodiscard]] std::vector<Symbol> shortest_trace(State goal) const;
  [[nodiscard]] bool reachable_in_table(State from, Automaton::Column column) const;
  bool reachable(Symbol symbol);
  [[nodiscard]] const std::string& name(Symbol symbol) const;
  void derive_again();
  bool advance(Symbol symbol);

  const hector::type::v1::Binding binding_;
  const View view_;

  // The table. Constant but for state_.
  std::vector<Symbol> symbols_;
  std::vector<State> table_;  ///< [state * symbols + column]
  std::vector<bool> ends_;    ///< by state
  State states_ = 0;          ///< 0: there is no table
  State start_ = 0;
  std::atomic<State> state_{0};

  // The derived form, under mutex_.
  std::mutex mutex_;
  Regular language_;
  Regular::Node node_ = Regular::kEmpty;
  Regular::Node first_ = Regular::kEmpty;  ///< where it began
  /// The states since the start and the symbols that left them, each state once.
  std::vector<std::pair<Regular::Node, Symbol>> visited_;
};

}  // namespace hector::types
