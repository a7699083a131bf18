#include "authorisation.h"

#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tao/pegtl.hpp>
#include <tao/pegtl/contrib/parse_tree.hpp>

namespace hector::policy {

namespace pegtl = tao::pegtl;

namespace {

namespace cedar {

struct comment : pegtl::seq<TAO_PEGTL_STRING("//"), pegtl::until<pegtl::eolf>> {};
struct blank : pegtl::star<pegtl::sor<pegtl::space, comment>> {};
template <class Rule>
struct token : pegtl::seq<Rule, blank> {};
template <class Text>
struct word : token<pegtl::seq<Text, pegtl::not_at<pegtl::identifier_other>>> {};
template <char... C>
struct sign : token<pegtl::string<C...>> {};

struct name : pegtl::identifier {};
struct path : pegtl::list<pegtl::identifier, TAO_PEGTL_STRING("::")> {};
struct text_body
    : pegtl::star<pegtl::sor<pegtl::seq<pegtl::one<'\\'>, pegtl::any>, pegtl::not_one<'"', '\n'>>> {
};
struct text : pegtl::if_must<pegtl::one<'"'>, text_body, pegtl::one<'"'>> {};
struct entity : pegtl::seq<pegtl::list<pegtl::identifier, TAO_PEGTL_STRING("::")>,
                           TAO_PEGTL_STRING("::"), pegtl::one<'"'>, text_body, pegtl::one<'"'>> {};
struct number : pegtl::seq<pegtl::plus<pegtl::digit>, pegtl::not_at<pegtl::identifier_other>> {};
struct truth : pegtl::seq<pegtl::sor<TAO_PEGTL_STRING("true"), TAO_PEGTL_STRING("false")>,
                          pegtl::not_at<pegtl::identifier_other>> {};
struct variable : pegtl::seq<pegtl::sor<TAO_PEGTL_STRING("principal"), TAO_PEGTL_STRING("action"),
                                        TAO_PEGTL_STRING("resource"), TAO_PEGTL_STRING("context")>,
                             pegtl::not_at<pegtl::identifier_other>> {};

struct expression;
struct group : pegtl::if_must<sign<'('>, expression, sign<')'>> {};
struct set : pegtl::if_must<sign<'['>,
                            pegtl::opt<pegtl::list<expression, sign<','>>, pegtl::opt<sign<','>>>,
                            sign<']'>> {};
struct field : pegtl::seq<token<pegtl::sor<text, name>>, pegtl::must<sign<':'>, expression>> {};
struct record : pegtl::if_must<sign<'{'>, pegtl::opt<pegtl::list<field, sign<','>>>, sign<'}'>> {};
struct primary : pegtl::sor<token<entity>, token<number>, token<truth>, token<variable>,
                            token<text>, group, set, record> {};
struct arguments
    : pegtl::if_must<sign<'('>, pegtl::opt<pegtl::list<expression, sign<','>>>, sign<')'>> {};
struct call : pegtl::seq<token<name>, arguments> {};
struct attribute : token<name> {};
struct dotted : pegtl::if_must<sign<'.'>, pegtl::sor<call, attribute>> {};
struct indexed : pegtl::if_must<sign<'['>, token<text>, sign<']'>> {};
struct member : pegtl::seq<primary, pegtl::star<pegtl::sor<dotted, indexed>>> {};
struct denied : pegtl::seq<pegtl::one<'!'>, pegtl::not_at<pegtl::one<'='>>, blank> {};
struct minus : sign<'-'> {};
struct unary;
struct negation : pegtl::seq<denied, unary> {};
struct negative : pegtl::seq<minus, unary> {};
struct unary : pegtl::sor<negation, negative, member> {};
struct times : sign<'*'> {};
struct product : pegtl::list<unary, times> {};
struct plus_minus : token<pegtl::one<'+', '-'>> {};
struct sum : pegtl::seq<product, pegtl::star<plus_minus, pegtl::must<product>>> {};
struct relation_sign
    : token<pegtl::sor<TAO_PEGTL_STRING("=="), TAO_PEGTL_STRING("!="), TAO_PEGTL_STRING("<="),
                       TAO_PEGTL_STRING(">="), pegtl::one<'<', '>'>>> {};
struct compared : pegtl::if_must<relation_sign, sum> {};
struct has : pegtl::if_must<word<TAO_PEGTL_STRING("has")>, token<pegtl::sor<text, name>>> {};
struct like : pegtl::if_must<word<TAO_PEGTL_STRING("like")>, token<text>> {};
struct is_in : pegtl::if_must<word<TAO_PEGTL_STRING("in")>, sum> {};
struct is : pegtl::if_must<word<TAO_PEGTL_STRING("is")>, token<path>, pegtl::opt<is_in>> {};
struct relation : pegtl::seq<sum, pegtl::opt<pegtl::sor<compared, has, like, is, is_in>>> {};
struct conjunction : pegtl::list_must<relation, sign<'&', '&'>> {};
struct disjunction : pegtl::list_must<conjunction, sign<'|', '|'>> {};
struct conditional
    : pegtl::if_must<word<TAO_PEGTL_STRING("if")>, expression, word<TAO_PEGTL_STRING("then")>,
                     expression, word<TAO_PEGTL_STRING("else")>, expression> {};
struct expression : pegtl::sor<conditional, disjunction> {};

struct entities : pegtl::if_must<sign<'['>, pegtl::list<token<entity>, sign<','>>, sign<']'>> {};
struct scope_is : pegtl::if_must<word<TAO_PEGTL_STRING("is")>, token<path>,
                                 pegtl::opt<word<TAO_PEGTL_STRING("in")>, token<entity>>> {};
struct scope_equal : pegtl::if_must<sign<'=', '='>, token<entity>> {};
struct scope_in
    : pegtl::if_must<word<TAO_PEGTL_STRING("in")>, pegtl::sor<entities, token<entity>>> {};
struct scope_rest : pegtl::opt<pegtl::sor<scope_equal, scope_in, scope_is>> {};
struct principal_scope : pegtl::seq<word<TAO_PEGTL_STRING("principal")>, scope_rest> {};
struct action_scope : pegtl::seq<word<TAO_PEGTL_STRING("action")>, scope_rest> {};
struct resource_scope : pegtl::seq<word<TAO_PEGTL_STRING("resource")>, scope_rest> {};
struct scope : pegtl::must<sign<'('>, principal_scope, sign<','>, action_scope, sign<','>,
                           resource_scope, pegtl::opt<sign<','>>, sign<')'>> {};
struct effect : word<pegtl::sor<TAO_PEGTL_STRING("permit"), TAO_PEGTL_STRING("forbid")>> {};
struct when : pegtl::if_must<word<TAO_PEGTL_STRING("when")>, sign<'{'>, expression, sign<'}'>> {};
struct unless : pegtl::if_must<word<TAO_PEGTL_STRING("unless")>, sign<'{'>, expression, sign<'}'>> {
};
struct rule
    : pegtl::seq<effect, scope, pegtl::star<pegtl::sor<when, unless>>, pegtl::must<sign<';'>>> {};
struct whole : pegtl::must<blank, pegtl::plus<rule>, pegtl::eof> {};

template <class Rule>
using kept = pegtl::parse_tree::selector<
    Rule,
    pegtl::parse_tree::store_content::on<name, path, text_body, entity, number, truth, variable,
                                         plus_minus, relation_sign, effect, attribute>,
    pegtl::parse_tree::remove_content::on<
        set, field, record, arguments, call, dotted, indexed, negation, negative, times, compared,
        has, like, is_in, is, conditional, entities, scope_is, scope_equal, scope_in,
        principal_scope, action_scope, resource_scope, when, unless, rule>,
    pegtl::parse_tree::fold_one::on<member, product, sum, relation, conjunction, disjunction>>;

}  // namespace cedar

using Node = pegtl::parse_tree::node;

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
    text.pop_back();
  return text;
}
/// Of the octets between the quotes. In patterns "\*" stays for match().
std::string unescaped(std::string_view body, bool is_pattern = false) {
  std::string text;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || i + 1 == body.size()) {
      text += body[i];
      continue;
    }
    const char next = body[++i];
    if (next == '*' && is_pattern)
      text += "\\*";
    else
      text += next == 'n'   ? '\n'
              : next == 't' ? '\t'
              : next == 'r' ? '\r'
              : next == '0' ? '\0'
                            : next;
  }
  return text;
}
EntityId entity_of(const Node& node) {
  const std::string text = trimmed(node.string());
  const auto quote = text.find('"');
  return {text.substr(0, quote - 2),
          unescaped(std::string_view(text).substr(quote + 1, text.size() - quote - 2))};
}

/// '*' is any run, "\*" itself.
bool is_like(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, p = 0, star = std::string_view::npos, mark = 0;
  const auto literal = [&](std::size_t i) {
    return pattern[i] == '\\' && i + 1 < pattern.size() && pattern[i + 1] == '*'
               ? std::pair('*', std::size_t{2})
               : std::pair(pattern[i], std::size_t{1});
  };
  while (at < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = at;
    } else if (p < pattern.size() && literal(p).first == text[at]) {
      p += literal(p).second;
      ++at;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      at = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

struct Mistake {
  std::string text;
};

}  // namespace

/// A text and its tree, whose nodes point into it.
struct ReadText {
  std::string text;
  std::unique_ptr<Node> root;
};

/// One policy. Its parts point into what was read.
struct Rule {
  std::string name;  ///< the set's, and its number from 1 where there are several
  bool forbids = false;
  const Node* principal = nullptr;
  const Node* action = nullptr;
  const Node* resource = nullptr;
  std::vector<std::pair<const Node*, bool>> conditions;  ///< and whether it has to hold
  std::shared_ptr<const ReadText> read;
};

bool Datum::operator==(const Datum& other) const {
  if (value.index() != other.value.index()) return false;
  if (const auto* set = std::get_if<std::shared_ptr<const Set>>(&value)) {
    const auto& theirs = *std::get<std::shared_ptr<const Set>>(other.value);
    const auto within = [](const Set& a, const Set& b) {
      return std::all_of(a.begin(), a.end(), [&](const Datum& each) {
        return std::find(b.begin(), b.end(), each) != b.end();
      });
    };
    return within(**set, theirs) && within(theirs, **set);
  }
  if (const auto* record = std::get_if<std::shared_ptr<const Record>>(&value))
    return **record == *std::get<std::shared_ptr<const Record>>(other.value);
  return value == other.value;
}

std::string print(const EntityId& id) { return fmt::format("{}::\"{}\"", id.type, id.id); }

Result<EntityId> read_entity_id(std::string_view text) {
  const auto at = text.rfind("::");
  if (at == std::string_view::npos || at == 0 || at + 2 >= text.size())
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is no entity: write User::\"ann\"", text));
  std::string_view id = text.substr(at + 2);
  std::size_t type_end = at;
  if (const auto quote = text.find("::\"");
      quote != std::string_view::npos && text.ends_with('"') && text.size() > quote + 3) {
    type_end = quote;
    return EntityId{std::string(text.substr(0, type_end)),
                    unescaped(text.substr(quote + 3, text.size() - quote - 4))};
  }
  return EntityId{std::string(text.substr(0, type_end)), std::string(id)};
}

namespace {

Datum datum_of(const google::protobuf::Value& value);
Datum::Record record_of(const google::protobuf::Struct& fields) {
  Datum::Record record;
  for (const auto& [name, value] : fields.fields()) record[name] = datum_of(value);
  return record;
}
Datum datum_of(const google::protobuf::Value& value) {
  using Kind = google::protobuf::Value::KindCase;
  switch (value.kind_case()) {
    case Kind::kBoolValue:
      return {value.bool_value()};
    case Kind::kStringValue:
      return {value.string_value()};
    case Kind::kNumberValue:
      if (value.number_value() != std::floor(value.number_value()) ||
          std::abs(value.number_value()) > 9e15)
        throw Mistake{fmt::format("{} is no whole number", value.number_value())};
      return {static_cast<std::int64_t>(value.number_value())};
    case Kind::kListValue: {
      auto set = std::make_shared<Datum::Set>();
      for (const auto& each : value.list_value().values()) set->push_back(datum_of(each));
      return {std::shared_ptr<const Datum::Set>(std::move(set))};
    }
    case Kind::kStructValue: {
      const auto& fields = value.struct_value().fields();
      if (const auto entity = fields.find("__entity"); entity != fields.end()) {
        const auto& parts = entity->second.struct_value().fields();
        if (parts.contains("type") && parts.contains("id"))
          return {EntityId{parts.at("type").string_value(), parts.at("id").string_value()}};
      }
      return {std::make_shared<const Datum::Record>(record_of(value.struct_value()))};
    }
    default:
      throw Mistake{"null is no value"};
  }
}

}  // namespace

Result<Datum::Record> read_record(const std::string& json) {
  google::protobuf::Struct fields;
  if (!json.empty() && !google::protobuf::util::JsonStringToMessage(json, &fields).ok())
    return fail(Code::kInvalidArgument, fmt::format("'{}' is no JSON object", json.substr(0, 100)));
  try {
    return record_of(fields);
  } catch (const Mistake& mistake) {
    return fail(Code::kInvalidArgument, mistake.text);
  }
}

Result<std::shared_ptr<const RuleSet>> RuleSet::read(const std::string& name,
                                                     const std::string& text) {
  const auto wrong = [&](std::size_t line, std::size_t column, const std::string& why) {
    return fail(
        Error::invalid_argument(fmt::format("BAD_POLICY: {}:{}:{}: {}", name, line, column, why))
            .with_type("BAD_POLICY"));
  };
  if (text.size() > kOctetsMax)
    return wrong(1, 1, fmt::format("policies may have {} octets together", kOctetsMax));
  std::size_t depth = 0;
  std::size_t signs = 0;  // unary ones in a row
  for (const char each : text) {
    if (each == '(' || each == '[' || each == '{') ++depth;
    if ((each == ')' || each == ']' || each == '}') && depth > 0) --depth;
    signs = each == '!' || each == '-'                            ? signs + 1
            : std::isspace(static_cast<unsigned char>(each)) != 0 ? signs
                                                                  : 0;
    if (depth > kDepthMax || signs > kDepthMax)
      return wrong(1, 1, fmt::format("nested more than {} deep", kDepthMax));
  }
  try {
    auto read = std::make_shared<ReadText>();
    read->text = text;
    pegtl::memory_input input(read->text, name);
    read->root = pegtl::parse_tree::parse<cedar::whole, cedar::kept>(input);
    auto set = std::make_shared<RuleSet>();
    for (const auto& node : read->root->children) {
      auto rule = std::make_shared<Rule>();
      rule->read = read;
      rule->name = read->root->children.size() == 1
                       ? name
                       : fmt::format("{}[{}]", name, set->rules.size() + 1);
      for (const auto& part : node->children) {
        if (part->is_type<cedar::effect>())
          rule->forbids = part->string_view().starts_with("forbid");
        else if (part->is_type<cedar::principal_scope>())
          rule->principal = part.get();
        else if (part->is_type<cedar::action_scope>())
          rule->action = part.get();
        else if (part->is_type<cedar::resource_scope>())
          rule->resource = part.get();
        else
          rule->conditions.emplace_back(part->children.front().get(), part->is_type<cedar::when>());
      }
      set->rules.push_back(std::move(rule));
    }
    return std::shared_ptr<const RuleSet>(std::move(set));
  } catch (const pegtl::parse_error& error) {
    const auto& at = error.positions().front();
    return wrong(at.line, at.column,
                 "a policy is permit or forbid (principal, action, resource), when { … }, unless { "
                 "… } and ';'; this cannot be read on from here");
  }
}

namespace {

class Evaluation {
 public:
  Evaluation(const Entities& entities, const Request& request)
      : entities_(entities), request_(request) {}

  bool is_in_scope(const Rule& rule) const {
    return fits(*rule.principal, request_.principal) && fits(*rule.action, request_.action) &&
           fits(*rule.resource, request_.resource);
  }
  bool holds(const Node& node) const { return truth(value(node)); }

 private:
  [[noreturn]] static void refuse(const std::string& why) { throw Mistake{why}; }
  static bool truth(const Datum& datum) {
    if (const auto* value = std::get_if<bool>(&datum.value)) return *value;
    refuse("not true or false");
  }
  static std::int64_t number(const Datum& datum) {
    if (const auto* value = std::get_if<std::int64_t>(&datum.value)) return *value;
    refuse("no number");
  }
  static const EntityId& entity(const Datum& datum) {
    if (const auto* value = std::get_if<EntityId>(&datum.value)) return *value;
    refuse("no entity");
  }
  static const Datum::Set& set(const Datum& datum) {
    if (const auto* value = std::get_if<std::shared_ptr<const Datum::Set>>(&datum.value))
      return **value;
    refuse("no set");
  }
  bool is_below(const EntityId& id, const EntityId& above) const {
    std::vector<EntityId> open = {id};
    std::set<EntityId> seen;
    while (!open.empty()) {
      const EntityId at = open.back();
      open.pop_back();
      if (at == above) return true;
      if (!seen.insert(at).second) continue;
      const auto found = entities_.find(at);
      if (found != entities_.end())
        open.insert(open.end(), found->second.parents.begin(), found->second.parents.end());
    }
    return false;
  }
  bool fits(const Node& scope, const EntityId& id) const {
    if (scope.children.empty()) return true;
    const Node& rule = *scope.children.front();
    if (rule.is_type<cedar::scope_equal>()) return entity_of(*rule.children.front()) == id;
    if (rule.is_type<cedar::scope_is>()) {
      if (trimmed(rule.children.front()->string()) != id.type) return false;
      return rule.children.size() < 2 || is_below(id, entity_of(*rule.children[1]));
    }
    const Node& target = *rule.children.front();
    if (target.is_type<cedar::entity>()) return is_below(id, entity_of(target));
    return std::any_of(target.children.begin(), target.children.end(),
                       [&](const auto& each) { return is_below(id, entity_of(*each)); });
  }
  bool is_within(const Datum& left, const Datum& right) const {
    const EntityId& id = entity(left);
    if (std::holds_alternative<EntityId>(right.value)) return is_below(id, entity(right));
    const auto& all = set(right);
    return std::any_of(all.begin(), all.end(),
                       [&](const Datum& each) { return is_below(id, entity(each)); });
  }

  const Datum::Record* record_of(const Datum& datum) const {
    if (const auto* record = std::get_if<std::shared_ptr<const Datum::Record>>(&datum.value))
      return record->get();
    const auto found = entities_.find(entity(datum));
    return found == entities_.end() ? nullptr : &found->second.attributes;
  }
  Datum attribute(const Datum& of, const std::string& name) const {
    const auto* const record = record_of(of);
    if (record == nullptr) refuse(fmt::format("entity {} is not known", print(entity(of))));
    const auto found = record->find(name);
    if (found == record->end()) refuse(fmt::format("there is no attribute '{}'", name));
    return found->second;
  }
  Datum called(const Datum& of, const Node& call) const {
    const std::string name = trimmed(call.children[0]->string());
    const auto& given = call.children[1]->children;
    if (name == "isEmpty" && given.empty()) return {set(of).empty()};
    if (given.size() != 1)
      refuse(fmt::format("there is no {} of {} arguments", name, given.size()));
    const Datum argument = value(*given[0]);
    const auto& all = set(of);
    const auto contains = [&](const Datum& each) {
      return std::find(all.begin(), all.end(), each) != all.end();
    };
    if (name == "contains") return {contains(argument)};
    if (name == "containsAll")
      return {std::all_of(set(argument).begin(), set(argument).end(), contains)};
    if (name == "containsAny")
      return {std::any_of(set(argument).begin(), set(argument).end(), contains)};
    refuse(fmt::format("there is no {}()", name));
  }
  static std::string key_of(const Node& node) {
    return node.is_type<cedar::text_body>() ? unescaped(node.string_view())
                                            : trimmed(node.string());
  }

  Datum member(const Node& node) const {
    Datum at = value(*node.children.front());
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      const Node& step = *node.children[i]->children.front();
      at = step.is_type<cedar::call>() ? called(at, step) : attribute(at, key_of(step));
    }
    return at;
  }
  Datum relation(const Node& node) const {
    const Node& right = *node.children[1];
    const Datum left = value(*node.children[0]);
    if (right.is_type<cedar::has>()) {
      const auto* const record = record_of(left);
      return {record != nullptr && record->contains(key_of(*right.children[0]))};
    }
    if (right.is_type<cedar::like>()) {
      const auto* const text = std::get_if<std::string>(&left.value);
      if (text == nullptr) refuse("no text");
      return {is_like(*text, unescaped(right.children[0]->string_view(), true))};
    }
    if (right.is_type<cedar::is>()) {
      if (entity(left).type != trimmed(right.children[0]->string())) return {false};
      return {right.children.size() < 2 ||
              is_within(left, value(*right.children[1]->children.front()))};
    }
    if (right.is_type<cedar::is_in>()) return {is_within(left, value(*right.children[0]))};
    const std::string sign = trimmed(right.children[0]->string());
    const Datum other = value(*right.children[1]);
    if (sign == "==") return {left == other};
    if (sign == "!=") return {!(left == other)};
    const auto a = number(left), b = number(other);
    return {sign == "<" ? a < b : sign == "<=" ? a <= b : sign == ">" ? a > b : a >= b};
  }
  Datum arithmetic(const Node& node) const {
    std::int64_t total = number(value(*node.children[0]));
    const bool is_product = node.is_type<cedar::product>();
    for (std::size_t i = 1; i + 1 < node.children.size() + (is_product ? 1 : 0);
         i += is_product ? 1 : 2) {
      if (is_product && node.children[i]->is_type<cedar::times>()) continue;
      const std::int64_t other = number(value(*node.children[is_product ? i : i + 1]));
      std::int64_t next = 0;
      const bool overflows = is_product ? __builtin_mul_overflow(total, other, &next)
                             : node.children[i]->string_view().starts_with('+')
                                 ? __builtin_add_overflow(total, other, &next)
                                 : __builtin_sub_overflow(total, other, &next);
      if (overflows) refuse("the number is too large");
      total = next;
    }
    return {total};
  }
  Datum value(const Node& node) const {
    if (node.is_type<cedar::truth>()) return {node.string_view().starts_with("true")};
    if (node.is_type<cedar::number>()) {
      std::int64_t number = 0;
      const auto text = node.string_view();
      if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
        refuse("the number is too large");
      return {number};
    }
    if (node.is_type<cedar::text_body>()) return {unescaped(node.string_view())};
    if (node.is_type<cedar::entity>()) return {entity_of(node)};
    if (node.is_type<cedar::variable>()) {
      const std::string name = trimmed(node.string());
      if (name == "context") return {std::make_shared<const Datum::Record>(request_.context)};
      return {name == "principal" ? request_.principal
              : name == "action"  ? request_.action
                                  : request_.resource};
    }
    if (node.is_type<cedar::member>()) return member(node);
    if (node.is_type<cedar::negation>()) return {!truth(value(*node.children[0]))};
    if (node.is_type<cedar::negative>()) {
      std::int64_t negative = 0;
      if (__builtin_sub_overflow(std::int64_t{0}, number(value(*node.children[0])), &negative))
        refuse("the number is too large");
      return {negative};
    }
    if (node.is_type<cedar::relation>()) return relation(node);
    if (node.is_type<cedar::product>() || node.is_type<cedar::sum>()) return arithmetic(node);
    if (node.is_type<cedar::conjunction>())
      return {std::all_of(node.children.begin(), node.children.end(),
                          [&](const auto& each) { return truth(value(*each)); })};
    if (node.is_type<cedar::disjunction>())
      return {std::any_of(node.children.begin(), node.children.end(),
                          [&](const auto& each) { return truth(value(*each)); })};
    if (node.is_type<cedar::conditional>())
      return value(*node.children[truth(value(*node.children[0])) ? 1 : 2]);
    if (node.is_type<cedar::set>()) {
      auto set = std::make_shared<Datum::Set>();
      for (const auto& each : node.children) set->push_back(value(*each));
      return {std::shared_ptr<const Datum::Set>(std::move(set))};
    }
    if (node.is_type<cedar::record>()) {
      auto record = std::make_shared<Datum::Record>();
      for (const auto& each : node.children)
        (*record)[key_of(*each->children[0])] = value(*each->children[1]);
      return {std::shared_ptr<const Datum::Record>(std::move(record))};
    }
    refuse("this cannot be evaluated");
  }

  const Entities& entities_;
  const Request& request_;
};

/// Reasons why a schema refuses a policy.
class SchemaCheck {
 public:
  SchemaCheck(const v1::PolicySchema& schema, const Rule& rule, std::vector<std::string>& reasons)
      : schema_(schema), rule_(rule), reasons_(reasons) {}
  void run() {
    check_entities(*rule_.principal, false);
    check_entities(*rule_.action, true);
    check_entities(*rule_.resource, false);
    for (const auto& [node, has_to_hold] : rule_.conditions) {
      find_guards(*node);
      walk(*node);
    }
  }

 private:
  void say(const std::string& why) { reasons_.push_back(fmt::format("{}: {}", rule_.name, why)); }
  void check_entities(const Node& node, bool is_action) {
    for (const auto& each : node.children) check_entities(*each, is_action);
    if (node.is_type<cedar::entity>()) {
      const EntityId id = entity_of(node);
      if (is_action && !schema_.actions().contains(id.id))
        say(fmt::format("the schema has no action '{}'", id.id));
      if (!is_action && !schema_.entities().contains(id.type))
        say(fmt::format("the schema has no entity type '{}'", id.type));
    }
    if (node.is_type<cedar::path>() && !schema_.entities().contains(trimmed(node.string())))
      say(fmt::format("the schema has no entity type '{}'", trimmed(node.string())));
  }
  /// What the variable may be: by the scope, else by the actions that the policy is about.
  std::set<std::string> types_of(const std::string& variable) const {
    const Node& scope = variable == "principal" ? *rule_.principal : *rule_.resource;
    if (!scope.children.empty()) {
      const Node& rule = *scope.children.front();
      if (rule.is_type<cedar::scope_is>()) return {trimmed(rule.children.front()->string())};
      if (rule.is_type<cedar::scope_equal>()) return {entity_of(*rule.children.front()).type};
    }
    std::set<std::string> types;
    std::vector<std::string> actions;
    collect_actions(*rule_.action, actions);
    for (const auto& [name, action] : schema_.actions()) {
      if (!actions.empty() && std::find(actions.begin(), actions.end(), name) == actions.end())
        continue;
      const auto& list = variable == "principal" ? action.principals() : action.resources();
      types.insert(list.begin(), list.end());
    }
    return types;
  }
  static void collect_actions(const Node& node, std::vector<std::string>& actions) {
    for (const auto& each : node.children) collect_actions(*each, actions);
    if (node.is_type<cedar::entity>()) actions.push_back(entity_of(node).id);
  }
  static std::string access_of(const Node& variable, const Node& key) {
    return trimmed(variable.string()) + "." +
           (key.is_type<cedar::text_body>() ? unescaped(key.string_view()) : trimmed(key.string()));
  }
  void find_guards(const Node& node) {
    for (const auto& each : node.children) find_guards(*each);
    if (node.is_type<cedar::relation>() && node.children.size() == 2 &&
        node.children[1]->is_type<cedar::has>() && node.children[0]->is_type<cedar::variable>()) {
      guarded_.insert(access_of(*node.children[0], *node.children[1]->children[0]));
    }
  }
  void walk(const Node& node) {
    for (const auto& each : node.children) walk(*each);
    if (node.is_type<cedar::entity>() && !schema_.entities().contains(entity_of(node).type) &&
        entity_of(node).type != "Action")
      say(fmt::format("the schema has no entity type '{}'", entity_of(node).type));
    if (!node.is_type<cedar::member>() || !node.children[0]->is_type<cedar::variable>()) return;
    const std::string variable = trimmed(node.children[0]->string());
    const Node& step = *node.children[1]->children.front();
    if ((variable != "principal" && variable != "resource") || step.is_type<cedar::call>()) return;
    const std::string access = access_of(*node.children[0], step);
    const std::string name = access.substr(access.find('.') + 1);
    for (const auto& type : types_of(variable)) {
      const auto known = schema_.entities().find(type);
      if (known == schema_.entities().end()) continue;
      const auto attribute = known->second.attributes().find(name);
      if (attribute == known->second.attributes().end())
        say(fmt::format("{}: entities of type {} have no attribute '{}'", access, type, name));
      else if (attribute->second.ends_with('?') && !guarded_.contains(access))
        say(fmt::format("{}: '{}' of {} need not be there; ask '{} has {}' first", access, name,
                        type, variable, name));
    }
  }
  const v1::PolicySchema& schema_;
  const Rule& rule_;
  std::vector<std::string>& reasons_;
  std::set<std::string> guarded_;
};

}  // namespace

Status RuleSet::check(const v1::PolicySchema& schema) const {
  std::vector<std::string> reasons;
  for (const auto& rule : rules) SchemaCheck(schema, *rule, reasons).run();
  if (reasons.empty()) return {};
  return fail(Error::invalid_argument("SCHEMA: the policies do not fit the schema")
                  .with_type("SCHEMA")
                  .with_reasons(std::move(reasons)));
}

v1::PolicyDecision decide(const std::vector<std::shared_ptr<const RuleSet>>& sets,
                          const Entities& entities, const Request& request) {
  v1::PolicyDecision decision;
  const Evaluation evaluation(entities, request);
  std::vector<std::string> permits, forbids;
  for (const auto& set : sets) {
    for (const auto& rule : set->rules) {
      if (!evaluation.is_in_scope(*rule)) continue;
      try {
        const bool holds = std::all_of(
            rule->conditions.begin(), rule->conditions.end(),
            [&](const auto& each) { return evaluation.holds(*each.first) == each.second; });
        if (holds) (rule->forbids ? forbids : permits).push_back(rule->name);
      } catch (const Mistake& mistake) {
        decision.add_errors(fmt::format("{}: {}", rule->name, mistake.text));
        if (rule->forbids) forbids.push_back(rule->name);
      }
    }
  }
  decision.set_allowed(forbids.empty() && !permits.empty());
  for (auto& each : forbids.empty() ? permits : forbids) decision.add_reasons(std::move(each));
  return decision;
}

}  // namespace hector::policy
