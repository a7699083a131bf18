#include "types/model/reader.h"

#include <filesystem>
#include <map>
#include <set>

#include "base/text/read_file.h"
#include "base/yaml/yaml_node.h"
#include "types/model/interaction_type_reader.h"
#include "types/model/messages.h"
#include "types/model/yaml_documents.h"
#include "types/model/yaml_parts.h"
#include "types/order/expression.h"

namespace hector::types {

using namespace hector::type::v1;

namespace {

void check_message(const YamlNode& at, const std::string& name, const MessagePool& pool) {
  if (pool.find(name) == nullptr) {
    at.refuse(
        fmt::format("unknown message type '{}'{}; `messages` must list the .proto file that has it",
                    name, nearest_hint(name, pool.names())));
  }
}

void read_flow(const YamlNode& node, Operation& operation) {
  if (operation.kind() != KIND_STREAM) {
    if (node.has("flow")) node.at("flow").refuse("`flow` belongs to streams only");
    return;
  }
  const std::string flow = node.text_or("flow", "out");
  if (flow != "out" && flow != "in" && flow != "both")
    node.at("flow").refuse(fmt::format("unknown flow '{}'; known are out, in, both", flow));
  operation.set_flow(flow == "out" ? FLOW_OUT : flow == "in" ? FLOW_IN : FLOW_BOTH);
}

void read_reply(const YamlNode& node, const MessagePool& pool, Operation& operation) {
  if (operation.kind() == KIND_ANNOUNCE) {
    if (node.has("out"))
      node.at("out").refuse("an announcement has no reply: remove `out`, or say kind: rpc");
    return;
  }
  if (!node.has("out"))
    node.refuse(fmt::format("{} has no `out`, its reply's message type", node.what()));
  operation.set_output(node.at("out").text());
  check_message(node.at("out"), operation.output(), pool);
}

void read_operation(const std::string& name, const YamlNode& node, const YamlNode& at,
                    const MessagePool& pool, Operation& operation) {
  node.only({"kind", "flow", "in", "out", "throws", "idempotent", "qos"});
  operation.set_name(name);
  if (!node.has("kind"))
    node.refuse(fmt::format("{} has no kind; say rpc, announce or stream", node.what()));
  operation.set_kind(read_kind(node.at("kind"), KindOf::kOperation));
  if (!node.has("in"))
    node.refuse(fmt::format("{} has no `in`, its request's message type", node.what()));
  operation.set_input(node.at("in").text());
  check_message(node.at("in"), operation.input(), pool);
  read_reply(node, pool, operation);
  read_flow(node, operation);
  if (node.has("throws")) {
    for (const auto& thrown : node.at("throws").texts()) {
      check_message(node.at("throws"), thrown, pool);
      operation.add_throws(thrown);
    }
  }
  if (node.has("idempotent")) operation.set_idempotent(node.at("idempotent").truth());
  if (node.has("qos")) read_qos(node.at("qos"), *operation.mutable_qos());
}

void read_concurrency(const YamlNode& node, const std::vector<std::string>& operations,
                      Interface& interface) {
  node.each(
      "concurrency of", [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
        const std::uint32_t count =
            value.text() == "serial" ? 1 : value.number<std::uint32_t>("a number or 'serial'");
        if (key == "sessions") {
          interface.mutable_concurrency()->set_sessions_max(count);
        } else if (std::find(operations.begin(), operations.end(), key) == operations.end()) {
          at.refuse(fmt::format("concurrency of an unknown operation '{}'{}", key,
                                nearest_hint(key, operations)));
        } else {
          (*interface.mutable_concurrency()->mutable_operations_max())[key] = count;
        }
      });
}

Interface read_interface(const YamlNode& node, const ProtoSource& folder) {
  node.only({"interface", "description", "messages", "operations", "initiates", "protocol",
             "concurrency"});
  Interface interface;
  read_head(node, "interface", interface);
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
      if (node.has("protocol"))
        check_name(key, at);
      else
        check_operation_name(key, at);
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
  if (node.has("concurrency")) read_concurrency(node.at("concurrency"), names, interface);
  interface.set_descriptors(files.SerializeAsString());
  return interface;
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

using Uses = std::map<std::string, Expansion>;  ///< custom Interactions, by their name

/// The interactions as they are named in the protocol; custom ones are expanded into the Binding
/// type and `uses`.
std::vector<std::string> read_interactions(const YamlNode& node,
                                           const std::vector<std::string>& roles,
                                           const InteractionTypeLookup& known, Binding& binding,
                                           Uses& uses) {
  std::vector<std::string> names;
  node.each("interaction", [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
    names.push_back(key);
    if (names.size() > kOperationsMax)
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
      node.refuse(
          fmt::format("two interactions are named '{}', one of them in a custom Interaction",
                      interaction.name()));
  }
  return names;
}

void read_protocol(const YamlNode& node, const std::vector<std::string>& interactions,
                   const std::vector<std::string>& roles, const Uses& uses, Binding& binding) {
  *binding.mutable_protocol() = read_expression(node);
  check_names(binding.protocol(), node, interactions, &roles);
  if (auto mistake = replace_uses(*binding.mutable_protocol(), uses); !mistake.empty())
    node.refuse(mistake);
}

Binding read_binding(const YamlNode& node, const InteractionTypeLookup& known) {
  node.only({"binding", "description", "roles", "interactions", "protocol", "qos"});
  Binding binding;
  read_head(node, "binding", binding);
  for (const char* section : {"roles", "interactions"}) {
    if (!node.has(section)) node.refuse(fmt::format("a Binding type needs {}", section));
  }
  std::vector<std::string> roles;
  node.at("roles").each("role",
                        [&](const std::string& key, const YamlNode& value, const YamlNode& at) {
                          roles.push_back(key);
                          if (roles.size() > kRolesMax)
                            at.refuse(fmt::format("more than {} roles", kRolesMax));
                          read_role(key, value, at, *binding.add_roles());
                        });
  Uses uses;
  const auto interactions = read_interactions(node.at("interactions"), roles, known, binding, uses);
  if (!uses.empty() && !node.has("protocol"))
    node.refuse(fmt::format("'{}' is a custom Interaction: say in a protocol where it stands",
                            uses.begin()->first));
  if (node.has("protocol")) read_protocol(node.at("protocol"), interactions, roles, uses, binding);
  if (node.has("qos")) read_qos(node.at("qos"), *binding.mutable_qos());
  return binding;
}

TypeDocument read_document(const std::string& text, const std::string& file,
                           const ProtoSource& folder, const InteractionTypeLookup& known) {
  TypeDocument read;
  read.id = id_of(text);
  try {
    const YAML::Node document = load_document(text, file);
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

Result<std::vector<TypeDocument>> read_type_documents(std::string_view yaml,
                                                      const std::string& name,
                                                      const ProtoSource& folder,
                                                      const InteractionTypeLookup& known) {
  if (yaml.size() > kTypeFileOctetsMax) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: a type file may have {} octets, this one has {}", name,
                            kTypeFileOctetsMax, yaml.size()));
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
  const auto text = HECTOR_TRY(read_text(path, "type file"));
  return read_types(text, path, std::filesystem::absolute(path).parent_path().string());
}

}  // namespace hector::types
