#include "types/order/expression.h"

#include <algorithm>
#include <charconv>
#include <tao/pegtl.hpp>

#include "hector/check.h"

namespace hector::types {

using hector::type::v1::Expression;
namespace pegtl = tao::pegtl;

namespace grammar {

struct comment : pegtl::seq<pegtl::one<'#'>, pegtl::until<pegtl::eolf>> {};
struct blank : pegtl::star<pegtl::sor<pegtl::space, comment>> {};
template <class Rule>
struct token : pegtl::seq<Rule, blank> {};

struct name : pegtl::identifier {};
struct role : pegtl::identifier {};
struct chooser : pegtl::identifier {};
struct each_mark : pegtl::one<'?', '*', '+'> {};
struct number : pegtl::plus<pegtl::digit> {};
struct unit : pegtl::sor<TAO_PEGTL_STRING("ms"), pegtl::one<'s', 'm', 'h'>> {};
struct duration_number : pegtl::plus<pegtl::digit> {};

struct choice;
struct member : pegtl::if_must<token<pegtl::one<'['>>, token<role>, pegtl::opt<token<each_mark>>,
                               token<pegtl::one<']'>>> {};
struct symbol : pegtl::seq<token<name>, pegtl::opt<member>> {};
struct open : token<pegtl::one<'('>> {};
struct close : token<pegtl::one<')'>> {};
struct group : pegtl::if_must<open, choice, close> {};
struct chosen : pegtl::if_must<token<pegtl::one<'@'>>, token<chooser>, open, choice, close> {};
struct atom : pegtl::sor<group, chosen, symbol> {};
struct star : token<pegtl::one<'*'>> {};
struct plus : token<pegtl::one<'+'>> {};
struct question : token<pegtl::one<'?'>> {};
struct minimum : number {};
struct maximum : number {};
struct comma : pegtl::one<','> {};
struct count
    : pegtl::if_must<token<pegtl::one<'{'>>, token<minimum>,
                     pegtl::opt<token<comma>, pegtl::opt<token<maximum>>>, token<pegtl::one<'}'>>> {
};
struct before_word
    : pegtl::seq<TAO_PEGTL_STRING("before"), pegtl::not_at<pegtl::identifier_other>> {};
struct duration : pegtl::seq<duration_number, unit, pegtl::not_at<pegtl::identifier_other>> {};
struct before : pegtl::if_must<token<before_word>, token<duration>> {};
struct post : pegtl::seq<atom, pegtl::star<pegtl::sor<star, plus, question, count, before>>> {};
struct semicolon : token<pegtl::one<';'>> {};
struct ampersand : token<pegtl::one<'&'>> {};
struct bar : token<pegtl::one<'|'>> {};
struct sequence : pegtl::list_must<post, semicolon> {};
struct interleaving : pegtl::list_must<sequence, ampersand> {};
struct choice : pegtl::list_must<interleaving, bar> {};
struct whole : pegtl::must<blank, choice, pegtl::eof> {};

}  // namespace grammar

namespace {

struct State {
  std::vector<Expression> done;              ///< finished operands
  std::vector<std::size_t> heights;          ///< of their trees
  std::vector<std::size_t> sequence_starts;  ///< where each open list began
  std::vector<std::size_t> interleave_starts;
  std::vector<std::size_t> choice_starts;
  std::vector<std::string> choosers;
  std::string name, role, chooser;
  char each = 0;
  bool has_role = false;
  std::uint32_t minimum = 0;
  std::int64_t maximum = -2;  // -2: as the minimum
  bool is_open_ended = false;
  std::uint64_t duration = 0;
  std::size_t depth = 0;
};

template <class Input>
[[noreturn]] void refuse(const Input& in, const std::string& what) {
  throw pegtl::parse_error(what, in);
}

void fold(State& state, std::size_t start, Expression::List* (Expression::*mutable_list)()) {
  HECTOR_CHECK(start < state.done.size(), "a list without an operand");
  HECTOR_CHECK(state.done.size() == state.heights.size(), "an operand without its height");
  if (state.done.size() - start < 2) return;
  Expression list;
  std::size_t height = 0;
  for (std::size_t i = start; i < state.done.size(); ++i) {
    *(list.*mutable_list)()->add_of() = std::move(state.done[i]);
    height = std::max(height, state.heights[i]);
  }
  state.done.resize(start);
  state.heights.resize(start);
  state.done.push_back(std::move(list));
  state.heights.push_back(height + 1);
}

/// Trees are walked by recursion: one more level, if there may be one.
template <class Input>
void grow(const Input& in, State& state) {
  HECTOR_CHECK(!state.heights.empty(), "an operator was read without its operand");
  if (++state.heights.back() > kExpressionHeightMax)
    refuse(in,
           "more than " + std::to_string(kExpressionHeightMax) + " operators inside each other");
}

void wrap_repeat(State& state, std::uint32_t min, std::int32_t max) {
  HECTOR_CHECK(!state.done.empty(), "a repetition was read without its operand");
  Expression repeat;
  *repeat.mutable_repeat()->mutable_of() = std::move(state.done.back());
  repeat.mutable_repeat()->set_min(min);
  repeat.mutable_repeat()->set_max(max);
  state.done.back() = std::move(repeat);
}

template <class Rule>
struct action : pegtl::nothing<Rule> {};

template <>
struct action<grammar::name> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    state.name = in.string();
    if (state.name == "before") refuse(in, "'before' is reserved; a name was expected");
    state.has_role = false;
    state.each = 0;
  }
};
template <>
struct action<grammar::role> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    state.role = in.string();
    state.has_role = true;
  }
};
template <>
struct action<grammar::each_mark> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    state.each = *in.begin();
  }
};
template <>
struct action<grammar::symbol> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    Expression symbol;
    if (state.name == "end") {
      if (state.has_role) refuse(in, "'end' is no interaction and takes no [role]");
      symbol.set_end(true);
    } else {
      auto* form = symbol.mutable_symbol();
      form->set_name(state.name);
      if (state.has_role) {
        form->set_role(state.role);
        form->set_member(state.each == '?'   ? Expression::MEMBER_OPTIONAL
                         : state.each == '*' ? Expression::MEMBER_ANY
                         : state.each == '+' ? Expression::MEMBER_SOME
                                             : Expression::MEMBER_EACH);
      }
    }
    state.done.push_back(std::move(symbol));
    state.heights.push_back(1);
    state.has_role = false;
  }
};
template <>
struct action<grammar::open> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    if (++state.depth > kExpressionDepthMax) {
      refuse(in, "more than " + std::to_string(kExpressionDepthMax) + " open parentheses");
    }
  }
};
template <>
struct action<grammar::close> {
  static void apply0(State& state) {
    HECTOR_CHECK(state.depth > 0, "more parentheses are closed than were opened");
    --state.depth;
  }
};
template <>
struct action<grammar::chooser> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    state.choosers.push_back(in.string());
  }
};
template <>
struct action<grammar::chosen> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    grow(in, state);
    Expression chosen;
    HECTOR_CHECK(!state.choosers.empty(), "a choice was read without its role");
    chosen.mutable_chosen()->set_role(state.choosers.back());
    state.choosers.pop_back();
    *chosen.mutable_chosen()->mutable_of() = std::move(state.done.back());
    state.done.back() = std::move(chosen);
  }
};
template <>
struct action<grammar::star> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    wrap_repeat(state, 0, -1);
    grow(in, state);
  }
};
template <>
struct action<grammar::plus> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    wrap_repeat(state, 1, -1);
    grow(in, state);
  }
};
template <>
struct action<grammar::question> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    wrap_repeat(state, 0, 1);
    grow(in, state);
  }
};

template <class Input>
std::uint32_t read_count(const Input& in) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(in.begin(), in.end(), value);
  static_cast<void>(end);
  if (error != std::errc() || value > kExpressionCountMax) {
    refuse(in, "a count of at most " + std::to_string(kExpressionCountMax) + " was expected");
  }
  return static_cast<std::uint32_t>(value);
}
template <>
struct action<grammar::minimum> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    state.minimum = read_count(in);
    state.maximum = -2;
    state.is_open_ended = false;
  }
};
template <>
struct action<grammar::comma> {
  static void apply0(State& state) { state.is_open_ended = true; }
};
template <>
struct action<grammar::maximum> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    state.maximum = read_count(in);
  }
};
template <>
struct action<grammar::count> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    const std::int64_t maximum = state.maximum >= 0    ? state.maximum
                                 : state.is_open_ended ? -1
                                                       : state.minimum;
    if (maximum >= 0 && maximum < state.minimum) refuse(in, "in {n,m}, m may not be less than n");
    wrap_repeat(state, state.minimum, static_cast<std::int32_t>(maximum));
    grow(in, state);
  }
};
template <>
struct action<grammar::duration_number> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    const auto [end, error] = std::from_chars(in.begin(), in.end(), state.duration);
    static_cast<void>(end);
    if (error != std::errc() || state.duration > 1'000'000'000)
      refuse(in, "a duration below 1,000,000,000 was expected");
  }
};
template <>
struct action<grammar::unit> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    const std::string unit = in.string();
    state.duration *= unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : 3'600'000;
  }
};
template <>
struct action<grammar::before> {
  template <class Input>
  static void apply(const Input& in, State& state) {
    grow(in, state);
    Expression before;
    *before.mutable_before()->mutable_of() = std::move(state.done.back());
    before.mutable_before()->set_time_ms(state.duration);
    state.done.back() = std::move(before);
  }
};

/// Lists remember where they began; PEGTL calls start and success around each rule.
template <class Rule>
struct control : pegtl::normal<Rule> {
  template <class Input, class... States>
  [[noreturn]] static void raise(const Input& in, States&&...) {
    throw pegtl::parse_error("a name, '(', '@role(' or an operator was expected", in);
  }
};
template <>
struct control<grammar::token<grammar::duration>>
    : pegtl::normal<grammar::token<grammar::duration>> {
  template <class Input, class... States>
  [[noreturn]] static void raise(const Input& in, States&&...) {
    throw pegtl::parse_error("a duration was expected, as in 500ms, 2s, 5m or 1h", in);
  }
};
template <class Rule, std::vector<std::size_t> State::*Starts,
          Expression::List* (Expression::*List)()>
struct list_control : pegtl::normal<Rule> {
  template <class Input>
  static void start(const Input&, State& state) {
    (state.*Starts).push_back(state.done.size());
  }
  template <class Input>
  static void success(const Input&, State& state) {
    HECTOR_CHECK(!(state.*Starts).empty(), "a list ends that had not begun");
    fold(state, (state.*Starts).back(), List);
    (state.*Starts).pop_back();
  }
  template <class Input>
  static void failure(const Input&, State& state) {
    (state.*Starts).pop_back();
  }
};
template <>
struct control<grammar::sequence>
    : list_control<grammar::sequence, &State::sequence_starts, &Expression::mutable_sequence> {
  template <class Input, class... States>
  [[noreturn]] static void raise(const Input& in, States&&...) {
    throw pegtl::parse_error("a name, '(' or '@role(' was expected", in);
  }
};
template <>
struct control<grammar::interleaving>
    : list_control<grammar::interleaving, &State::interleave_starts,
                   &Expression::mutable_interleaving> {
  template <class Input, class... States>
  [[noreturn]] static void raise(const Input& in, States&&...) {
    throw pegtl::parse_error("a name, '(' or '@role(' was expected", in);
  }
};
template <>
struct control<grammar::choice>
    : list_control<grammar::choice, &State::choice_starts, &Expression::mutable_choice> {
  template <class Input, class... States>
  [[noreturn]] static void raise(const Input& in, States&&...) {
    throw pegtl::parse_error("a name, '(' or '@role(' was expected", in);
  }
};

std::string after_colons(const std::string& message) {
  const auto at = message.rfind(": ");
  return at == std::string::npos ? message : message.substr(at + 2);
}

}  // namespace

Result<Expression> parse_expression(std::string_view text) {
  if (text.size() > kExpressionOctetsMax) {
    return fail(Code::kInvalidArgument, "a protocol expression may have " +
                                            std::to_string(kExpressionOctetsMax) +
                                            " octets, this one has " + std::to_string(text.size()));
  }
  pegtl::memory_input<> input(text.data(), text.size(), "protocol");
  State state;
  try {
    pegtl::parse<grammar::whole, action, control>(input, state);
  } catch (const pegtl::parse_error& error) {
    const auto& position = error.positions().front();
    const std::size_t at = position.byte;
    const std::string found = at < text.size() ? "'" + std::string(1, text[at]) + "'" : "the end";
    return fail(Code::kInvalidArgument, "column " + std::to_string(at + 1) + ": found " + found +
                                            "; " + after_colons(std::string(error.message())));
  }
  HECTOR_CHECK(state.done.size() == 1, "the parser left other than one expression");
  HECTOR_CHECK(state.depth == 0 && state.choosers.empty(), "the parser left something open");
  return std::move(state.done.back());
}

namespace {

/// Binding strength: choice 0, interleaving 1, sequence 2, postfix 3.
void print(const Expression& expression, int context, std::string& out);

void print_list(const Expression::List& list, const char* separator, int own, int context,
                std::string& out) {
  const bool needs_parentheses = own < context;
  if (needs_parentheses) out += '(';
  for (int i = 0; i < list.of_size(); ++i) {
    if (i != 0) out += separator;
    print(list.of(i), own + 1, out);
  }
  if (needs_parentheses) out += ')';
}

/// "*", "+", "?", "{n}", "{n,}" or "{n,m}".
std::string repeat_mark(const Expression::Repeat& repeat) {
  const bool is_unbounded = repeat.max() < 0;
  if (repeat.min() == 0 && is_unbounded) return "*";
  if (repeat.min() == 1 && is_unbounded) return "+";
  if (repeat.min() == 0 && repeat.max() == 1) return "?";
  const std::string min = std::to_string(repeat.min());
  if (is_unbounded) return "{" + min + ",}";
  const std::string max = std::to_string(repeat.max());
  return min == max ? "{" + min + "}" : "{" + min + "," + max + "}";
}

void print(const Expression& expression, int context, std::string& out) {
  switch (expression.form_case()) {
    case Expression::kEnd:
    case Expression::FORM_NOT_SET:
      out += "end";
      break;
    case Expression::kSymbol: {
      const auto& symbol = expression.symbol();
      out += symbol.name();
      static constexpr const char* kMarks[] = {"", "", "?", "*", "+"};
      static_assert(std::size(kMarks) == Expression::Member_ARRAYSIZE);
      // A type may come from another capsule, with a mark that there is not.
      const bool is_mark = Expression::Member_IsValid(symbol.member());
      if (!symbol.role().empty())
        out += "[" + symbol.role() + (is_mark ? kMarks[symbol.member()] : "") + "]";
      break;
    }
    case Expression::kSequence:
      print_list(expression.sequence(), " ; ", 2, context, out);
      break;
    case Expression::kInterleaving:
      print_list(expression.interleaving(), " & ", 1, context, out);
      break;
    case Expression::kChoice:
      print_list(expression.choice(), " | ", 0, context, out);
      break;
    case Expression::kRepeat:
      print(expression.repeat().of(), 3, out);
      out += repeat_mark(expression.repeat());
      break;
    case Expression::kBefore:
      print(expression.before().of(), 3, out);
      out += " before " + std::to_string(expression.before().time_ms()) + "ms";
      break;
    case Expression::kChosen:
      out += "@" + expression.chosen().role() + "(";
      print(expression.chosen().of(), 0, out);
      out += ')';
      break;
  }
}

}  // namespace

std::string print_expression(const Expression& expression) {
  std::string out;
  print(expression, 0, out);
  return out;
}

void each_part(const Expression& expression, const std::function<void(const Expression&)>& visit) {
  visit(expression);
  const auto all = [&](const Expression::List& list) {
    for (const auto& part : list.of()) each_part(part, visit);
  };
  switch (expression.form_case()) {
    case Expression::kSequence:
      return all(expression.sequence());
    case Expression::kInterleaving:
      return all(expression.interleaving());
    case Expression::kChoice:
      return all(expression.choice());
    case Expression::kRepeat:
      return each_part(expression.repeat().of(), visit);
    case Expression::kBefore:
      return each_part(expression.before().of(), visit);
    case Expression::kChosen:
      return each_part(expression.chosen().of(), visit);
    default:
      return;
  }
}

}  // namespace hector::types
