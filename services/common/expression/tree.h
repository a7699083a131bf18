// What: Tree, an expression as its front end read it; Check, what its names may be.
// Why: OMG's constraints, XFN's filters and Elvin's subscriptions are different texts for one kind
// of tree.
// Who: front ends make it; Program compiles it; the Trader looks for what an index can answer.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "expression/value.h"
#include "hector/check.h"
#include "hector/result.h"

namespace hector::expression {

enum class Operator : std::uint8_t {
  kLiteral,
  kName,
  kExist,
  kNot,
  kNegate,
  kAnd,
  kOr,
  kEqual,
  kUnequal,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kSubstring,
  kIn,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kMatches,
  kApproximates,
  kAnyEqual,
  kAnyUnequal,
  kAnyLess,
  kAnyLessEqual,
  kAnyGreater,
  kAnyGreaterEqual,
  kAnyMatches,
  kAnyApproximates
};

using NodeId = std::uint32_t;

struct Node {
  Operator op = Operator::kLiteral;
  NodeId left = 0, right = 0;
  Value literal;             ///< kLiteral
  std::uint32_t name = 0;    ///< kName, kExist: index into Tree::names
  std::uint32_t column = 1;  ///< in octets, from 1
};

/// Movable; its literals' texts are its own.
class Tree {
 public:
  static constexpr std::size_t kOctetsMax = 64 * 1024;  ///< of an expression's text
  static constexpr std::size_t kNodesMax = 4 * 1024;    ///< parts of one expression
  static constexpr std::size_t kDepthMax = 100;         ///< what walks a tree recurses
  NodeId root = 0;
  std::vector<Node> nodes;
  std::vector<std::string> names;

  NodeId literal(Value value, std::uint32_t column);
  NodeId text(std::string text, std::uint32_t column);
  NodeId name(std::string_view name, Operator op, std::uint32_t column);
  NodeId node(Operator op, NodeId left, NodeId right, std::uint32_t column);
  [[nodiscard]] const Node& operator[](NodeId id) const {
    HECTOR_CHECK(id < nodes.size(), "a tree has no such node");
    return nodes[id];
  }
  /// The parts of the top level's "and", the whole if there is none.
  [[nodiscard]] std::vector<NodeId> conjuncts() const;

 private:
  std::deque<std::string> texts_;
};

/// The text of a part, in OMG's signs; every operator in parentheses but the outermost.
std::string print(const Tree& tree, NodeId id);

/// "IllegalConstraint: column 7: what was found, what was expected, in: text".
Error mistake(std::string_view error, std::size_t column, std::string_view what,
              std::string_view text);
/// Refuses, before anything is parsed, what is too long or nested deeper than kDepthMax by the
/// openers given ("(" or "([").
Status check_size(std::string_view error, std::string_view text, std::string_view openers);

}  // namespace hector::expression
