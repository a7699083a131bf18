#include "types/authoring/generation.h"

#include <fmt/format.h>
#include <google/protobuf/compiler/cpp/names.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string_view>

#include "hector/check.h"
#include "types/authoring/cpp_names.h"
#include "types/authoring/words.h"
#include "types/model/messages.h"
#include "types/order/projection.h"

namespace hector::types {

using namespace hector::type::v1;
using ModelOperation = hector::type::v1::Operation;
namespace pb = google::protobuf;

namespace {

/// A type's name: its package as C++ writes it ("a::b"; "" without one), and the last part.
struct Place {
  std::string package, name;
};
Result<Place> place_of(const std::string& id) {
  Place made;
  std::istringstream parts(id.substr(0, id.rfind('/')));
  for (std::string part; std::getline(parts, part, '.');) {
    if (!made.name.empty()) made.package += (made.package.empty() ? "" : "::") + made.name;
    made.name = HECTOR_TRY(cpp_identifier(part, fmt::format("'{}' of {}", part, id)));
  }
  return made;
}
/// As `///` lines: a description may have several, and a '\\' at a line's end would take the next.
std::string comment(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\\' || line.back() == '\r' || line.back() == ' '))
      line.pop_back();
    if (!line.empty()) out += "/// " + line + "\n";
  }
  return out;
}

/// What protoc makes of the messages: their classes, and which names they take in each namespace.
class CppMessages {
 public:
  /// INVALID_ARGUMENT where no C++ compiler takes what protoc makes of a name.
  Status add(const Interface& interface) {
    pb::FileDescriptorSet files;
    files.ParseFromString(interface.descriptors());
    auto pool = HECTOR_TRY(MessagePool::make(files));
    pools_.push_back(std::move(pool));
    for (const auto& each : files.file()) {
      includes_.insert(each.name().substr(0, each.name().rfind('.')) + ".pb.h");
      const auto* const file = pools_.back()->pool().FindFileByName(each.name());
      HECTOR_TRY(add_package(file->package(), each.name()));
      for (int i = 0; i < file->message_type_count(); ++i)
        HECTOR_TRY(add_message(*file->message_type(i)));
      for (int i = 0; i < file->enum_type_count(); ++i) HECTOR_TRY(add_enum(*file->enum_type(i)));
    }
    return {};
  }
  [[nodiscard]] const std::set<std::string>& includes() const { return includes_; }
  /// "::diary::Range".
  [[nodiscard]] const std::string& class_of(const std::string& message) const {
    HECTOR_CHECK(classes_.contains(message), "a message is used of which protoc makes no class");
    return classes_.at(message);
  }
  [[nodiscard]] TakenNames& taken(const std::string& package) { return taken_[package]; }
  /// A namespace is a name of the one around it.
  void add_namespace(const std::string& package) {
    std::string outer;
    std::string rest = package;
    for (auto end = rest.find("::"); !rest.empty(); end = rest.find("::")) {
      const std::string part = rest.substr(0, end);
      taken_[outer].take(part);
      outer += (outer.empty() ? "" : "::") + part;
      rest = end == std::string::npos ? "" : rest.substr(end + 2);
    }
  }

 private:
  static std::string cpp_package(const std::string& package) {
    std::string text;
    for (const char c : package) text += c == '.' ? std::string("::") : std::string(1, c);
    return text;
  }
  Status add_package(const std::string& package, const std::string& file) {
    std::istringstream parts(package);
    for (std::string part; std::getline(parts, part, '.');) {
      if (is_cpp_word(part))
        return fail(Code::kInvalidArgument,
                    fmt::format("{}: '{}' is a word of C++, and protoc makes a namespace of it for "
                                "package {}, which no compiler takes: C++ needs another package",
                                file, part, package));
    }
    add_namespace(cpp_package(package));
    return {};
  }
  static Status check(const std::string& name, const char* what, const std::string& full_name,
                      const pb::FileDescriptor& file) {
    return is_unknown_to_protoc(name) ? refused(name, what, full_name, file) : Status();
  }
  static Status refused(const std::string& name, const char* what, const std::string& full_name,
                        const pb::FileDescriptor& file) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("{}: '{}' is a name of which protoc makes what no compiler takes, of {} "
                    "{}: C++ needs another name",
                    file.name(), name, what, full_name));
  }
  Status add_message(const pb::Descriptor& message) {
    const auto& file = *message.file();
    HECTOR_TRY(check(message.name(), "message", message.full_name(), file));
    // protoc calls the parameter of its constructors so.
    if (message.name() == "from" && message.containing_type() == nullptr)
      return refused(message.name(), "message", message.full_name(), file);
    for (int i = 0; i < message.field_count(); ++i)
      HECTOR_TRY(check(pb::compiler::cpp::FieldName(message.field(i)), "field",
                       message.field(i)->full_name(), file));
    const std::string package = cpp_package(file.package());
    const std::string name = pb::compiler::cpp::ClassName(&message);
    classes_[message.full_name()] = "::" + package + (package.empty() ? "" : "::") + name;
    taken_[package].take(name);
    for (int i = 0; i < message.nested_type_count(); ++i)
      HECTOR_TRY(add_message(*message.nested_type(i)));
    for (int i = 0; i < message.enum_type_count(); ++i) HECTOR_TRY(add_enum(*message.enum_type(i)));
    return {};
  }
  Status add_enum(const pb::EnumDescriptor& type) {
    auto& names = taken_[cpp_package(type.file()->package())];
    const std::string name = pb::compiler::cpp::ClassName(&type);
    HECTOR_TRY(check(type.name(), "enumeration", type.full_name(), *type.file()));
    names.take(name);
    const std::string before = type.containing_type() == nullptr ? "" : name + "_";
    for (int i = 0; i < type.value_count(); ++i) {
      const auto& value = *type.value(i);
      HECTOR_TRY(check(value.name(), "value", value.full_name(), *type.file()));
      names.take(before + value.name());
    }
    return {};
  }

  std::vector<std::unique_ptr<const MessagePool>> pools_;  ///< descriptors belong to their pool
  std::set<std::string> includes_;
  std::map<std::string, std::string> classes_;
  std::map<std::string, TakenNames> taken_;  ///< by namespace
};

/// How an operation's function is called in a class of this name, which has these members already.
std::string function_name(const std::string& operation, const std::string& class_name,
                          std::span<const std::string_view> members) {
  const bool is_taken = is_cpp_word(operation) || operation == class_name ||
                        std::find(members.begin(), members.end(), operation) != members.end();
  return is_taken ? operation + "_" : operation;
}

/// An Interface or a role as the class that is made of it.
struct Made {
  const std::string& id;
  std::string name;
};

constexpr std::string_view kSkeletonMembers[] = {"kInterface", "model", "operations"};
constexpr std::string_view kStubMembers[] = {"capsule_", "who_"};
constexpr std::string_view kRoleMembers[] = {"members", "session", "session_"};

/// Writes what is made of each type of a file.
class CppWriter {
 public:
  CppWriter(const std::vector<TypeDocument>& documents, CppMessages& messages)
      : documents_(documents), messages_(messages) {}

  Result<std::string> interface(const TypeDocument& document) {
    auto at = HECTOR_TRY(place_of(document.id));
    messages_.add_namespace(at.package);
    auto& taken = messages_.taken(at.package);
    // A stub is called after its Interface: a name counts as taken where either is.
    const auto is_free = [&](const std::string& name) {
      return !taken.has(name) && !taken.has(name + "Stub") &&
             std::find(std::begin(kSkeletonMembers), std::end(kSkeletonMembers), name) ==
                 std::end(kSkeletonMembers);
    };
    if (!is_free(at.name)) at.name += "Interface";
    while (!is_free(at.name)) at.name += "_";
    taken.take(at.name);
    taken.take(at.name + "Stub");
    const Made made{document.id, at.name};
    std::string text = skeleton(*document.interface, made);
    if (document.interface->operations_size() > 0) text += stub(*document.interface, made);
    HECTOR_CHECK(text.ends_with('\n'), "a class does not end its line");
    text.pop_back();
    return open_namespace(at.package) + text + close_namespace(at.package);
  }

  Result<std::string> binding(const TypeDocument& document) {
    const auto at = HECTOR_TRY(place_of(document.id));
    messages_.add_namespace(at.package);
    std::string roles;
    for (const auto& role : document.binding->roles())
      roles += role_session(*document.binding, role, {document.id, at.name + pascal(role.name())},
                            at.package);
    if (roles.empty()) return roles;
    roles.pop_back();
    return open_namespace(at.package) + roles + close_namespace(at.package);
  }

 private:
  [[nodiscard]] const std::string& class_of(const std::string& message) const {
    return messages_.class_of(message);
  }
  [[nodiscard]] std::string request_of(const ModelOperation& operation) const {
    return fmt::format("const {}& {}", class_of(operation.input()),
                       parameter_name(operation.input()));
  }

  /// What one operation's member function looks like, without `virtual` and `= 0`.
  [[nodiscard]] std::string signature(const ModelOperation& operation,
                                      const std::string& function) const {
    const std::string in = class_of(operation.input()),
                      out = operation.output().empty() ? "" : class_of(operation.output());
    const std::string request = request_of(operation);
    if (operation.kind() == KIND_ANNOUNCE)
      return fmt::format("::hector::Status {}({}, ::hector::cpp::Call& call)", function, request);
    if (operation.kind() != KIND_STREAM)
      return fmt::format("::hector::Result<{}> {}({}, ::hector::cpp::Call& call)", out, function,
                         request);
    if (operation.flow() == FLOW_IN)
      return fmt::format(
          "::hector::Result<{}> {}(::hector::cpp::Reader<{}>& in, ::hector::cpp::Call& call)", out,
          function, in);
    if (operation.flow() == FLOW_BOTH)
      return fmt::format(
          "::hector::Status {}(::hector::cpp::Reader<{}>& in, ::hector::cpp::Writer<{}>& out, "
          "::hector::cpp::Call& call)",
          function, in, out);
    return fmt::format(
        "::hector::Status {}({}, ::hector::cpp::Writer<{}>& out, ::hector::cpp::Call& call)",
        function, request, out);
  }

  [[nodiscard]] std::string skeleton(const Interface& interface, const Made& made) const {
    std::string text =
        comment(made.id + (interface.description().empty() ? "" : ": ") + interface.description() +
                "\nA template derives from it: one function for each operation.");
    text += fmt::format(
        "class {0} {{\n public:\n  static constexpr const char* kInterface = \"{1}\";\n  virtual "
        "~{0}() = default;\n\n",
        made.name, made.id);
    std::string entries;
    for (const auto& operation : interface.operations()) {
      const auto function = function_name(operation.name(), made.name, kSkeletonMembers);
      text += fmt::format("  virtual {} = 0;\n", signature(operation, function));
      entries += fmt::format(
          "        {{\"{0}\", [](T& object, ::hector_call* call, ::hector_capsule* capsule) {{ "
          "::hector::cpp::detail::run<&{1}::{2}>(object, call, capsule); }}}},\n",
          operation.name(), made.name, function);
    }
    const std::string octets = interface.SerializeAsString();
    return text +
           fmt::format(
               "\n  /// For hector::cpp::object_template.\n  template <class T>\n  static "
               "::std::vector<::hector::cpp::Operation<T>> operations() {{\n    return {{\n{0}    "
               "}};\n  }}\n  /// A serialised hector.type.v1.Interface.\n  static "
               "::std::string_view model() {{\n    return {{{1}, {2}}};\n  }}\n}};\n\n",
               entries, octets_literal(octets), octets.size());
  }

  /// A typed way to call any Object that offers the Interface; flows are not among it.
  [[nodiscard]] std::string stub(const Interface& interface, const Made& made) const {
    std::string text = fmt::format(
        "/// Calls an Object that offers {0}, by its name or reference.\nclass {1}Stub {{\n "
        "public:\n  {1}Stub(::hector::cpp::Capsule capsule, ::std::string who) : "
        "capsule_(capsule), who_(::std::move(who)) {{}}\n",
        made.id, made.name);
    for (const auto& operation : interface.operations()) {
      const auto function = function_name(operation.name(), made.name + "Stub", kStubMembers);
      const auto argument = parameter_name(operation.input());
      if (operation.kind() == KIND_RPC) {
        text += fmt::format(
            "  ::hector::Result<{0}> {1}({2}) {{ return capsule_.call<{0}>(who_, \"{3}\", {4}); "
            "}}\n",
            class_of(operation.output()), function, request_of(operation), operation.name(),
            argument);
      } else if (operation.kind() == KIND_ANNOUNCE) {
        text += fmt::format(
            "  ::hector::Status {0}({1}) {{ return capsule_.announce(who_, \"{2}\", {3}); }}\n",
            function, request_of(operation), operation.name(), argument);
      }
    }
    return text + "\n private:\n  ::hector::cpp::Capsule capsule_;\n  ::std::string who_;\n};\n\n";
  }

  [[nodiscard]] const ModelOperation* operation_of(const std::string& id,
                                                   const std::string& name) const {
    for (const auto& document : documents_) {
      if (!document.interface ||
          fmt::format("{}/{}", document.interface->name(), document.interface->major()) != id)
        continue;
      for (const auto& operation : document.interface->operations()) {
        if (operation.name() == name) return &operation;
      }
    }
    return nullptr;
  }

  /// What starts one interaction.
  [[nodiscard]] std::string starter(const Binding& binding, const Interaction& interaction,
                                    const std::string& class_name) const {
    const auto& to = binding.roles(role_position(binding, interaction.to()));
    const auto* const operation = operation_of(to.interface_id(), interaction.operation());
    if (operation == nullptr || operation->kind() == KIND_STREAM)
      return fmt::format("  // {}: {}\n", interaction.name(),
                         operation == nullptr
                             ? fmt::format("{} is not in this file", to.interface_id())
                             : "a flow");
    const std::string function = function_name(interaction.name(), class_name, kRoleMembers),
                      argument = parameter_name(operation->input()),
                      request = request_of(*operation),
                      out = operation->output().empty() ? "::hector::cpp::NoReply"
                                                        : class_of(operation->output());
    if (interaction.kind() == KIND_MULTICAST)
      return fmt::format(
          "  ::hector::cpp::Multicast<{0}> {1}({2}, int64_t timeout_ns = 0) {{ return "
          "session_.multicast<{0}>(\"{3}\", {4}, timeout_ns); }}\n",
          out, function, request, interaction.name(), argument);
    const bool many = is_many(to);
    const std::string member = many ? "uint32_t member, " : "", number = many ? "member" : "0";
    if (operation->kind() == KIND_RPC)
      return fmt::format(
          "  ::hector::Result<{0}> {1}({2}{3}, int64_t timeout_ns = 0) {{ return "
          "session_.call<{0}>(\"{4}\", {5}, {6}, timeout_ns); }}\n",
          out, function, member, request, interaction.name(), number, argument);
    return fmt::format(
        "  ::hector::Status {0}({1}{2}) {{ return session_.announce(\"{3}\", {4}, {5}); }}\n",
        function, member, request, interaction.name(), number, argument);
  }

  /// One role of a Binding type as what its Object may start.
  [[nodiscard]] std::string role_session(const Binding& binding, const Role& role, Made made,
                                         const std::string& package) const {
    std::string text;
    if (std::any_of(binding.interactions().begin(), binding.interactions().end(),
                    [&](const auto& each) { return each.from() == role.name(); }))
      made.name = messages_.taken(package).claim(made.name);
    for (const auto& interaction : binding.interactions()) {
      if (interaction.from() == role.name()) text += starter(binding, interaction, made.name);
    }
    if (text.empty()) return text;
    return fmt::format(
               "/// Role `{0}` of {1}: what it may start. Made from the Session that bound() is "
               "given.\nclass {2} {{\n public:\n  {2}(::hector::cpp::Session session) : "
               "session_(::std::move(session)) {{}}\n",
               role.name(), made.id, made.name) +
           text +
           "  [[nodiscard]] ::std::vector<::hector::cpp::Member> members(const ::std::string& "
           "role) const { return session_.members(role); }\n"
           "  [[nodiscard]] ::hector::cpp::Session& session() { return session_; }\n\n private:\n  "
           "::hector::cpp::Session session_;\n};\n\n";
  }

  const std::vector<TypeDocument>& documents_;
  CppMessages& messages_;
};

}  // namespace

Result<std::string> generate_cpp(const std::vector<TypeDocument>& documents,
                                 const std::string& file) {
  CppMessages messages;
  for (const auto& document : documents) {
    if (document.interface) HECTOR_TRY(messages.add(*document.interface));
  }
  std::string text = fmt::format(
      "// Made from {} by `hector type gen`: it is made again when that changes.\n#pragma "
      "once\n\n#include <cstdint>\n#include <string>\n#include <string_view>\n#include "
      "<utility>\n#include <vector>\n\n",
      file);
  for (const auto& include : messages.includes()) text += fmt::format("#include \"{}\"\n", include);
  text +=
      "#include \"hector/cpp.h\"\n\nnamespace hector {\nusing cpp::Call;\nusing "
      "cpp::Capsule;\nusing cpp::Session;\n}  // namespace hector\n";
  CppWriter writer(documents, messages);
  for (const auto& document : documents) {
    std::string part;
    if (document.interface)
      part = HECTOR_TRY(writer.interface(document));
    else if (document.binding && !document.interaction)
      part = HECTOR_TRY(writer.binding(document));
    text += part;
  }
  return text;
}

}  // namespace hector::types
