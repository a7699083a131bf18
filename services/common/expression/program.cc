#include "expression/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "hector/check.h"

namespace hector::expression {

namespace {

bool is_arithmetic(Operator op) {
  return op == Operator::kAdd || op == Operator::kSubtract || op == Operator::kMultiply ||
         op == Operator::kDivide;
}
bool is_logical(Operator op) {
  return op == Operator::kAnd || op == Operator::kOr || op == Operator::kNot;
}
bool is_any(Operator op) { return op >= Operator::kAnyEqual; }

constexpr std::string_view kSigns[] = {
    "",  "",  "exist", "not", "-",  "and", "or", "==", "!=", "<",  "<=", ">",  ">=", "~", "in",
    "+", "-", "*",     "/",   "==", "~=",  "==", "!=", "<",  "<=", ">",  ">=", "==", "~="};
static_assert(std::size(kSigns) == static_cast<std::size_t>(Operator::kAnyApproximates) + 1);

/// Integers stay integers while they fit; else it goes on in reals.
Value calculate(Operator op, const Value& left, const Value& right) noexcept {
  if (!left.is_number() || !right.is_number()) return {};
  if (left.kind == Kind::kInteger && right.kind == Kind::kInteger) {
    std::int64_t result = 0;
    bool overflows = false;
    switch (op) {
      case Operator::kAdd:
        overflows = __builtin_add_overflow(left.integer, right.integer, &result);
        break;
      case Operator::kSubtract:
        overflows = __builtin_sub_overflow(left.integer, right.integer, &result);
        break;
      case Operator::kMultiply:
        overflows = __builtin_mul_overflow(left.integer, right.integer, &result);
        break;
      default:
        if (right.integer == 0) return {};
        overflows = left.integer == INT64_MIN && right.integer == -1;
        if (!overflows) result = left.integer / right.integer;
    }
    if (!overflows) return Value::of(result);
  }
  const double l = left.number(), r = right.number();
  switch (op) {
    case Operator::kAdd:
      return Value::of(l + r);
    case Operator::kSubtract:
      return Value::of(l - r);
    case Operator::kMultiply:
      return Value::of(l * r);
    default:
      return r == 0 ? Value() : Value::of(l / r);
  }
}

bool relates(Operator op, int order) {
  switch (op) {
    case Operator::kEqual:
      return order == 0;
    case Operator::kUnequal:
      return order != 0;
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

/// Linear in both (memmem is), whatever is looked for.
std::size_t find_part(std::string_view text, std::string_view part, std::size_t from) {
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

/// kAnyRun stands for any run of octets: the parts between are looked for one after the other.
bool matches_wildcards(std::string_view pattern, std::string_view text) {
  const auto first = pattern.find(kAnyRun);
  if (first == std::string_view::npos) return pattern == text;
  if (text.substr(0, first) != pattern.substr(0, first)) return false;
  const auto last = pattern.rfind(kAnyRun);
  const std::string_view end = pattern.substr(last + 1);
  std::size_t at = first;
  for (std::size_t part = first + 1; part <= last;) {
    const std::size_t next = pattern.find(kAnyRun, part);
    const std::string_view piece = pattern.substr(part, next - part);
    at = find_part(text, piece, at);
    if (at == std::string_view::npos) return false;
    at += piece.size();
    part = next + 1;
  }
  return text.size() - at >= end.size() && text.ends_with(end);
}

/// A text's lower case without blanks. Memory is kept for the next one of this thread.
std::string_view folded(std::string_view text, std::string& into) {
  into.clear();
  for (const char each : text) {
    if (each != ' ')
      into.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(each))));
  }
  return into;
}

/// Without regard to ASCII case and blanks.
bool approximates(std::string_view left, std::string_view right) {
  if (right.find(kAnyRun) != std::string_view::npos) {
    thread_local std::string text, pattern;
    return matches_wildcards(folded(right, pattern), folded(left, text));
  }
  const auto next = [](std::string_view text, std::size_t& at) {
    while (at < text.size() && text[at] == ' ') ++at;
    return at < text.size() ? std::tolower(static_cast<unsigned char>(text[at++])) : -1;
  };
  for (std::size_t l = 0, r = 0;;) {
    const int a = next(left, l), b = next(right, r);
    if (a != b) return false;
    if (a == -1) return true;
  }
}

/// XFN: an attribute has several values; the relation holds if it does for one of them, "!=" if
/// none is equal.
Value apply_any(Operator op, const Value& left, const Value& right) noexcept {
  if (!left.is_defined() || !right.is_defined()) return {};
  const Value* items = left.kind == Kind::kList ? left.items : &left;
  const std::uint32_t count = left.kind == Kind::kList ? left.size : 1;
  const bool is_unequal = op == Operator::kAnyUnequal;
  const auto one =
      is_unequal                    ? Operator::kEqual
      : op == Operator::kAnyMatches ? Operator::kMatches
      : op == Operator::kAnyApproximates
          ? Operator::kApproximates
          : static_cast<Operator>(static_cast<int>(op) - static_cast<int>(Operator::kAnyEqual) +
                                  static_cast<int>(Operator::kEqual));
  bool holds = false;
  for (std::uint32_t i = 0; i < count && !holds; ++i) holds = apply(one, items[i], right).is_true();
  return Value::of(holds != is_unequal);
}

}  // namespace

Value apply(Operator op, const Value& left, const Value& right) noexcept {
  if (is_arithmetic(op)) return calculate(op, left, right);
  if (is_any(op)) return apply_any(op, left, right);
  switch (op) {
    case Operator::kSubstring:
      if (left.kind != Kind::kText || right.kind != Kind::kText) return {};
      return Value::of(find_part(right.text(), left.text(), 0) != std::string_view::npos);
    case Operator::kMatches:
      if (left.kind != Kind::kText || right.kind != Kind::kText) return {};
      return Value::of(matches_wildcards(right.text(), left.text()));
    case Operator::kApproximates:
      if (left.kind != Kind::kText || right.kind != Kind::kText)
        return Value::of(compare(left, right) == 0);
      return Value::of(approximates(left.text(), right.text()));
    case Operator::kIn:
      if (right.kind != Kind::kList || !left.is_defined()) return {};
      return Value::of(std::any_of(right.items, right.items + right.size,
                                   [&](const Value& item) { return compare(left, item) == 0; }));
    default: {
      const int order = compare(left, right);
      return order == kIncomparable ? Value() : Value::of(relates(op, order));
    }
  }
}

namespace {

/// What can be known of a node before it is evaluated.
class Checker {
 public:
  Checker(const Tree& tree, const CompileOptions& options)
      : tree_(tree), options_(options), known_(tree.nodes.size()), stack_(tree.nodes.size(), 1) {}

  Status check() {
    // Operands come before their operators, so one pass in order does.
    for (NodeId id = 0; id < tree_.nodes.size(); ++id) {
      auto kind = HECTOR_TRY(kind_of(id));
      known_[id] = kind;
      if (stack_[id] > Program::kStackMax)
        return fail(refused(tree_[id],
                            fmt::format("an expression may be nested {} deep", Tree::kDepthMax)));
    }
    HECTOR_CHECK(tree_.root < known_.size(), "a tree has no root");
    const Kind whole = known_[tree_.root].kind;
    if (whole == Kind::kUndefined || options_.result == Kind::kUndefined) return {};
    const bool fits = options_.result == Kind::kReal
                          ? whole == Kind::kReal || whole == Kind::kInteger
                          : whole == options_.result;
    if (!fits)
      return fail(refused(
          tree_[tree_.root],
          fmt::format("the expression is of kind {}, {} is needed", kind_name(whole),
                      options_.result == Kind::kReal ? "a number" : kind_name(options_.result))));
    return {};
  }

 private:
  Error refused(const Node& node, const std::string& what) const {
    return mistake(options_.error, node.column, what, options_.text);
  }
  static bool is_numeric(Kind kind) {
    return kind == Kind::kInteger || kind == Kind::kReal || kind == Kind::kUndefined;
  }

  Result<Declared> kind_of(NodeId id) {
    const Node& node = tree_[id];
    if (node.op == Operator::kLiteral) return Declared{node.literal.kind, Kind::kUndefined};
    if (node.op == Operator::kName)
      return options_.declared ? options_.declared(tree_.names[node.name]) : Declared{};
    if (node.op == Operator::kExist) return Declared{Kind::kBoolean, {}};
    const bool is_unary = node.op == Operator::kNot || node.op == Operator::kNegate;
    HECTOR_CHECK(node.left < id && (is_unary || node.right < id),
                 "an operand stands behind its operator");
    stack_[id] = is_unary ? stack_[node.left] : std::max(stack_[node.left], stack_[node.right] + 1);
    const Declared left = known_[node.left], right = known_[node.right];
    const auto mismatch = [&](const Declared& is, std::string_view needed) {
      return fail(
          refused(node, fmt::format("'{}' needs {}, not {}", kSigns[static_cast<int>(node.op)],
                                    needed, kind_name(is.kind))));
    };
    if (is_logical(node.op)) {
      for (const auto& each : {left, node.op == Operator::kNot ? left : right}) {
        if (each.kind != Kind::kUndefined && each.kind != Kind::kBoolean)
          return mismatch(each, "booleans");
      }
      return Declared{Kind::kBoolean, {}};
    }
    if (node.op == Operator::kNegate || is_arithmetic(node.op)) {
      for (const auto& each : {left, node.op == Operator::kNegate ? left : right}) {
        if (!is_numeric(each.kind)) return mismatch(each, "numbers");
      }
      if (left.kind == Kind::kUndefined ||
          (node.op != Operator::kNegate && right.kind == Kind::kUndefined))
        return Declared{};
      return Declared{
          left.kind == Kind::kReal || (node.op != Operator::kNegate && right.kind == Kind::kReal)
              ? Kind::kReal
              : Kind::kInteger,
          {}};
    }
    if (node.op == Operator::kSubstring || node.op == Operator::kMatches) {
      for (const auto& each : {left, right}) {
        if (each.kind != Kind::kUndefined && each.kind != Kind::kText)
          return mismatch(each, "texts");
      }
      return Declared{Kind::kBoolean, {}};
    }
    if (is_any(node.op)) return Declared{Kind::kBoolean, {}};
    if (node.op == Operator::kIn) {
      if (right.kind != Kind::kUndefined && right.kind != Kind::kList)
        return mismatch(right, "a sequence on its right");
      return check_pair(node, left.kind, right.item);
    }
    return check_pair(node, left.kind, right.kind);
  }

  Result<Declared> check_pair(const Node& node, Kind left, Kind right) const {
    const bool are_known = left != Kind::kUndefined && right != Kind::kUndefined;
    if (are_known && left != right && !(is_numeric(left) && is_numeric(right))) {
      return fail(refused(
          node, fmt::format("'{}' cannot compare {} with {}", kSigns[static_cast<int>(node.op)],
                            kind_name(left), kind_name(right))));
    }
    if (left == Kind::kList || right == Kind::kList)
      return fail(refused(node, fmt::format("'{}' cannot compare sequences; use 'in'",
                                            kSigns[static_cast<int>(node.op)])));
    return Declared{Kind::kBoolean, {}};
  }

  const Tree& tree_;
  const CompileOptions& options_;
  std::vector<Declared> known_;
  std::vector<std::uint32_t> stack_;  ///< how much of it each needs
};

}  // namespace

Program Program::always() { return {}; }

Result<Program> Program::compile(Tree tree, const CompileOptions& options) {
  if (tree.nodes.size() > Tree::kNodesMax)
    return fail(
        mistake(options.error, 1,
                fmt::format("an expression may have {} operands and operators", Tree::kNodesMax),
                options.text));
  HECTOR_TRY(Checker(tree, options).check());
  Program program;
  program.undefined_ = options.undefined;
  program.tree_ = std::move(tree);
  program.emit(program.tree_.root);
  return program;
}

void Program::emit_logic(const Node& node) {
  emit(node.left);
  const std::size_t jump = code_.size();
  code_.push_back({node.op == Operator::kAnd ? Code::kJumpIfFalse : Code::kJumpIfTrue, node.op, 0});
  emit(node.right);
  code_.push_back({node.op == Operator::kAnd ? Code::kAnd : Code::kOr, node.op, 0});
  if (undefined_ == Undefined::kOmg) code_.push_back({Code::kFailUndefined, node.op, 0});
  HECTOR_CHECK(code_.size() > jump, "a jump goes backwards");
  code_[jump].at = static_cast<std::uint32_t>(code_.size());
}

void Program::emit(NodeId id) {
  const Node& node = tree_[id];
  HECTOR_CHECK(node.op != Operator::kName || node.name < tree_.names.size(),
               "an expression loads a name that it has not");
  switch (node.op) {
    case Operator::kLiteral:
      return code_.push_back({Code::kPush, node.op, id});
    case Operator::kName:
      code_.push_back({Code::kLoad, node.op, node.name});
      break;
    case Operator::kExist:
      return code_.push_back({Code::kExist, node.op, node.name});
    case Operator::kAnd:
    case Operator::kOr:
      return emit_logic(node);
    case Operator::kNot:
      emit(node.left);
      code_.push_back({Code::kNot, node.op, 0});
      break;
    case Operator::kNegate:
      emit(node.left);
      code_.push_back({Code::kNegate, node.op, 0});
      break;
    default:
      emit(node.left);
      emit(node.right);
      code_.push_back({Code::kBinary, node.op, 0});
      if (undefined_ == Undefined::kXfn)
        return code_.push_back({Code::kFalseIfUndefined, node.op, 0});
  }
  if (undefined_ == Undefined::kOmg) code_.push_back({Code::kFailUndefined, node.op, 0});
  // A bare name is a logical expression of its own where a truth is needed; as an operand it is
  // not.
  if (undefined_ == Undefined::kXfn && node.op == Operator::kNot)
    code_.push_back({Code::kFalseIfUndefined, node.op, 0});
}

std::size_t Program::operands(Code code) noexcept {
  switch (code) {
    case Code::kPush:
    case Code::kLoad:
    case Code::kExist:
      return 0;
    case Code::kAnd:
    case Code::kOr:
    case Code::kBinary:
      return 2;
    default:
      return 1;
  }
}

Value Program::run(std::span<const Value> attributes) const noexcept {
  HECTOR_CHECK(attributes.size() >= tree_.names.size(), "a name has no value");
  std::array<Value, kStackMax> stack;
  std::size_t top = 0;
  const auto push = [&](const Value& value) {
    HECTOR_CHECK(top < stack.size(), "an expression needs more stack than was counted");
    stack[top++] = value;
  };
  const auto truth = [](const Value& value) {
    return value.kind == Kind::kBoolean ? value : Value();
  };
  for (std::size_t at = 0; at < code_.size(); ++at) {
    const Instruction& each = code_[at];
    HECTOR_CHECK(top >= operands(each.code), "an operator has too few operands");
    switch (each.code) {
      case Code::kPush:
        push(tree_[each.at].literal);
        break;
      case Code::kLoad:
        push(attributes[each.at]);
        break;
      case Code::kExist:
        push(Value::of(attributes[each.at].is_defined()));
        break;
      case Code::kNot:
        stack[top - 1] =
            stack[top - 1].kind == Kind::kBoolean ? Value::of(!stack[top - 1].boolean) : Value();
        break;
      case Code::kNegate:
        stack[top - 1] = calculate(
            Operator::kSubtract,
            stack[top - 1].kind == Kind::kReal ? Value::of(0.0) : Value::of(std::int64_t{0}),
            stack[top - 1]);
        break;
      case Code::kJumpIfFalse:
        if (stack[top - 1].kind == Kind::kBoolean && !stack[top - 1].boolean) at = each.at - 1;
        break;
      case Code::kJumpIfTrue:
        if (stack[top - 1].is_true()) at = each.at - 1;
        break;
      case Code::kAnd:
      case Code::kOr: {
        const Value right = truth(stack[--top]), left = truth(stack[top - 1]);
        const bool decides = each.code == Code::kOr;
        const auto decided = [decides](const Value& value) {
          return value.is_defined() && value.boolean == decides;
        };
        stack[top - 1] = decided(left) || decided(right)           ? Value::of(decides)
                         : left.is_defined() && right.is_defined() ? Value::of(!decides)
                                                                   : Value();
        break;
      }
      case Code::kBinary: {
        const Value right = stack[--top];
        stack[top - 1] = apply(each.op, stack[top - 1], right);
        break;
      }
      case Code::kFailUndefined:
        if (!stack[top - 1].is_defined()) return {};
        break;
      case Code::kFalseIfUndefined:
        if (!stack[top - 1].is_defined()) stack[top - 1] = Value::of(false);
        break;
    }
  }
  HECTOR_CHECK(top == (code_.empty() ? 0 : 1), "an expression leaves one value");
  return top == 1 ? stack[0] : Value();
}

}  // namespace hector::expression
