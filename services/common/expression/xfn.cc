#include "expression/xfn.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tao/pegtl.hpp>

#include "hector/check.h"

namespace hector::expression {

namespace pegtl = tao::pegtl;

namespace {

/// XFN's status code (X/Open C403).
constexpr std::string_view kError = "SEARCH_INVALID_FILTER";
/// An operator that is not there, or takes other arguments.
constexpr const char* kInvalidOperator = "SEARCH_INVALID_OP";

// NOLINTBEGIN(readability-identifier-naming): rules are named as PEGTL names its own.
namespace filter {

struct blank : pegtl::star<pegtl::space> {};
template <class Rule>
struct token : pegtl::seq<Rule, blank> {};
struct name_other : pegtl::sor<pegtl::identifier_other, pegtl::one<'-', '.'>> {};
template <class Text>
struct word : token<pegtl::seq<Text, pegtl::not_at<name_other>>> {};
struct and_word : word<TAO_PEGTL_STRING("and")> {};
struct or_word : word<TAO_PEGTL_STRING("or")> {};
struct not_word : word<TAO_PEGTL_STRING("not")> {};
struct reserved : pegtl::sor<and_word, or_word, not_word> {};

struct argument_name : TAO_PEGTL_STRING("%a") {};
struct argument_value : TAO_PEGTL_STRING("%v") {};
struct argument_string : TAO_PEGTL_STRING("%s") {};
struct argument_identifier : TAO_PEGTL_STRING("%i") {};
struct plain_name
    : pegtl::seq<pegtl::not_at<reserved>, pegtl::identifier_first, pegtl::star<name_other>> {};
struct identifier : plain_name {};
struct integer : pegtl::seq<pegtl::opt<pegtl::one<'-'>>, pegtl::plus<pegtl::digit>,
                            pegtl::not_at<pegtl::identifier_other>> {};
struct quoted_body
    : pegtl::star<pegtl::sor<pegtl::seq<pegtl::one<'\\'>, pegtl::any>, pegtl::not_one<'\''>>> {};
struct quoted : pegtl::if_must<pegtl::one<'\''>, quoted_body, pegtl::one<'\''>> {};
struct any_run : pegtl::one<'*'> {};
struct piece : token<pegtl::sor<quoted, argument_string>> {};
struct run : token<any_run> {};
/// Strings and stars take turns.
struct wildcarded : pegtl::plus<pegtl::sor<pegtl::seq<piece, pegtl::not_at<piece>>,
                                           pegtl::seq<run, pegtl::not_at<run>>>> {};

struct expression;
struct group : pegtl::if_must<token<pegtl::one<'('>>, expression, token<pegtl::one<')'>>> {};
/// An operator of its own, as C403 writes it ('name', %s, %i), or as people do (name).
struct bare_operator : pegtl::seq<plain_name, pegtl::at<blank, pegtl::one<'('>>> {};
struct quoted_operator : pegtl::sor<quoted, argument_string, argument_identifier> {};
struct number_argument;
struct identifier_text : token<argument_identifier> {};
struct text_argument : pegtl::sor<wildcarded, identifier_text> {};
struct name_argument;
struct extension_argument : pegtl::sor<number_argument, text_argument, name_argument> {};
struct extension_arguments
    : pegtl::opt<pegtl::list_must<extension_argument, token<pegtl::one<','>>>> {};
struct extension
    : pegtl::seq<pegtl::sor<bare_operator, quoted_operator>, blank,
                 pegtl::must<token<pegtl::one<'('>>, extension_arguments, token<pegtl::one<')'>>>> {
};
struct relation : pegtl::sor<TAO_PEGTL_STRING("=="), TAO_PEGTL_STRING("!="), TAO_PEGTL_STRING("<="),
                             TAO_PEGTL_STRING(">="), TAO_PEGTL_STRING("~="), pegtl::one<'<', '>'>> {
};
struct value : pegtl::sor<token<integer>, token<argument_value>, wildcarded> {};
struct related : pegtl::if_must<token<relation>, value> {};
struct attribute : token<pegtl::sor<argument_name, identifier>> {};
struct number_argument : pegtl::sor<token<integer>, token<argument_value>> {};
struct name_argument : token<pegtl::sor<argument_name, identifier>> {};
struct leaf : pegtl::seq<attribute, pegtl::opt<related>> {};
struct primary : pegtl::sor<group, extension, leaf> {};
/// One level, however many there are: each would be a call of the parser's own.
struct nots : pegtl::plus<not_word> {};
struct negation : pegtl::if_must<nots, primary> {};
struct factor : pegtl::sor<negation, primary> {};
struct and_factor : pegtl::if_must<and_word, factor> {};
struct conjunction : pegtl::seq<factor, pegtl::star<and_factor>> {};
struct or_conjunction : pegtl::if_must<or_word, conjunction> {};
struct expression : pegtl::seq<conjunction, pegtl::star<or_conjunction>> {};
struct whole : pegtl::must<blank, expression, pegtl::eof> {};

}  // namespace filter
// NOLINTEND(readability-identifier-naming)

struct Reading {
  Tree tree = {};
  std::vector<NodeId> stack = {};
  const std::vector<std::string>& arguments;
  std::size_t next = 0;
  std::string pattern = {};
  bool has_runs = false;
  std::string relation = {};
  bool is_pattern = false;
  std::string operation = {};      ///< of an extension
  std::vector<NodeId> given = {};  ///< its arguments
  bool is_text = true;             ///< all of `given`
  std::size_t not_count = 0;
  std::vector<std::size_t> open_nots = {};  ///< of the negations that are being read
  std::string_view error = kError;

  template <class Input>
  [[noreturn]] void refuse_operator(const std::string& what, const Input& in) {
    error = kInvalidOperator;
    throw pegtl::parse_error(what, in);
  }
  template <class Input>
  const std::string& argument(const Input& in) {
    if (next >= arguments.size())
      throw pegtl::parse_error(
          fmt::format("there are {} arguments, this would be one more", arguments.size()), in);
    return arguments[next++];
  }
};

template <class Input>
std::uint32_t column_of(const Input& in) {
  return static_cast<std::uint32_t>(in.position().byte + 1);
}
NodeId take(Reading& reading) {
  HECTOR_CHECK(!reading.stack.empty(), "an operator was read without its operand");
  const NodeId last = reading.stack.back();
  reading.stack.pop_back();
  return last;
}
void push_number_or_text(Reading& reading, std::string_view text, std::uint32_t column) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
  reading.stack.push_back(is_number ? reading.tree.literal(Value::of(number), column)
                                    : reading.tree.text(std::string(text), column));
}

template <class Rule>
struct Action : pegtl::nothing<Rule> {};
template <>
struct Action<filter::identifier> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.stack.push_back(reading.tree.name(in.string_view(), Operator::kExist, column_of(in)));
  }
};
template <>
struct Action<filter::argument_name> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.stack.push_back(
        reading.tree.name(reading.argument(in), Operator::kExist, column_of(in)));
  }
};
template <>
struct Action<filter::argument_identifier> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.pattern += reading.argument(in);
  }
};
template <>
struct Action<filter::bare_operator> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.operation = in.string();
    reading.given.clear();
    reading.is_text = true;
  }
};
template <>
struct Action<filter::quoted_operator> {
  static void apply0(Reading& reading) {
    reading.operation = std::exchange(reading.pattern, {});
    reading.given.clear();
    reading.is_text = true;
  }
};
template <>
struct Action<filter::identifier_text> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.stack.push_back(reading.tree.text(std::exchange(reading.pattern, {}), column_of(in)));
  }
};
template <>
struct Action<filter::text_argument> {
  static void apply0(Reading& reading) {
    reading.is_pattern = false;
    reading.given.push_back(take(reading));
  }
};
template <>
struct Action<filter::number_argument> {
  static void apply0(Reading& reading) {
    const NodeId given = take(reading);
    reading.is_text = reading.is_text && reading.tree[given].literal.kind == Kind::kText;
    reading.given.push_back(given);
  }
};
template <>
struct Action<filter::name_argument> {
  static void apply0(Reading& reading) {
    reading.given.push_back(take(reading));
    reading.is_text = false;
  }
};
template <>
struct Action<filter::integer> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    push_number_or_text(reading, in.string_view(), column_of(in));
  }
};
template <>
struct Action<filter::argument_value> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    push_number_or_text(reading, reading.argument(in), column_of(in));
  }
};
template <>
struct Action<filter::quoted_body> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    const std::string_view raw = in.string_view();
    for (std::size_t i = 0; i < raw.size(); ++i)
      reading.pattern += raw[i] == '\\' && i + 1 < raw.size() ? raw[++i] : raw[i];
  }
};
template <>
struct Action<filter::argument_string> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.pattern += reading.argument(in);
  }
};
template <>
struct Action<filter::any_run> {
  static void apply0(Reading& reading) {
    reading.pattern += kAnyRun;
    reading.has_runs = true;
  }
};
template <>
struct Action<filter::wildcarded> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.stack.push_back(reading.tree.text(std::exchange(reading.pattern, {}), column_of(in)));
    reading.is_pattern = std::exchange(reading.has_runs, false);
  }
};
template <>
struct Action<filter::extension> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    constexpr std::string_view kKnown[] = {kNameOf, kReferenceTypeOf, kAddressTypesOf};
    const std::string operation = reading.operation + "()";
    if (std::find(std::begin(kKnown), std::end(kKnown), operation) == std::end(kKnown))
      reading.refuse_operator(fmt::format("there is no operator '{}'; there are name('…'), "
                                          "reftype('…') and addrtype('…')",
                                          reading.operation),
                              in);
    if (reading.given.size() != 1 || !reading.is_text)
      reading.refuse_operator(fmt::format("'{}' takes one string, as in {}('a'*)",
                                          reading.operation, reading.operation),
                              in);
    const NodeId name = reading.tree.name(operation, Operator::kName, column_of(in));
    reading.stack.push_back(
        reading.tree.node(Operator::kAnyMatches, name, reading.given.front(), column_of(in)));
  }
};
template <>
struct Action<filter::relation> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    reading.relation = in.string();
  }
};
template <>
struct Action<filter::related> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    const NodeId value = take(reading);
    const bool is_pattern = std::exchange(reading.is_pattern, false);
    const std::string& sign = reading.relation;
    constexpr std::pair<std::string_view, Operator> kRelations[] = {
        {"==", Operator::kAnyEqual},       {"!=", Operator::kAnyUnequal},
        {"<", Operator::kAnyLess},         {"<=", Operator::kAnyLessEqual},
        {">", Operator::kAnyGreater},      {">=", Operator::kAnyGreaterEqual},
        {"~=", Operator::kAnyApproximates}};
    HECTOR_CHECK(!reading.stack.empty(), "a relation was read without its attribute");
    const auto* const known = std::find_if(std::begin(kRelations), std::end(kRelations),
                                           [&](const auto& each) { return each.first == sign; });
    HECTOR_CHECK(known != std::end(kRelations), "a relation was read that there is not");
    Operator op = known->second;
    if (is_pattern && sign != "==" && sign != "!=" && sign != "~=")
      reading.refuse_operator(
          fmt::format("'{}' compares with a whole value, '*' goes with == and !=, and with ~=",
                      sign),
          in);
    Node& attribute = reading.tree.nodes[reading.stack.back()];
    attribute.op = Operator::kName;
    const std::uint32_t column = attribute.column;
    if (is_pattern && sign != "~=") op = Operator::kAnyMatches;
    NodeId related = reading.tree.node(op, reading.stack.back(), value, column);
    if (is_pattern && sign == "!=") {
      // TRUE iff no value matches; an attribute that is not there makes it FALSE, as every
      // relation.
      const NodeId none = reading.tree.node(Operator::kNot, related, 0, column);
      const NodeId present = reading.tree.nodes.size();
      Node exists = reading.tree[reading.stack.back()];
      exists.op = Operator::kExist;
      reading.tree.nodes.push_back(exists);
      related = reading.tree.node(Operator::kAnd, present, none, column);
    }
    reading.stack.back() = related;
  }
};
template <>
struct Action<filter::not_word> {
  static void apply0(Reading& reading) { ++reading.not_count; }
};
template <>
struct Action<filter::nots> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    if (reading.not_count > Tree::kDepthMax)
      throw pegtl::parse_error(fmt::format("an expression may be nested {} deep", Tree::kDepthMax),
                               in);
    reading.open_nots.push_back(std::exchange(reading.not_count, 0));
  }
};
template <>
struct Action<filter::negation> {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    HECTOR_CHECK(!reading.open_nots.empty() && !reading.stack.empty(),
                 "a negation was read without its operand");
    const std::size_t nots = reading.open_nots.back();
    reading.open_nots.pop_back();
    if (nots % 2 == 0) return;  // whatever is undefined has become FALSE below
    reading.stack.back() =
        reading.tree.node(Operator::kNot, reading.stack.back(), 0, column_of(in));
  }
};
template <Operator op>
struct Combined {
  template <class Input>
  static void apply(const Input& in, Reading& reading) {
    const NodeId right = take(reading);
    HECTOR_CHECK(!reading.stack.empty(), "an operator was read without its first operand");
    reading.stack.back() = reading.tree.node(op, reading.stack.back(), right, column_of(in));
  }
};
template <>
struct Action<filter::and_factor> : Combined<Operator::kAnd> {};
template <>
struct Action<filter::or_conjunction> : Combined<Operator::kOr> {};

}  // namespace

Result<Program> compile_filter(std::string_view text, const std::vector<std::string>& arguments) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Program::always();
  HECTOR_TRY(check_size(kError, text, "("));
  const auto mark = text.find(kAnyRun);
  if (mark != std::string_view::npos)
    return fail(mistake(kError, mark + 1, "the octet 01 cannot be looked for", text));
  for (const auto& argument : arguments) {
    if (argument.find(kAnyRun) != std::string::npos)
      return fail(mistake(kError, 1, "the octet 01 in an argument cannot be looked for", text));
    if (argument.size() > Tree::kOctetsMax)
      return fail(mistake(kError, 1, "an argument may have 64 KiB", text));
  }
  pegtl::memory_input<> input(text.data(), text.size(), "filter");
  Reading reading{.arguments = arguments};
  try {
    pegtl::parse<filter::whole, Action>(input, reading);
  } catch (const pegtl::parse_error& mistaken) {
    const std::size_t at = mistaken.positions().front().byte;
    const std::string said(mistaken.message());
    const std::string what = said.rfind("parse error", 0) == 0
                                 ? fmt::format(
                                       "found {}; an attribute, name('…'), reftype('…'), "
                                       "addrtype('…'), not, '(' or a value was expected",
                                       at < text.size() ? fmt::format("'{}'", text[at]) : "the end")
                                 : said;
    return fail(mistake(reading.error, at + 1, what, text));
  }
  if (reading.next != arguments.size())
    return fail(mistake(
        kError, text.size() + 1,
        fmt::format("{} arguments were given, {} are used", arguments.size(), reading.next), text));
  HECTOR_CHECK(reading.stack.size() == 1, "the parser left other than one expression");
  reading.tree.root = reading.stack.back();
  CompileOptions options;
  options.undefined = Undefined::kXfn;
  options.error = kError;
  options.text = text;
  return Program::compile(std::move(reading.tree), options);
}

}  // namespace hector::expression
