#include "types/authoring/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "types/authoring/cpp_names.h"
#include "types/model/messages.h"
#include "types/order/projection.h"

namespace hector::types {

using namespace hector::type::v1;
using ModelOperation = hector::type::v1::Operation;
namespace pb = google::protobuf;

namespace {

/// What one operation's member function looks like, without `virtual` and `= 0`.
std::string signature(const ModelOperation& operation) {
  const std::string in = cpp_name(operation.input()),
                    out = operation.output().empty() ? "" : cpp_name(operation.output());
  const std::string request = fmt::format("const {}& {}", in, parameter_name(operation.input()));
  if (operation.kind() == KIND_ANNOUNCE)
    return fmt::format("::hector::Status {}({}, ::hector::cpp::Call& call)", operation.name(),
                       request);
  if (operation.kind() != KIND_STREAM)
    return fmt::format("::hector::Result<{}> {}({}, ::hector::cpp::Call& call)", out,
                       operation.name(), request);
  if (operation.flow() == FLOW_IN)
    return fmt::format(
        "::hector::Result<{}> {}(::hector::cpp::Reader<{}>& in, ::hector::cpp::Call& call)", out,
        operation.name(), in);
  if (operation.flow() == FLOW_BOTH)
    return fmt::format(
        "::hector::Status {}(::hector::cpp::Reader<{}>& in, ::hector::cpp::Writer<{}>& out, "
        "::hector::cpp::Call& call)",
        operation.name(), in, out);
  return fmt::format(
      "::hector::Status {}({}, ::hector::cpp::Writer<{}>& out, ::hector::cpp::Call& call)",
      operation.name(), request, out);
}

std::string skeleton(const Interface& interface, const std::string& id, const std::string& name) {
  std::string text = fmt::format(
      "/// {}{}{}\n/// A template derives from it: one function for each operation.\nclass {} {{\n "
      "public:\n",
      id, interface.description().empty() ? "" : ": ", interface.description(), name);
  text += fmt::format(
      "  static constexpr const char* kInterface = \"{}\";\n  virtual ~{}() = default;\n\n", id,
      name);
  for (const auto& operation : interface.operations())
    text += fmt::format("  virtual {} = 0;\n", signature(operation));
  text +=
      "\n  /// For hector::cpp::object_template.\n  template <class T>\n  static "
      "std::vector<::hector::cpp::Operation<T>> operations() {\n    return {\n";
  for (const auto& operation : interface.operations()) {
    text += fmt::format(
        "        {{\"{0}\", [](T& object, hector_call* call, hector_capsule* capsule) {{ "
        "::hector::cpp::detail::run<&{1}::{0}>(object, call, capsule); }}}},\n",
        operation.name(), name);
  }
  const std::string octets = interface.SerializeAsString();
  text += fmt::format(
      "    }};\n  }}\n  /// A serialised hector.type.v1.Interface.\n  static std::string_view "
      "model() {{\n    return {{{}, {}}};\n  }}\n}};\n\n",
      octets_literal(octets), octets.size());
  return text;
}

/// A typed way to call any Object that offers the Interface; flows are not among it.
std::string stub(const Interface& interface, const std::string& id, const std::string& name) {
  std::string text = fmt::format(
      "/// Calls an Object that offers {}, by its name or reference.\nclass {}Stub {{\n public:\n",
      id, name);
  text += fmt::format(
      "  {0}Stub(::hector::cpp::Capsule capsule, std::string who) : capsule_(capsule), "
      "who_(std::move(who)) {{}}\n",
      name);
  for (const auto& operation : interface.operations()) {
    const std::string request =
        fmt::format("const {}& {}", cpp_name(operation.input()), parameter_name(operation.input()));
    if (operation.kind() == KIND_RPC) {
      text += fmt::format(
          "  ::hector::Result<{0}> {1}({2}) {{ return capsule_.call<{0}>(who_, \"{1}\", {3}); }}\n",
          cpp_name(operation.output()), operation.name(), request,
          parameter_name(operation.input()));
    } else if (operation.kind() == KIND_ANNOUNCE) {
      text += fmt::format(
          "  ::hector::Status {0}({1}) {{ return capsule_.announce(who_, \"{0}\", {2}); }}\n",
          operation.name(), request, parameter_name(operation.input()));
    }
  }
  return text + "\n private:\n  ::hector::cpp::Capsule capsule_;\n  std::string who_;\n};\n\n";
}

const ModelOperation* operation_of(const std::vector<TypeDocument>& documents,
                                   const std::string& id, const std::string& name) {
  for (const auto& document : documents) {
    if (!document.interface ||
        fmt::format("{}/{}", document.interface->name(), document.interface->major()) != id)
      continue;
    for (const auto& operation : document.interface->operations()) {
      if (operation.name() == name) return &operation;
    }
  }
  return nullptr;
}

/// One role of a Binding type as what its Object may start.
std::string role_session(const Binding& binding, const Role& role, const std::string& name,
                         const std::vector<TypeDocument>& documents) {
  std::string text;
  for (const auto& interaction : binding.interactions()) {
    if (interaction.from() != role.name()) continue;
    const auto& to = binding.roles(role_position(binding, interaction.to()));
    const ModelOperation* operation =
        operation_of(documents, to.interface_id(), interaction.operation());
    if (operation == nullptr || operation->kind() == KIND_STREAM) {
      text += fmt::format("  // {}: {}\n", interaction.name(),
                          operation == nullptr
                              ? fmt::format("{} is not in this file", to.interface_id())
                              : "a flow");
      continue;
    }
    const std::string request = fmt::format("const {}& {}", cpp_name(operation->input()),
                                            parameter_name(operation->input())),
                      argument = parameter_name(operation->input());
    const std::string out =
        operation->output().empty() ? "::hector::cpp::NoReply" : cpp_name(operation->output());
    if (interaction.kind() == KIND_MULTICAST) {
      text += fmt::format(
          "  ::hector::cpp::Multicast<{0}> {1}({2}, int64_t timeout_ns = 0) {{ return "
          "session_.multicast<{0}>(\"{1}\", {3}, timeout_ns); }}\n",
          out, interaction.name(), request, argument);
      continue;
    }
    const bool many = is_many(to);
    const std::string member = many ? "uint32_t member, " : "", number = many ? "member" : "0";
    if (operation->kind() == KIND_RPC) {
      text += fmt::format(
          "  ::hector::Result<{0}> {1}({2}{3}, int64_t timeout_ns = 0) {{ return "
          "session_.call<{0}>(\"{1}\", {4}, {5}, timeout_ns); }}\n",
          out, interaction.name(), member, request, number, argument);
    } else {
      text += fmt::format(
          "  ::hector::Status {0}({1}{2}) {{ return session_.announce(\"{0}\", {3}, {4}); }}\n",
          interaction.name(), member, request, number, argument);
    }
  }
  if (text.empty()) return text;
  return fmt::format(
             "/// Role `{}` of {}/{}: what it may start. Made from the Session that bound() is "
             "given.\nclass {} {{\n public:\n  {}(::hector::cpp::Session session) : "
             "session_(std::move(session)) {{}}\n",
             role.name(), binding.name(), binding.major(), name, name) +
         text +
         "  [[nodiscard]] std::vector<::hector::cpp::Member> members(const std::string& role) "
         "const { return session_.members(role); }\n"
         "  [[nodiscard]] ::hector::cpp::Session& session() { return session_; }\n\n private:\n  "
         "::hector::cpp::Session session_;\n};\n\n";
}

pb::FileDescriptorSet files_of(const Interface& interface) {
  pb::FileDescriptorSet files;
  files.ParseFromString(interface.descriptors());
  return files;
}

}  // namespace

std::string generate_cpp(const std::vector<TypeDocument>& documents, const std::string& file) {
  std::set<std::string> includes;
  std::set<std::string> messages;
  for (const auto& document : documents) {
    if (!document.interface) continue;
    add_message_includes(*document.interface, includes, messages);
  }
  std::string text = fmt::format(
      "// Made from {} by `hector type gen`: it is made again when that changes.\n#pragma "
      "once\n\n#include <string>\n#include <string_view>\n#include <utility>\n#include "
      "<vector>\n\n",
      file);
  for (const auto& include : includes) text += fmt::format("#include \"{}\"\n", include);
  text +=
      "#include \"hector/cpp.h\"\n\nnamespace hector {\nusing cpp::Call;\nusing "
      "cpp::Capsule;\nusing cpp::Session;\n}  // namespace hector\n";
  for (const auto& document : documents) {
    if (document.interface) {
      const auto& interface = *document.interface;
      const auto [package, short_name] = named(document.id);
      const bool is_taken = messages.contains(interface.name());
      const std::string name = is_taken ? short_name + "Interface" : short_name;
      text += open_namespace(package);
      text += skeleton(interface, document.id, name);
      if (interface.operations_size() > 0) text += stub(interface, document.id, name);
      text.pop_back();
      text += close_namespace(package);
    } else if (document.binding && !document.interaction) {
      const auto [package, short_name] = named(document.id);
      std::string roles;
      for (const auto& role : document.binding->roles())
        roles += role_session(*document.binding, role, short_name + pascal(role.name()), documents);
      if (roles.empty()) continue;
      roles.pop_back();
      text += open_namespace(package) + roles + close_namespace(package);
    }
  }
  return text;
}

// --- Python
// ----------------------------------------------------------------------------------------------

namespace {

std::string python_type(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return "bool";
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return "float";
    case pb::FieldDescriptor::CPPTYPE_STRING:
      return field.type() == pb::FieldDescriptor::TYPE_BYTES ? "bytes" : "str";
    case pb::FieldDescriptor::CPPTYPE_MESSAGE: {
      std::string name = field.message_type()->name();
      for (const auto* outer = field.message_type()->containing_type(); outer != nullptr;
           outer = outer->containing_type())
        name = outer->name() + "." + name;
      return name;
    }
    default:
      return "int";
  }
}
std::string python_field(const pb::FieldDescriptor& field, bool is_argument) {
  if (field.is_map()) {
    const auto* entry = field.message_type();
    return fmt::format("{}[{}, {}]", is_argument ? "Mapping" : "MutableMapping",
                       python_type(*entry->FindFieldByNumber(1)),
                       python_type(*entry->FindFieldByNumber(2)));
  }
  if (field.is_repeated())
    return fmt::format("{}[{}]", is_argument ? "Iterable" : "MutableSequence", python_type(field));
  return python_type(field);
}

std::string python_message(const pb::Descriptor& message, const std::string& indent) {
  std::string text = fmt::format("{}class {}(Message):\n", indent, message.name());
  const std::string inner = indent + "    ";
  for (int i = 0; i < message.nested_type_count(); ++i) {
    if (!message.nested_type(i)->options().map_entry())
      text += python_message(*message.nested_type(i), inner);
  }
  std::string arguments;
  for (int i = 0; i < message.field_count(); ++i) {
    const auto& field = *message.field(i);
    text += fmt::format("{}{}: {}\n", inner, field.name(), python_field(field, false));
    arguments += fmt::format(", {}: {} = ...", field.name(), python_field(field, true));
  }
  text += fmt::format("{}def __init__(self{}) -> None: ...\n", inner,
                      arguments.empty() ? "" : ", *" + arguments);
  return text;
}

std::string python_operation(const ModelOperation& operation) {
  const std::string in = last_part(operation.input()),
                    out = operation.output().empty() ? "None" : last_part(operation.output());
  const std::string parameter = operation.kind() == KIND_STREAM && operation.flow() != FLOW_OUT
                                    ? fmt::format("{}: Iterable[{}]", "messages", in)
                                    : fmt::format("{}: {}", parameter_name(operation.input()), in);
  const std::string result = operation.kind() == KIND_STREAM && operation.flow() != FLOW_IN
                                 ? fmt::format("Iterator[{0}] | AsyncIterator[{0}]", out)
                             : operation.kind() == KIND_ANNOUNCE
                                 ? "None | Awaitable[None]"
                                 : fmt::format("{0} | Awaitable[{0}]", out);
  return fmt::format("    @abstractmethod\n    def {}(self, {}) -> {}: ...\n", operation.name(),
                     parameter, result);
}

}  // namespace

std::string generate_python(const std::vector<TypeDocument>& documents, const std::string& file) {
  std::string text = fmt::format(
      "# Made from {} by `hector type gen --form pyi`: what `import` gives, for editors and type "
      "checkers.\n"
      "from abc import ABC, abstractmethod\n"
      "from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, "
      "MutableMapping, MutableSequence\n\n"
      "from google.protobuf.message import Message\n",
      file);
  std::set<std::string> known;
  for (const auto& document : documents) {
    if (!document.interface) continue;
    const auto files = files_of(*document.interface);
    auto pool = MessagePool::make(files);
    if (!pool) continue;
    for (const auto& each : files.file()) {
      for (const auto& message : each.message_type()) {
        const std::string full =
            (each.package().empty() ? "" : each.package() + ".") + message.name();
        if (!known.insert(full).second) continue;
        if (const auto* descriptor = (*pool)->find(full))
          text += "\n\n" + python_message(*descriptor, "");
      }
    }
  }
  for (const auto& document : documents) {
    if (!document.interface) continue;
    const auto& interface = *document.interface;
    text += fmt::format("\n\nclass {}(ABC):\n    \"\"\"Interface {}.{}{}\"\"\"\n",
                        named(document.id).name, document.id,
                        interface.description().empty() ? "" : " ", interface.description());
    for (const auto& operation : interface.operations()) text += python_operation(operation);
  }
  return text;
}

}  // namespace hector::types
