#include "expression.h"

#include <charconv>
#include <cmath>
#include <tao/pegtl.hpp>

namespace hector::trading {

namespace pegtl = tao::pegtl;

enum class Operator { kLiteral, kProperty, kExist, kNot, kNegate, kOr, kAnd, kEqual, kUnequal, kLess, kLessEqual, kGreater, kGreaterEqual, kSubstring, kIn, kAdd, kSubtract, kMultiply, kDivide };

struct Node {
  Operator op = Operator::kLiteral;
  Value literal;
  std::string property;
  std::vector<std::shared_ptr<const Node>> of;
};

namespace {

using NodePtr = std::shared_ptr<const Node>;

namespace grammar {

struct blank : pegtl::star<pegtl::space> {};
template <class Rule>
struct token : pegtl::seq<Rule, blank> {};
template <class Text>
struct word : token<pegtl::seq<Text, pegtl::not_at<pegtl::identifier_other>>> {};

struct identifier : pegtl::identifier {};
struct digits : pegtl::plus<pegtl::digit> {};
struct number : pegtl::seq<pegtl::sor<pegtl::seq<digits, pegtl::opt<pegtl::one<'.'>, pegtl::star<pegtl::digit>>>, pegtl::seq<pegtl::one<'.'>, digits>>,
                           pegtl::opt<pegtl::one<'e', 'E'>, pegtl::opt<pegtl::one<'+', '-'>>, digits>> {};
struct string_body : pegtl::star<pegtl::sor<pegtl::seq<pegtl::one<'\\'>, pegtl::any>, pegtl::not_one<'\''>>> {};
struct string : pegtl::if_must<pegtl::one<'\''>, string_body, pegtl::one<'\''>> {};
struct truth : pegtl::seq<pegtl::sor<TAO_PEGTL_STRING("TRUE"), TAO_PEGTL_STRING("FALSE")>, pegtl::not_at<pegtl::identifier_other>> {};
struct reserved : pegtl::seq<pegtl::sor<TAO_PEGTL_STRING("and"), TAO_PEGTL_STRING("or"), TAO_PEGTL_STRING("not"), TAO_PEGTL_STRING("in"), TAO_PEGTL_STRING("exist")>,
                             pegtl::not_at<pegtl::identifier_other>> {};
struct property : pegtl::seq<pegtl::not_at<reserved>, identifier> {};
struct exist_property : pegtl::seq<pegtl::not_at<reserved>, identifier> {};

struct expression;
struct open : token<pegtl::one<'('>> {};
struct close : token<pegtl::one<')'>> {};
struct group : pegtl::if_must<open, expression, close> {};
struct exist : pegtl::if_must<word<TAO_PEGTL_STRING("exist")>, token<exist_property>> {};
struct primary : pegtl::sor<group, exist, token<truth>, token<number>, token<string>, token<property>> {};
struct minus : token<pegtl::one<'-'>> {};
struct negated : pegtl::seq<minus, primary> {};
struct unary : pegtl::sor<negated, primary> {};
struct not_word : word<TAO_PEGTL_STRING("not")> {};
struct inverted : pegtl::seq<not_word, unary> {};
struct factor : pegtl::sor<inverted, unary> {};
struct times : token<pegtl::one<'*'>> {};
struct over : token<pegtl::one<'/'>> {};
struct times_factor : pegtl::if_must<times, factor> {};
struct over_factor : pegtl::if_must<over, factor> {};
struct term : pegtl::seq<factor, pegtl::star<pegtl::sor<times_factor, over_factor>>> {};
struct plus : token<pegtl::one<'+'>> {};
struct plus_term : pegtl::if_must<plus, term> {};
struct minus_term : pegtl::if_must<token<pegtl::one<'-'>>, term> {};
struct sum : pegtl::seq<term, pegtl::star<pegtl::sor<plus_term, minus_term>>> {};
struct substring : pegtl::if_must<token<pegtl::one<'~'>>, sum> {};
struct twiddle : pegtl::seq<sum, pegtl::opt<substring>> {};
struct in_property : pegtl::seq<pegtl::not_at<reserved>, identifier> {};
struct in : pegtl::if_must<word<TAO_PEGTL_STRING("in")>, token<in_property>> {};
struct member : pegtl::seq<twiddle, pegtl::opt<in>> {};
struct equal : pegtl::if_must<token<TAO_PEGTL_STRING("==")>, member> {};
struct unequal : pegtl::if_must<token<TAO_PEGTL_STRING("!=")>, member> {};
struct less_equal : pegtl::if_must<token<TAO_PEGTL_STRING("<=")>, member> {};
struct greater_equal : pegtl::if_must<token<TAO_PEGTL_STRING(">=")>, member> {};
struct less : pegtl::if_must<token<pegtl::one<'<'>>, member> {};
struct greater : pegtl::if_must<token<pegtl::one<'>'>>, member> {};
struct comparison : pegtl::seq<member, pegtl::opt<pegtl::sor<equal, unequal, less_equal, greater_equal, less, greater>>> {};
struct and_comparison : pegtl::if_must<word<TAO_PEGTL_STRING("and")>, comparison> {};
struct conjunction : pegtl::seq<comparison, pegtl::star<and_comparison>> {};
struct or_conjunction : pegtl::if_must<word<TAO_PEGTL_STRING("or")>, conjunction> {};
struct expression : pegtl::seq<conjunction, pegtl::star<or_conjunction>> {};
struct whole : pegtl::must<blank, expression, pegtl::eof> {};

}  // namespace grammar

struct State {
  std::vector<NodePtr> stack;
  std::size_t depth = 0;
};

void combine(State& state, Operator op) {
  auto node = std::make_shared<Node>();
  node->op = op;
  node->of = {state.stack[state.stack.size() - 2], state.stack.back()};
  state.stack.pop_back();
  state.stack.back() = std::move(node);
}
void wrap(State& state, Operator op) {
  auto node = std::make_shared<Node>();
  node->op = op;
  node->of = {state.stack.back()};
  state.stack.back() = std::move(node);
}
void push(State& state, Operator op, Value literal, std::string property) {
  auto node = std::make_shared<Node>();
  node->op = op;
  node->literal = std::move(literal);
  node->property = std::move(property);
  state.stack.push_back(std::move(node));
}

template <class Rule>
struct action : pegtl::nothing<Rule> {};
#define HECTOR_TRADING_BINARY(rule, op)                                \
  template <>                                                          \
  struct action<grammar::rule> {                                       \
    static void apply0(State& state) { combine(state, Operator::op); } \
  };
HECTOR_TRADING_BINARY(times_factor, kMultiply)
HECTOR_TRADING_BINARY(over_factor, kDivide)
HECTOR_TRADING_BINARY(plus_term, kAdd)
HECTOR_TRADING_BINARY(minus_term, kSubtract)
HECTOR_TRADING_BINARY(substring, kSubstring)
HECTOR_TRADING_BINARY(in, kIn)
HECTOR_TRADING_BINARY(equal, kEqual)
HECTOR_TRADING_BINARY(unequal, kUnequal)
HECTOR_TRADING_BINARY(less_equal, kLessEqual)
HECTOR_TRADING_BINARY(greater_equal, kGreaterEqual)
HECTOR_TRADING_BINARY(less, kLess)
HECTOR_TRADING_BINARY(greater, kGreater)
HECTOR_TRADING_BINARY(and_comparison, kAnd)
HECTOR_TRADING_BINARY(or_conjunction, kOr)
#undef HECTOR_TRADING_BINARY
template <>
struct action<grammar::negated> {
  static void apply0(State& state) { wrap(state, Operator::kNegate); }
};
template <>
struct action<grammar::inverted> {
  static void apply0(State& state) { wrap(state, Operator::kNot); }
};
template <>
struct action<grammar::number> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    push(state, Operator::kLiteral, std::strtod(in.string().c_str(), nullptr), {});
  }
};
template <>
struct action<grammar::string_body> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    std::string text;
    const std::string raw = in.string();
    for (std::size_t i = 0; i < raw.size(); ++i) text += raw[i] == '\\' && i + 1 < raw.size() ? raw[++i] : raw[i];
    push(state, Operator::kLiteral, std::move(text), {});
  }
};
template <>
struct action<grammar::truth> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    push(state, Operator::kLiteral, in.string() == "TRUE", {});
  }
};
template <>
struct action<grammar::property> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    push(state, Operator::kProperty, {}, in.string());
  }
};
template <>
struct action<grammar::in_property> : action<grammar::property> {};
template <>
struct action<grammar::exist_property> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    push(state, Operator::kExist, {}, in.string());
  }
};
template <>
struct action<grammar::open> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    if (++state.depth > Constraint::kDepthMax) throw pegtl::parse_error("too many open parentheses", in);
  }
};
template <>
struct action<grammar::close> {
  static void apply0(State& state) { --state.depth; }
};

const Value* find(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  return found == properties.end() ? nullptr : &found->second;
}

Value evaluate(const Node& node, const Properties& properties);

Value logic(const Node& node, const Properties& properties) {
  const Value left = evaluate(*node.of[0], properties);
  const Value right = evaluate(*node.of[1], properties);
  const bool* l = std::get_if<bool>(&left);
  const bool* r = std::get_if<bool>(&right);
  const bool decides = node.op == Operator::kOr;  // TRUE decides an or, FALSE an and, whatever the other is
  if ((l != nullptr && *l == decides) || (r != nullptr && *r == decides)) return decides;
  if (l == nullptr || r == nullptr) return {};
  return !decides;
}

Value arithmetic(const Node& node, const Properties& properties) {
  const Value left = evaluate(*node.of[0], properties);
  const Value right = evaluate(*node.of[1], properties);
  const double* l = std::get_if<double>(&left);
  const double* r = std::get_if<double>(&right);
  if (l == nullptr || r == nullptr) return {};
  switch (node.op) {
    case Operator::kAdd:
      return *l + *r;
    case Operator::kSubtract:
      return *l - *r;
    case Operator::kMultiply:
      return *l * *r;
    default:
      return *r == 0 ? Value() : Value(*l / *r);
  }
}

template <class T>
bool compare(Operator op, const T& left, const T& right) {
  switch (op) {
    case Operator::kEqual:
      return left == right;
    case Operator::kUnequal:
      return left != right;
    case Operator::kLess:
      return left < right;
    case Operator::kLessEqual:
      return left <= right;
    case Operator::kGreater:
      return left > right;
    default:
      return left >= right;
  }
}

Value comparison(const Node& node, const Properties& properties) {
  const Value left = evaluate(*node.of[0], properties);
  const Value right = evaluate(*node.of[1], properties);
  if (left.index() != right.index()) return {};
  if (const auto* l = std::get_if<double>(&left)) return compare(node.op, *l, std::get<double>(right));
  if (const auto* l = std::get_if<std::string>(&left)) {
    if (node.op == Operator::kSubstring) return std::get<std::string>(right).find(*l) != std::string::npos;
    return compare(node.op, *l, std::get<std::string>(right));
  }
  if (const auto* l = std::get_if<bool>(&left)) return compare(node.op, *l, std::get<bool>(right));
  return {};
}

Value evaluate(const Node& node, const Properties& properties) {
  switch (node.op) {
    case Operator::kLiteral:
      return node.literal;
    case Operator::kProperty: {
      const Value* value = find(properties, node.property);
      return value == nullptr ? Value() : *value;
    }
    case Operator::kExist:
      return find(properties, node.property) != nullptr;
    case Operator::kNot: {
      const Value value = evaluate(*node.of[0], properties);
      const bool* truth = std::get_if<bool>(&value);
      return truth == nullptr ? Value() : Value(!*truth);
    }
    case Operator::kNegate: {
      const Value value = evaluate(*node.of[0], properties);
      const double* number = std::get_if<double>(&value);
      return number == nullptr ? Value() : Value(-*number);
    }
    case Operator::kOr:
    case Operator::kAnd:
      return logic(node, properties);
    case Operator::kAdd:
    case Operator::kSubtract:
    case Operator::kMultiply:
    case Operator::kDivide:
      return arithmetic(node, properties);
    case Operator::kIn: {
      const Value item = evaluate(*node.of[0], properties);
      const Value list = evaluate(*node.of[1], properties);
      const auto* text = std::get_if<std::string>(&item);
      const auto* texts = std::get_if<std::vector<std::string>>(&list);
      if (text == nullptr || texts == nullptr) return {};
      return std::find(texts->begin(), texts->end(), *text) != texts->end();
    }
    default:
      return comparison(node, properties);
  }
}

Result<NodePtr> parse_node(const std::string& text, const char* error_name, std::size_t skipped) {
  if (text.size() > Constraint::kOctetsMax) return fail(Code::kInvalidArgument, std::string(error_name) + ": an expression may have 16 KiB");
  pegtl::memory_input<> input(text, "expression");
  State state;
  try {
    pegtl::parse<grammar::whole, action>(input, state);
  } catch (const pegtl::parse_error& error) {
    const std::size_t at = error.positions().front().byte;
    const std::string found = at < text.size() ? "'" + std::string(1, text[at]) + "'" : "the end";
    return fail(Code::kInvalidArgument, std::string(error_name) + ": column " + std::to_string(at + 1 + skipped) + ": found " + found +
                                            "; a property, a number, a 'text', TRUE, FALSE, '(' or an operator was expected, in: " + text);
  }
  return state.stack.back();
}

}  // namespace

Value value_of_json(const std::string& json) {
  if (json == "true" || json == "false") return json == "true";
  char* end = nullptr;
  const double number = std::strtod(json.c_str(), &end);
  if (!json.empty() && *end == '\0') return number;
  const auto unquoted = [](std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) out += text[i] == '\\' && i + 1 < text.size() ? text[++i] : text[i];
    return out;
  };
  if (json.size() >= 2 && json.front() == '"' && json.back() == '"') return unquoted(std::string_view(json).substr(1, json.size() - 2));
  if (json.size() >= 2 && json.front() == '[' && json.back() == ']') {
    std::vector<std::string> list;
    bool is_inside = false;
    std::string item;
    for (std::size_t i = 1; i + 1 < json.size(); ++i) {
      if (json[i] == '"') {
        if (is_inside) list.push_back(std::exchange(item, {}));
        is_inside = !is_inside;
      } else if (is_inside) {
        item += json[i] == '\\' && i + 2 < json.size() ? json[++i] : json[i];
      }
    }
    return list;
  }
  return json;
}

Result<Constraint> Constraint::parse(const std::string& text) {
  Constraint constraint;
  if (text.find_first_not_of(" \t\n") == std::string::npos) return constraint;
  auto root = parse_node(text, "IllegalConstraint", 0);
  if (!root) return fail(root.error());
  constraint.root_ = *root;
  return constraint;
}

bool Constraint::matches(const Properties& properties) const {
  if (!root_) return true;
  const Value value = evaluate(*root_, properties);
  const bool* truth = std::get_if<bool>(&value);
  return truth != nullptr && *truth;
}

Result<Preference> Preference::parse(const std::string& text) {
  Preference preference;
  const auto start = text.find_first_not_of(" \t\n");
  if (start == std::string::npos) return preference;
  const auto end = std::min(text.find_first_of(" \t\n(", start), text.size());
  const std::string word = text.substr(start, end - start);
  const std::string rest = text.substr(end);
  const bool has_rest = rest.find_first_not_of(" \t\n") != std::string::npos;
  if (word == "first" || word == "random") {
    if (has_rest) return fail(Code::kInvalidArgument, "IllegalPreference: nothing may follow '" + word + "'");
    preference.kind_ = word == "first" ? Kind::kFirst : Kind::kRandom;
    return preference;
  }
  if (word != "max" && word != "min" && word != "with") {
    return fail(Code::kInvalidArgument, "IllegalPreference: column " + std::to_string(start + 1) + ": '" + word + "' is none of max, min, with, random, first");
  }
  preference.kind_ = word == "max" ? Kind::kMax : word == "min" ? Kind::kMin : Kind::kWith;
  auto root = parse_node(rest, "IllegalPreference", end);
  if (!root) return fail(root.error());
  preference.root_ = *root;
  return preference;
}

std::optional<double> Preference::rank(const Properties& properties) const {
  if (!root_) return std::nullopt;
  const Value value = evaluate(*root_, properties);
  if (kind_ == Kind::kWith) {
    const bool* truth = std::get_if<bool>(&value);
    return truth == nullptr ? std::nullopt : std::optional<double>(*truth ? 1 : 0);
  }
  const double* number = std::get_if<double>(&value);
  return number == nullptr ? std::nullopt : std::optional<double>(*number);
}

}  // namespace hector::trading
