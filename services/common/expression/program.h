// What: Program, a Tree compiled to bytecode for a stack machine, with the rule for what is
// undefined.
// Why: one engine for all the languages; checked types, bounded steps, nothing allocated while it
// runs.
// Who: services that filter.
#pragma once

#include <functional>
#include <span>

#include "expression/tree.h"

namespace hector::expression {

/// What an operand that is not there, or of a kind that does not fit, does to the expression.
enum class Undefined : std::uint8_t {
  kKleene,  ///< unknown: T∨⊥ = T, F∧⊥ = F, else ⊥ (Elvin 4; the default everywhere)
  kOmg,     ///< the whole expression fails; "and" and "or" stop at the left operand if that decides
            ///< (OMG Trading, as TAO does)
  kXfn,     ///< the innermost logical expression is FALSE (X/Open C403)
};

/// The kind a name is declared to have, kUndefined if nobody says. For a list: of its items.
struct Declared {
  Kind kind = Kind::kUndefined;
  Kind item = Kind::kUndefined;
};

struct CompileOptions {
  Undefined undefined = Undefined::kKleene;
  /// Empty: nothing is declared.
  std::function<Declared(std::string_view name)> declared = {};
  /// Error::type and first word of a refusal.
  std::string_view error = "IllegalConstraint";
  /// For the message.
  std::string_view text = {};
  /// What the whole has to be, where that can be known: kBoolean, kReal (any number), kUndefined
  /// (anything).
  Kind result = Kind::kBoolean;
};

/// Immutable; any thread.
class Program {
 public:
  /// What a tree of the greatest depth needs, and some.
  static constexpr std::size_t kStackMax = 2 * Tree::kDepthMax + 16;
  /// INVALID_ARGUMENT with the column: declared kinds that can never fit an operator, too many
  /// nodes, too deep.
  static Result<Program> compile(Tree tree, const CompileOptions& options);
  /// Everything is TRUE.
  static Program always();

  [[nodiscard]] const Tree& tree() const noexcept { return tree_; }
  [[nodiscard]] bool is_always() const noexcept { return code_.empty(); }
  /// One value for each of tree().names, in that order.
  [[nodiscard]] Value run(std::span<const Value> attributes) const noexcept;
  [[nodiscard]] bool matches(std::span<const Value> attributes) const noexcept {
    return code_.empty() || run(attributes).is_true();
  }

 private:
  enum class Code : std::uint8_t {
    kPush,
    kLoad,
    kExist,
    kNot,
    kNegate,
    kAnd,
    kOr,
    kJumpIfFalse,
    kJumpIfTrue,
    kBinary,
    kFailUndefined,
    kFalseIfUndefined
  };
  struct Instruction {
    Code code;
    Operator op;
    std::uint32_t at;  ///< literal's node, name, or where to jump
  };
  Program() = default;
  static std::size_t operands(Code code) noexcept;
  void emit(NodeId id);
  void emit_logic(const Node& node);

  Tree tree_;
  std::vector<Instruction> code_;
  Undefined undefined_ = Undefined::kKleene;
};

/// In the pattern of kMatches: any run of octets.
inline constexpr char kAnyRun = '\x01';

/// One operator on two values, Kleene: undefined where the kinds do not fit.
Value apply(Operator op, const Value& left, const Value& right) noexcept;

}  // namespace hector::expression
