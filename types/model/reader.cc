#include "types/model/reader.h"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/yaml/yaml_node.h"
#include "types/check/qos.h"
#include "types/model/messages.h"
#include "types/order/expression.h"

namespace hector::types {

using namespace hector::type::v1;

namespace {

std::pair<std::string, std::uint32_t> read_id(const YamlNode& node) {
  const std::string text = node.text();
  const auto slash = text.rfind('/');
  std::uint32_t major = 0;
  if (slash != std::string::npos) {
    std::from_chars(text.data() + slash + 1, text.data() + text.size(), major);
  }
  if (slash == std::string::npos || slash == 0 || major == 0) {
    node.refuse(
        fmt::format("'{}' is not a type id; expected name/major, as in diary.Calendar/1", text));
  }
  return {text.substr(0, slash), major};
}

bool is_name(const std::string& text) {
  if (text.empty() || (std::isalpha(static_cast<unsigned char>(text[0])) == 0 && text[0] != '_'))
    return false;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return false;
  }
  return text != "end" && text != "before";
}

void check_name(const std::string& name, const YamlNode& at) {
  if (!is_name(name))
    at.refuse(fmt::format(
        "'{}' is not a name; expected [A-Za-z_][A-Za-z0-9_]*, not 'end' or 'before'", name));
}

Kind read_kind(const YamlNode& node, bool is_interaction) {
  const std::string kind = node.text();
  std::vector<std::string> known{"rpc", "announce", "stream"};
  if (is_interaction) known.emplace_back("multicast");
  const char* const others =
      is_interaction ? ", and custom Interaction types, as hector.ContractNet/1" : "";
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (kind == known[i]) return static_cast<Kind>(i + 1);
  }
  node.refuse(fmt::format("unknown kind '{}'{}; known are {}{}", kind, nearest_hint(kind, known),
                          fmt::join(known, ", "), others));
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

/// Every symbol, role and chooser of an expression exists.
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

void check_message(const YamlNode& at, const std::string& name, const MessagePool& pool) {
  if (pool.find(name) == nullptr) {
    at.refuse(
        fmt::format("unknown message type '{}'{}; `messages` must list the .proto file that has it",
                    name, nearest_hint(name, pool.names())));
  }
}

void read_operation(const std::string& name, const YamlNode& node, const YamlNode& at,
                    const MessagePool& pool, Operation& operation) {
  check_name(name, at);
  node.only({"kind", "flow", "in", "out", "throws", "idempotent", "qos"});
  operation.set_name(name);
  if (!node.has("kind"))
    node.refuse(fmt::format("{} has no kind; say rpc, announce or stream", node.what()));
  operation.set_kind(read_kind(node.at("kind"), false));
  if (!node.has("in"))
    node.refuse(fmt::format("{} has no `in`, its request's message type", node.what()));
  operation.set_input(node.at("in").text());
  check_message(node.at("in"), operation.input(), pool);
  if (operation.kind() == KIND_ANNOUNCE) {
    if (node.has("out"))
      node.at("out").refuse("an announcement has no reply: remove `out`, or say kind: rpc");
  } else {
    if (!node.has("out"))
      node.refuse(fmt::format("{} has no `out`, its reply's message type", node.what()));
    operation.set_output(node.at("out").text());
    check_message(node.at("out"), operation.output(), pool);
  }
  if (node.has("flow") && operation.kind() != KIND_STREAM)
    node.at("flow").refuse("`flow` belongs to streams only");
  if (operation.kind() == KIND_STREAM) {
    const std::string flow = node.text_or("flow", "out");
    if (flow != "out" && flow != "in" && flow != "both")
      node.at("flow").refuse(fmt::format("unknown flow '{}'; known are out, in, both", flow));
    operation.set_flow(flow == "out" ? FLOW_OUT : flow == "in" ? FLOW_IN : FLOW_BOTH);
  }
  if (node.has("throws")) {
    for (const auto& thrown : node.at("throws").texts()) {
      check_message(node.at("throws"), thrown, pool);
      operation.add_throws(thrown);
    }
  }
  if (node.has("idempotent")) operation.set_idempotent(node.at("idempotent").truth());
  if (node.has("qos")) read_qos(node.at("qos"), *operation.mutable_qos());
}

Interface read_interface(const YamlNode& node, const ProtoSource& folder) {
  node.only({"interface", "description", "messages", "operations", "initiates", "protocol",
             "concurrency"});
  Interface interface;
  auto [name, major] = read_id(node.at("interface"));
  interface.set_name(name);
  interface.set_major(major);
  interface.set_description(node.text_or("description", ""));
  google::protobuf::FileDescriptorSet files;
  if (node.has("messages")) {
    auto read = read_proto_files(folder, node.at("messages").texts());
    if (!read) node.at("messages").refuse(read.error().message);
    files = std::move(*read);
  }
  auto pool = MessagePool::make(files);
  if (!pool) node.refuse(pool.error().message);
  std::vector<std::string> names;
  for (const char* section : {"operations", "initiates"}) {
    if (!node.has(section)) continue;
    node.at(section).each("operation", [&](const std::string& key, const YamlNode& value,
                                           const YamlNode& at) {
      if (std::find(names.begin(), names.end(), key) != names.end())
        at.refuse(fmt::format("operation '{}' stands twice", key));
      names.push_back(key);
      if (names.size() > kOperationsMax)
        at.refuse(fmt::format("more than {} operations", kOperationsMax));
      auto* operation = section[0] == 'o' ? interface.add_operations() : interface.add_initiates();
      read_operation(key, value, at, **pool, *operation);
    });
  }
  if (node.has("protocol")) {
    *interface.mutable_protocol() = read_expression(node.at("protocol"));
    check_names(interface.protocol(), node.at("protocol"), names, nullptr);
  }
  if (node.has("concurrency")) {
    node.at("concurrency")
        .each("concurrency of", [&](const std::string& key, const YamlNode& value,
                                    const YamlNode& at) {
          const std::uint32_t count =
              value.text() == "serial" ? 1 : value.number<std::uint32_t>("a number or 'serial'");
          if (key == "sessions") {
            interface.mutable_concurrency()->set_sessions_max(count);
          } else if (std::find(names.begin(), names.end(), key) == names.end()) {
            at.refuse(fmt::format("concurrency of an unknown operation '{}'{}", key,
                                  nearest_hint(key, names)));
          } else {
            (*interface.mutable_concurrency()->mutable_operations_max())[key] = count;
          }
        });
  }
  interface.set_descriptors(files.SerializeAsString());
  return interface;
}

void read_cardinality(const YamlNode& node, Role& role) {
  const std::string text = node.text();
  const auto dots = text.find("..");
  const char* const end = text.data() + text.size();
  std::uint32_t min = 0;
  auto [after, error] = std::from_chars(text.data(), end, min);
  std::int32_t max = static_cast<std::int32_t>(min);
  bool ok = error == std::errc() &&
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

void read_members(const std::string& name, const YamlNode& node, Role& role) {
  role.set_name(name);
  role.set_members_min(1);
  role.set_members_max(1);
  if (node.has("cardinality")) read_cardinality(node.at("cardinality"), role);
}

void read_role(const std::string& name, const YamlNode& node, const YamlNode& at, Role& role) {
  check_name(name, at);
  node.only({"interface", "cardinality", "trade", "prefer", "optional", "retrade"});
  if (!node.has("interface")) node.refuse(fmt::format("{} has no interface", node.what()));
  read_id(node.at("interface"));
  role.set_interface_id(node.at("interface").text());
  read_members(name, node, role);
  role.set_trade(node.text_or("trade", ""));
  role.set_prefer(node.text_or("prefer", ""));
  if (node.has("optional")) role.set_optional(node.at("optional").truth());
  if (!node.has("retrade")) return;
  const std::vector<std::string> known{"failure", "breach"};
  for (const auto& when : node.at("retrade").texts()) {
    if (std::find(known.begin(), known.end(), when) == known.end()) {
      node.at("retrade").refuse(fmt::format("a role is not traded again on '{}'{}; known are {}",
                                            when, nearest_hint(when, known),
                                            fmt::join(known, ", ")));
    }
    role.add_retrade(when);
  }
}

/// A pattern's interactions are operations of their own name where it says nothing else.
enum class InteractionForm { kOfABinding, kOfAPattern };

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
  interaction.set_kind(read_kind(node.at("kind"), true));
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

void read_pairs(const YamlNode& node, const char* key,
                google::protobuf::RepeatedPtrField<InteractionType::Parameter>& pairs) {
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

InteractionType read_interaction_type(const YamlNode& node) {
  node.only({"interaction", "description", "parameters", "roles", "interactions", "protocol"});
  InteractionType type;
  auto [name, major] = read_id(node.at("interaction"));
  type.set_name(name);
  type.set_major(major);
  type.set_description(node.text_or("description", ""));
  read_pairs(node, "parameters", *type.mutable_parameters());
  std::vector<std::string> roles;
  for (const char* section : {"roles", "interactions", "protocol"}) {
    if (!node.has(section)) node.refuse(fmt::format("an Interaction type needs {}", section));
  }
  node.at("roles").each("role",
                        [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
                          roles.push_back(key);
                          if (roles.size() > kRolesMax)
                            at.refuse(fmt::format("more than {} roles", kRolesMax));
                          check_name(key, at);
                          if (!value.raw().IsNull()) value.only({"cardinality"});
                          read_members(key, value, *type.add_roles());
                        });
  node.at("interactions")
      .each("interaction", [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
        auto* inner = type.add_interactions();
        if (type.interactions_size() > static_cast<int>(kOperationsMax))
          at.refuse(fmt::format("more than {} interactions", kOperationsMax));
        if (is_custom(value)) {
          inner->mutable_interaction()->set_name(key);
          *inner->mutable_use() = read_use(key, value, at);
        } else {
          read_interaction(key, value, at, roles, InteractionForm::kOfAPattern,
                           *inner->mutable_interaction());
        }
      });
  type.set_protocol(node.at("protocol").text());
  return type;
}

/// What is wrong in a pattern is told where it stands.
Binding check_interaction_type(const InteractionType& type, const YamlNode& node,
                               const InteractionTypeLookup& known) {
  std::map<std::string, std::string> values;
  for (const auto& parameter : type.parameters()) values[parameter.name()] = parameter.value();
  std::string mistake;
  const std::string text = with_parameters(type.protocol(), values, mistake);
  if (!mistake.empty()) node.at("protocol").refuse(mistake);
  auto parsed = parse_expression(text);
  if (!parsed)
    node.at("protocol")
        .refuse(fmt::format("in {}: {}", node.at("protocol").what(), parsed.error().message));
  std::vector<std::string> roles, names;
  for (const auto& role : type.roles()) roles.push_back(role.name());
  for (const auto& inner : type.interactions()) names.push_back(inner.interaction().name());
  check_names(*parsed, node.at("protocol"), names, &roles);
  auto binding = as_binding(type, known);
  if (!binding) node.refuse(binding.error().message);
  return std::move(*binding);
}

Binding read_binding(const YamlNode& node, const InteractionTypeLookup& known) {
  node.only({"binding", "description", "roles", "interactions", "protocol", "qos"});
  Binding binding;
  auto [name, major] = read_id(node.at("binding"));
  binding.set_name(name);
  binding.set_major(major);
  binding.set_description(node.text_or("description", ""));
  std::vector<std::string> roles;
  std::vector<std::string> interactions;
  if (!node.has("roles")) node.refuse("a Binding type needs roles");
  node.at("roles").each("role",
                        [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
                          roles.push_back(key);
                          if (roles.size() > kRolesMax)
                            at.refuse(fmt::format("more than {} roles", kRolesMax));
                          read_role(key, value, at, *binding.add_roles());
                        });
  if (!node.has("interactions")) node.refuse("a Binding type needs interactions");
  std::map<std::string, Expansion> uses;
  node.at("interactions")
      .each("interaction", [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
        interactions.push_back(key);
        if (interactions.size() > kOperationsMax)
          at.refuse(fmt::format("more than {} interactions", kOperationsMax));
        if (!is_custom(value))
          return read_interaction(key, value, at, roles, InteractionForm::kOfABinding,
                                  *binding.add_interactions());
        auto& expansion = uses[key];
        if (auto mistake = expand(key, read_use(key, value, at), binding.roles(), known, expansion);
            !mistake.empty())
          value.refuse(mistake);
        for (const auto& interaction : expansion.interactions)
          *binding.add_interactions() = interaction;
      });
  std::set<std::string> taken;
  for (const auto& interaction : binding.interactions()) {
    if (!taken.insert(interaction.name()).second)
      node.at("interactions")
          .refuse(
              fmt::format("two interactions are named '{}', one of them in a custom Interaction",
                          interaction.name()));
  }
  if (!uses.empty() && !node.has("protocol"))
    node.refuse(fmt::format("'{}' is a custom Interaction: say in a protocol where it stands",
                            uses.begin()->first));
  if (node.has("protocol")) {
    *binding.mutable_protocol() = read_expression(node.at("protocol"));
    check_names(binding.protocol(), node.at("protocol"), interactions, &roles);
    if (auto mistake = replace_uses(*binding.mutable_protocol(), uses); !mistake.empty())
      node.at("protocol").refuse(mistake);
  }
  if (node.has("qos")) read_qos(node.at("qos"), *binding.mutable_qos());
  return binding;
}

constexpr std::size_t kDocumentsMax = 1'000;

/// yaml-cpp recurses: deep nesting is refused before it parses.
void check_depth(std::string_view yaml, const std::string& file) {
  std::size_t depth = 0;
  for (const char c : yaml) {
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kTypeFileDepthMax) {
      throw YamlMistake{fmt::format("{}: more than {} open brackets; type files nest less deeply",
                                    file, kTypeFileDepthMax)};
    }
  }
}

/// Each document alone, behind as many empty lines as came before it, so that places stay right.
/// yaml-cpp 0.7's LoadAll never ends on some malformed files (found by fuzzing); Load reads one
/// document.
std::vector<std::string> split_documents(std::string_view yaml) {
  std::vector<std::string> documents(1);
  std::size_t line = 0;
  for (std::size_t at = 0; at < yaml.size(); ++line) {
    const auto end = std::min(yaml.find('\n', at), yaml.size() - 1);
    const std::string_view text = yaml.substr(at, end - at + 1);
    at = end + 1;
    const bool is_mark =
        text.starts_with("---") &&
        (text.size() == 3 || std::isspace(static_cast<unsigned char>(text[3])) != 0);
    if (is_mark && documents.size() < kDocumentsMax) documents.emplace_back(line, '\n');
    documents.back() += text;
  }
  return documents;
}

/// What a document says it is, however broken the rest: for messages about it.
std::string id_of(const std::string& text) {
  for (const char* key : {"interface:", "binding:", "interaction:"}) {
    for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
      if (at != 0 && text[at - 1] != '\n') continue;
      auto begin = text.find_first_not_of(" \t\"'", at + std::strlen(key));
      if (begin == std::string::npos) return {};
      return text.substr(begin, text.find_first_of(" \t\r\n\"'#", begin) - begin);
    }
  }
  return {};
}

/// YAML reserves '@' at the beginning of a value, and protocol expressions begin with it: such a
/// one is put in quotes here, with the lines that go on with it, so that people need not.
std::string quote_choosers(const std::string& text) {
  static constexpr std::string_view kKey = "protocol:";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end_of = [&](std::size_t from) {
      return std::min(text.find('\n', from), text.size());
    };
    std::size_t end = end_of(at);
    const std::string_view line(text.data() + at, end - at);
    const auto value = line.starts_with(kKey) ? line.find_first_not_of(" \t", kKey.size())
                                              : std::string_view::npos;
    if (value != std::string_view::npos && line[value] == '@') {
      while (end + 1 < text.size() && (text[end + 1] == ' ' || text[end + 1] == '\t'))
        end = end_of(end + 1);
      std::string whole = text.substr(at + value, end - at - value);
      for (auto quote = whole.find('\''); quote != std::string::npos;
           quote = whole.find('\'', quote + 2))
        whole.insert(quote, 1, '\'');
      out.append(line.substr(0, value)).append("'").append(whole).append("'");
    } else {
      out.append(line);
    }
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

TypeDocument read_document(const std::string& text, const std::string& file,
                           const ProtoSource& folder, const InteractionTypeLookup& known) {
  TypeDocument read;
  read.id = id_of(text);
  try {
    const YAML::Node document = YAML::Load(quote_choosers(text));
    if (document.IsNull()) return read;
    const YamlNode node(document, file, "the document");
    if (node.has("interface")) {
      read.interface = read_interface(node, folder);
    } else if (node.has("binding")) {
      read.binding = read_binding(node, known);
    } else if (node.has("interaction")) {
      auto type = read_interaction_type(node);
      read.binding = check_interaction_type(type, node, known);
      read.interaction = std::move(type);
    } else {
      node.refuse("a type document starts with 'interface:', 'binding:' or 'interaction:'");
    }
  } catch (const YamlMistake& mistake) {
    read.mistake = Error{Code::kInvalidArgument, mistake.text};
  } catch (const YAML::Exception& error) {
    read.mistake = Error{Code::kInvalidArgument,
                         fmt::format("{}:{}:{}: not YAML: {}", file, error.mark.line + 1,
                                     error.mark.column + 1, error.msg)};
  }
  return read;
}

}  // namespace

std::vector<InteractionType> read_interaction_types(std::string_view yaml,
                                                    const std::string& name) {
  std::vector<InteractionType> types;
  for (const std::string& text : split_documents(yaml)) {
    if (!text.starts_with("interaction:") && text.find("\ninteraction:") == std::string::npos)
      continue;
    try {
      const YAML::Node document = YAML::Load(quote_choosers(text));
      const YamlNode node(document, name, "the document");
      if (node.has("interaction")) types.push_back(read_interaction_type(node));
    } catch (const YamlMistake&) {  // told when the document itself is read
    } catch (const YAML::Exception&) {
    }
  }
  return types;
}

Result<std::vector<TypeDocument>> read_type_documents(std::string_view yaml,
                                                      const std::string& name,
                                                      const ProtoSource& folder,
                                                      const InteractionTypeLookup& known) {
  if (yaml.size() > kTypeFileOctetsMax) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: a type file may have {} octets, this one has {}", name,
                            kTypeFileOctetsMax, yaml.size()));
  }
  try {
    check_depth(yaml, name);
  } catch (const YamlMistake& mistake) {
    return fail(Code::kInvalidArgument, mistake.text);
  }
  std::vector<TypeDocument> documents;
  std::set<std::string> ids;
  std::map<std::string, InteractionType> own;
  for (auto& type : read_interaction_types(yaml, name))
    own.emplace(interaction_type_id(type), type);
  const InteractionTypeLookup all = [&](const std::string& id) -> const InteractionType* {
    const auto found = own.find(id);
    return found != own.end() ? &found->second : known ? known(id) : nullptr;
  };
  for (const std::string& text : split_documents(yaml)) {
    auto read = read_document(text, name, folder, all);
    if (!read.mistake && !read.interface && !read.binding) continue;
    if (!read.mistake && !ids.insert((read.interface     ? "interface "
                                      : read.interaction ? "interaction "
                                                         : "binding ") +
                                     read.id)
                              .second) {
      read.mistake =
          Error{Code::kInvalidArgument, fmt::format("{}: {} stands twice", name, read.id)};
    }
    documents.push_back(std::move(read));
  }
  return documents;
}

Result<TypeFile> read_types(std::string_view yaml, const std::string& name,
                            const ProtoSource& folder, const InteractionTypeLookup& known) {
  auto documents = HECTOR_TRY(read_type_documents(yaml, name, folder, known));
  TypeFile types;
  for (auto& document : documents) {
    if (document.mistake) return fail(std::move(*document.mistake));
    if (document.interface) types.interfaces.push_back(std::move(*document.interface));
    if (document.interaction)
      types.interactions.push_back(std::move(*document.interaction));
    else if (document.binding)
      types.bindings.push_back(std::move(*document.binding));
  }
  return types;
}

Result<TypeFile> read_type_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(Code::kNotFound, fmt::format("type file '{}' cannot be read", path));
  std::stringstream text;
  text << in.rdbuf();
  const auto folder = std::filesystem::absolute(path).parent_path().string();
  return read_types(text.str(), path, folder);
}

}  // namespace hector::types
