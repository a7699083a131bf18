#include "expression/omg.h"

#include <fmt/format.h>

#include <charconv>
#include <tao/pegtl.hpp>

#include "hector/check.h"

namespace hector::expression {

namespace pegtl = tao::pegtl;

namespace {

// NOLINTBEGIN(readability-identifier-naming): rules are named as PEGTL names its own.
namespace grammar {

struct blank : pegtl::star<pegtl::space> {};
template <class Rule>
struct token : pegtl::seq<Rule, blank> {};
template <class Text>
struct word : token<pegtl::seq<Text, pegtl::not_at<pegtl::identifier_other>>> {};

struct identifier : pegtl::identifier {};
struct digits : pegtl::plus<pegtl::digit> {};
struct number
    : pegtl::seq<
          pegtl::sor<pegtl::seq<digits, pegtl::opt<pegtl::one<'.'>, pegtl::star<pegtl::digit>>>,
                     pegtl::seq<pegtl::one<'.'>, digits>>,
          pegtl::opt<pegtl::one<'e', 'E'>, pegtl::opt<pegtl::one<'+', '-'>>, digits>> {};
struct string_body
    : pegtl::star<pegtl::sor<pegtl::seq<pegtl::one<'\\'>, pegtl::any>, pegtl::not_one<'\''>>> {};
struct string : pegtl::if_must<pegtl::one<'\''>, string_body, pegtl::one<'\''>> {};
struct truth : pegtl::seq<pegtl::sor<TAO_PEGTL_STRING("TRUE"), TAO_PEGTL_STRING("FALSE")>,
                          pegtl::not_at<pegtl::identifier_other>> {};
struct reserved
    : pegtl::seq<
          pegtl::sor<TAO_PEGTL_STRING("and"), TAO_PEGTL_STRING("or"), TAO_PEGTL_STRING("not"),
                     TAO_PEGTL_STRING("in"), TAO_PEGTL_STRING("exist")>,
          pegtl::not_at<pegtl::identifier_other>> {};
struct property : pegtl::seq<pegtl::not_at<reserved>, identifier> {};
struct exist_property : pegtl::seq<pegtl::not_at<reserved>, identifier> {};

struct expression;
struct open : token<pegtl::one<'('>> {};
struct close : token<pegtl::one<')'>> {};
struct group : pegtl::if_must<open, expression, close> {};
struct exist : pegtl::if_must<word<TAO_PEGTL_STRING("exist")>, token<exist_property>> {};
struct primary
    : pegtl::sor<group, exist, token<truth>, token<number>, token<string>, token<property>> {};
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
struct comparison
    : pegtl::seq<member,
                 pegtl::opt<pegtl::sor<equal, unequal, less_equal, greater_equal, less, greater>>> {
};
struct and_comparison : pegtl::if_must<word<TAO_PEGTL_STRING("and")>, comparison> {};
struct conjunction : pegtl::seq<comparison, pegtl::star<and_comparison>> {};
struct or_conjunction : pegtl::if_must<word<TAO_PEGTL_STRING("or")>, conjunction> {};
struct expression : pegtl::seq<conjunction, pegtl::star<or_conjunction>> {};
struct whole : pegtl::must<blank, expression, pegtl::eof> {};

}  // namespace grammar
// NOLINTEND(readability-identifier-naming)

struct Reading {
  Tree tree;
  std::vector<NodeId> stack;
};

template <class Input>
std::uint32_t column_of(const Input& in) {
  return static_cast<std::uint32_t>(in.position().byte + 1);
}

void combine(Reading& reading, Operator op) {
  HECTOR_CHECK(reading.stack.size() >= 2, "an operator was read without its operands");
  const NodeId right = reading.stack.back();
  reading.stack.pop_back();
  reading.stack.back() =
      reading.tree.node(op, reading.stack.back(), right, reading.tree[reading.stack.back()].column);
}

template <class Rule>
struct Action : pegtl::nothing<Rule> {};
template <Operator op>
struct Binary {
  static void apply0(Reading& reading) { combine(reading, op); }
};
template <Operator op>
struct Unary {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    HECTOR_CHECK(!reading.stack.empty(), "an operator was read without its operand");
    reading.stack.back() = reading.tree.node(op, reading.stack.back(), 0, column_of(in));
  }
};
template <Operator op>
struct Named {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.stack.push_back(reading.tree.name(in.string_view(), op, column_of(in)));
  }
};
template <>
struct Action<grammar::times_factor> : Binary<Operator::kMultiply> {};
template <>
struct Action<grammar::over_factor> : Binary<Operator::kDivide> {};
template <>
struct Action<grammar::plus_term> : Binary<Operator::kAdd> {};
template <>
struct Action<grammar::minus_term> : Binary<Operator::kSubtract> {};
template <>
struct Action<grammar::substring> : Binary<Operator::kSubstring> {};
template <>
struct Action<grammar::in> : Binary<Operator::kIn> {};
template <>
struct Action<grammar::equal> : Binary<Operator::kEqual> {};
template <>
struct Action<grammar::unequal> : Binary<Operator::kUnequal> {};
template <>
struct Action<grammar::less_equal> : Binary<Operator::kLessEqual> {};
template <>
struct Action<grammar::greater_equal> : Binary<Operator::kGreaterEqual> {};
template <>
struct Action<grammar::less> : Binary<Operator::kLess> {};
template <>
struct Action<grammar::greater> : Binary<Operator::kGreater> {};
template <>
struct Action<grammar::and_comparison> : Binary<Operator::kAnd> {};
template <>
struct Action<grammar::or_conjunction> : Binary<Operator::kOr> {};
template <>
struct Action<grammar::negated> : Unary<Operator::kNegate> {};
template <>
struct Action<grammar::inverted> : Unary<Operator::kNot> {};
template <>
struct Action<grammar::property> : Named<Operator::kName> {};
template <>
struct Action<grammar::in_property> : Named<Operator::kName> {};
template <>
struct Action<grammar::exist_property> : Named<Operator::kExist> {};
template <>
struct Action<grammar::number> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    const std::string_view text = in.string_view();
    std::int64_t integer = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), integer);
    const bool is_integer = read.ec == std::errc() && read.ptr == text.data() + text.size();
    reading.stack.push_back(reading.tree.literal(
        is_integer ? Value::of(integer)
                   : Value::of(std::strtod(std::string(text).c_str(), nullptr)),
        column_of(in)));
  }
};
template <>
struct Action<grammar::string_body> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    std::string text;
    const std::string_view raw = in.string_view();
    for (std::size_t i = 0; i < raw.size(); ++i)
      text += raw[i] == '\\' && i + 1 < raw.size() ? raw[++i] : raw[i];
    reading.stack.push_back(reading.tree.text(std::move(text), column_of(in)));
  }
};
template <>
struct Action<grammar::truth> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.stack.push_back(
        reading.tree.literal(Value::of(in.string_view() == "TRUE"), column_of(in)));
  }
};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

Result<Tree> read_constraint(std::string_view text, std::string_view error, std::size_t column) {
  HECTOR_TRY(check_size(error, text, "("));
  pegtl::memory_input<> input(text.data(), text.size(), "expression");
  Reading reading;
  try {
    pegtl::parse<grammar::whole, Action>(input, reading);
  } catch (const pegtl::parse_error& mistaken) {
    const std::size_t at = mistaken.positions().front().byte;
    const std::string found = at < text.size() ? fmt::format("'{}'", text[at]) : "the end";
    return fail(mistake(error, at + 1 + column,
                        fmt::format("found {}; a property, a number, a 'text', TRUE, FALSE, '(' or "
                                    "an operator was expected",
                                    found),
                        text));
  }
  HECTOR_CHECK(reading.stack.size() == 1, "the parser left other than one expression");
  reading.tree.root = reading.stack.back();
  for (auto& node : reading.tree.nodes) node.column += static_cast<std::uint32_t>(column);
  return std::move(reading.tree);
}

Result<Program> compile_constraint(std::string_view text, CompileOptions options) {
  if (is_blank(text)) return Program::always();
  options.text = text;
  auto tree = HECTOR_TRY(read_constraint(text, options.error));
  return Program::compile(std::move(tree), options);
}

Result<Preference> compile_preference(std::string_view text, CompileOptions options) {
  // CosTrading's exception.
  constexpr std::string_view kError = "IllegalPreference";
  Preference preference;
  if (is_blank(text)) return preference;
  const auto start = text.find_first_not_of(" \t\r\n");
  const auto end = std::min(text.find_first_of(" \t\r\n(", start), text.size());
  const std::string_view word = text.substr(start, end - start), rest = text.substr(end);
  constexpr std::pair<std::string_view, Preference::Kind> kWords[] = {
      {"first", Preference::Kind::kFirst},
      {"random", Preference::Kind::kRandom},
      {"max", Preference::Kind::kMax},
      {"min", Preference::Kind::kMin},
      {"with", Preference::Kind::kWith}};
  const auto found = std::find_if(std::begin(kWords), std::end(kWords),
                                  [&](const auto& each) { return each.first == word; });
  if (found == std::end(kWords))
    return fail(mistake(kError, start + 1,
                        fmt::format("'{}' is none of max, min, with, random, first", word), text));
  preference.kind = found->second;
  if (preference.kind == Preference::Kind::kFirst || preference.kind == Preference::Kind::kRandom) {
    if (!is_blank(rest))
      return fail(mistake(kError, end + 1, fmt::format("nothing may follow '{}'", word), text));
    return preference;
  }
  if (is_blank(rest))
    return fail(mistake(kError, end + 1, fmt::format("'{}' needs an expression", word), text));
  auto tree = HECTOR_TRY(read_constraint(rest, kError, end));
  options.error = kError;
  options.text = text;
  options.result = preference.kind == Preference::Kind::kWith ? Kind::kBoolean : Kind::kUndefined;
  auto program = HECTOR_TRY(Program::compile(std::move(tree), options));
  preference.program = std::move(program);
  return preference;
}

}  // namespace hector::expression
