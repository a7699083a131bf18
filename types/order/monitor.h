// What: Monitor, where one party of a Binding stands in its Role's order.
// Why: a message out of order is refused, naming what was allowed; one that comes early is held.
// Who: sessions, at both ends of each channel.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "types/order/projection.h"

namespace hector::types {

/// Any thread. Small orders are a table and one compare-and-swap a message; orders over many
/// members are made as they are met.
class Monitor {
 public:
  enum class Answer { kAllowed, kNotYet, kNever };
  Monitor(const hector::type::v1::Binding& binding, View view);

  /// Moves on if the symbol is allowed now.
  bool step(Symbol symbol) noexcept;
  /// Whether a symbol that step() refused may still become allowed by symbols of others than
  /// `sender_member` of `interaction`.
  Answer look(Symbol symbol);
  /// Whether any of these interactions is allowed now, by any member.
  bool allows_any(const std::vector<std::uint32_t>& interactions);
  /// For messages: "ask, release".
  std::string allowed();
  [[nodiscard]] bool may_end();

  /// A word that leads from the start to where it stands, without loops: where a party stands, to
  /// be told to another monitor of the same Role. A shortest one; of an order over many members,
  /// what has happened without what led back to where it had been.
  [[nodiscard]] std::vector<Symbol> way();
  /// From the start along the word; false, and it stays where it is, if the order does not allow
  /// it. Nobody else steps meanwhile.
  bool walk(const std::vector<Symbol>& word);

 private:
  std::int32_t row_of(Symbol symbol) const noexcept;
  bool reachable(Symbol symbol);
  std::string name(Symbol symbol) const;

  const hector::type::v1::Binding binding_;
  View view_;
  std::vector<Symbol> symbols_;
  std::vector<std::int32_t> table_;  ///< [state * symbols + column]; empty: the lazy form
  std::vector<bool> table_ends_;
  std::atomic<std::int32_t> state_{0};
  std::mutex mutex_;
  Regular language_;
  Regular::Node node_ = Regular::kEmpty;
  Regular::Node first_ = Regular::kEmpty;  ///< where it began
  std::int32_t start_ = 0;
  /// The lazy form: where it has been and by what it left, each place once.
  std::vector<std::pair<Regular::Node, Symbol>> been_;
  bool advance(Symbol symbol);
};

}  // namespace hector::types
