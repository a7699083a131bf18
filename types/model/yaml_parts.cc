#include "types/model/yaml_parts.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "types/model/qos.h"
#include "types/order/expression.h"

namespace hector::types {

using namespace hector::type::v1;

namespace {

/// Words of protocol expressions.
bool is_reserved(const std::string& text) { return text == "end" || text == "before"; }

bool is_identifier(const std::string& text) {
  if (std::isalpha(static_cast<unsigned char>(text[0])) == 0 && text[0] != '_') return false;
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

[[noreturn]] void refuse_name(const std::string& name, const YamlNode& at) {
  at.refuse(fmt::format(
      "'{}' is not a name; expected [A-Za-z_][A-Za-z0-9_]*, not 'end' or 'before'", name));
}

std::string read_one_of(const YamlNode& node, const char* key,
                        const std::vector<std::string>& known) {
  const auto at = node.at(key);
  if (std::find(known.begin(), known.end(), at.text()) == known.end()) {
    at.refuse(fmt::format("unknown {} '{}'{}; known are {}", key, at.text(),
                          nearest_hint(at.text(), known), fmt::join(known, ", ")));
  }
  return at.text();
}

void read_cardinality(const YamlNode& node, Role& role) {
  const std::string text = node.text();
  const auto dots = text.find("..");
  const char* const end = text.data() + text.size();
  std::uint32_t min = 0;
  auto [after, error] = std::from_chars(text.data(), end, min);
  std::int32_t max = static_cast<std::int32_t>(min);
  bool ok = error == std::errc() && min <= std::numeric_limits<std::int32_t>::max() &&
            (dots == std::string::npos ? after == end : after == text.data() + dots);
  if (ok && dots != std::string::npos) {
    const char* upper = text.data() + dots + 2;
    if (end - upper == 1 && *upper == '*') {
      max = -1;
    } else {
      auto [stop, wrong] = std::from_chars(upper, end, max);
      ok = wrong == std::errc() && stop == end && max >= static_cast<std::int32_t>(min);
    }
  }
  if (!ok || max == 0)
    node.refuse(fmt::format("'{}' is not a cardinality; expected n, n..m or n..*", text));
  role.set_members_min(min);
  role.set_members_max(max);
}

}  // namespace

std::pair<std::string, std::uint32_t> read_id(const YamlNode& node) {
  const std::string text = node.text();
  const auto slash = text.rfind('/');
  std::uint32_t major = 0;
  bool is_number = false;
  if (slash != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto [stop, wrong] = std::from_chars(text.data() + slash + 1, end, major);
    is_number = wrong == std::errc() && stop == end;
  }
  if (slash == 0 || !is_number || major == 0) {
    node.refuse(
        fmt::format("'{}' is not a type id; expected name/major, as in diary.Calendar/1", text));
  }
  return {text.substr(0, slash), major};
}

void check_name(const std::string& name, const YamlNode& at) {
  check_operation_name(name, at);
  if (is_reserved(name)) refuse_name(name, at);
}

void check_operation_name(const std::string& name, const YamlNode& at) {
  if (name.empty())
    at.refuse(
        "a name is missing (null, NULL and ~ are nothing in YAML; as a name they stand in quotes)");
  if (!is_identifier(name)) refuse_name(name, at);
}

Kind read_kind(const YamlNode& node, KindOf of) {
  const std::string kind = node.text();
  std::vector<std::string> known{"rpc", "announce", "stream"};
  if (of == KindOf::kInteraction) known.emplace_back("multicast");
  const char* const others =
      of == KindOf::kInteraction ? ", and custom Interaction types, as hector.ContractNet/1" : "";
  static_assert(KIND_RPC == 1 && KIND_ANNOUNCE == 2 && KIND_STREAM == 3 && KIND_MULTICAST == 4,
                "the words stand in the order of the kinds");
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (kind == known[i]) return static_cast<Kind>(i + 1);
  }
  node.refuse(fmt::format("unknown kind '{}'{}; known are {}{}", kind, nearest_hint(kind, known),
                          fmt::join(known, ", "), others));
}

void read_qos(const YamlNode& node, Qos& qos) {
  node.only({"deadline_ms", "rate_max", "reliability", "ordering", "privacy", "message_octets_max",
             "cost_max"});
  if (node.has("deadline_ms"))
    qos.set_deadline_ms(node.at("deadline_ms").number<std::uint64_t>("a number of milliseconds"));
  if (node.has("rate_max"))
    qos.set_rate_max(node.at("rate_max").number<double>("a number of messages a second"));
  if (node.has("reliability"))
    qos.set_reliability(read_one_of(node, "reliability", reliabilities()));
  if (node.has("ordering")) qos.set_ordering(read_one_of(node, "ordering", orderings()));
  if (node.has("privacy")) qos.set_privacy(read_one_of(node, "privacy", privacies()));
  if (node.has("message_octets_max")) {
    qos.set_message_octets_max(
        node.at("message_octets_max").number<std::uint64_t>("a number of octets"));
  }
  if (node.has("cost_max")) qos.set_cost_max(node.at("cost_max").number<double>("an amount"));
}

Expression read_expression(const YamlNode& node) {
  const std::string text = node.text();
  auto parsed = parse_expression(text);
  if (!parsed) node.refuse(fmt::format("in {}: {}", node.what(), parsed.error().message));
  return std::move(*parsed);
}

void check_names(const Expression& expression, const YamlNode& at,
                 const std::vector<std::string>& symbols, const std::vector<std::string>* roles) {
  const auto check_role = [&](const std::string& role) {
    if (roles == nullptr)
      at.refuse("an Interface's protocol has no roles: [role] and @role belong to Binding types");
    if (std::find(roles->begin(), roles->end(), role) == roles->end()) {
      at.refuse(fmt::format("the protocol names an unknown role '{}'{}", role,
                            nearest_hint(role, *roles)));
    }
  };
  each_part(expression, [&](const Expression& part) {
    if (part.has_chosen()) check_role(part.chosen().role());
    if (!part.has_symbol()) return;
    if (std::find(symbols.begin(), symbols.end(), part.symbol().name()) == symbols.end()) {
      at.refuse(fmt::format("the protocol names an unknown {} '{}'{}",
                            roles == nullptr ? "operation" : "interaction", part.symbol().name(),
                            nearest_hint(part.symbol().name(), symbols)));
    }
    if (!part.symbol().role().empty()) check_role(part.symbol().role());
  });
}

void read_members(const std::string& name, const YamlNode& node, Role& role) {
  role.set_name(name);
  role.set_members_min(1);
  role.set_members_max(1);
  if (node.has("cardinality")) read_cardinality(node.at("cardinality"), role);
}

void read_interaction(const std::string& name, const YamlNode& node, const YamlNode& at,
                      const std::vector<std::string>& roles, InteractionForm form,
                      Interaction& interaction) {
  check_name(name, at);
  node.only({"kind", "from", "to", "operation", "qos"});
  interaction.set_name(name);
  for (const char* key : {"kind", "from", "to", "operation"}) {
    const bool is_needed =
        std::string_view(key) != "operation" || form == InteractionForm::kOfABinding;
    if (is_needed && !node.has(key)) node.refuse(fmt::format("{} has no '{}'", node.what(), key));
  }
  interaction.set_kind(read_kind(node.at("kind"), KindOf::kInteraction));
  for (const char* end : {"from", "to"}) {
    const std::string role = node.at(end).text();
    if (std::find(roles.begin(), roles.end(), role) == roles.end()) {
      node.at(end).refuse(fmt::format("unknown role '{}'{}", role, nearest_hint(role, roles)));
    }
  }
  interaction.set_from(node.at("from").text());
  interaction.set_to(node.at("to").text());
  if (interaction.from() == interaction.to())
    node.at("to").refuse("an interaction goes to another role, not to its own");
  interaction.set_operation(node.text_or("operation", name));
  if (node.has("qos")) read_qos(node.at("qos"), *interaction.mutable_qos());
}

bool is_custom(const YamlNode& node) {
  return node.has("kind") && node.at("kind").raw().IsScalar() &&
         node.at("kind").text().find('/') != std::string::npos;
}

void read_pairs(const YamlNode& node, const char* key, Pairs& pairs) {
  if (!node.has(key)) return;
  node.at(key).each(key, [&](const std::string& name, const YamlNode& value, const YamlNode&) {
    auto* pair = pairs.Add();
    pair->set_name(name);
    pair->set_value(value.text());
  });
}

InteractionType::Use read_use(const std::string& name, const YamlNode& node, const YamlNode& at) {
  check_name(name, at);
  node.only({"kind", "roles", "operations", "with"});
  InteractionType::Use use;
  read_id(node.at("kind"));
  use.set_type(node.at("kind").text());
  read_pairs(node, "roles", *use.mutable_roles());
  read_pairs(node, "operations", *use.mutable_operations());
  read_pairs(node, "with", *use.mutable_with());
  return use;
}

}  // namespace hector::types
