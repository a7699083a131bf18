#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "types/authoring/cpp_names.h"
#include "types/authoring/generation.h"
#include "types/authoring/words.h"
#include "types/model/messages.h"

namespace hector::types {

using namespace hector::type::v1;
using ModelOperation = hector::type::v1::Operation;
namespace pb = google::protobuf;

namespace {

/// "diary.RoomRequest" as a parameter's name: room_request.
std::string python_parameter(const std::string& message) {
  std::string text;
  for (const char c : last_part(message)) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !text.empty()) text += '_';
    text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text == "self" ? "self_" : python_identifier(text);
}

/// A text that may stand between three quotes.
std::string docstring(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return "\"\"\"" + out + "\"\"\"";
}

/// What a module that is imported from a type file has, as `load_types` in
/// languages/python/hector/messages.py makes it: each Interface, then each message, by its last
/// name; of two with one name the first. The others exist all the same, in fields and parameters:
/// they are declared with their package before their name and an underscore before that.
class PythonModule {
 public:
  Status add(const Interface& interface) {
    pb::FileDescriptorSet files;
    files.ParseFromString(interface.descriptors());
    auto pool = HECTOR_TRY(MessagePool::make(files));
    pools_.push_back(std::move(pool));
    interfaces_.insert(python_identifier(last_part(interface.name())));
    for (const auto& each : files.file()) {
      const auto* const file = pools_.back()->pool().FindFileByName(each.name());
      for (int i = 0; i < file->message_type_count(); ++i) add_message(*file->message_type(i));
    }
    for (const auto& operation : interface.operations()) words_.insert(operation.name());
    return {};
  }

  /// A name of Python's own; where something here is called so, the alias that imports() gives it.
  [[nodiscard]] std::string known(const std::string& name) const {
    return is_taken(name) ? "_" + name : name;
  }
  [[nodiscard]] std::string imports() const {
    return import("abc", {"ABC", "abstractmethod"}) +
           import("builtins", {"bool", "bytes", "float", "int", "object", "str"}) +
           import("collections.abc", {"AsyncIterator", "Awaitable", "Iterable", "Iterator",
                                      "Mapping", "MutableMapping", "MutableSequence"}) +
           "\n" + import("google.protobuf.message", {"Message"});
  }

  [[nodiscard]] std::string messages() const {
    std::string text;
    for (const auto* message : messages_)
      text += "\n\n" + python_message(*message, top_name(*message), "");
    return text;
  }
  [[nodiscard]] std::string operation(const ModelOperation& operation) const {
    const std::string in = name_of(operation.input()),
                      out = operation.output().empty() ? "None" : name_of(operation.output());
    const std::string parameter =
        operation.kind() == KIND_STREAM && operation.flow() != FLOW_OUT
            ? fmt::format("messages: {}[{}]", known("Iterable"), in)
            : fmt::format("{}: {}", python_parameter(operation.input()), in);
    const std::string result =
        operation.kind() == KIND_STREAM && operation.flow() != FLOW_IN
            ? fmt::format("{1}[{0}] | {2}[{0}]", out, known("Iterator"), known("AsyncIterator"))
        : operation.kind() == KIND_ANNOUNCE
            ? fmt::format("None | {}[None]", known("Awaitable"))
            : fmt::format("{0} | {1}[{0}]", out, known("Awaitable"));
    return fmt::format("    @{}\n    def {}(self, {}) -> {}: ...\n", known("abstractmethod"),
                       python_identifier(operation.name()), parameter, result);
  }

 private:
  /// Built-in names need no import where they are free.
  [[nodiscard]] std::string import(const std::string& module,
                                   const std::vector<std::string>& names) const {
    std::string list;
    for (const auto& name : names) {
      if (module == "builtins" && !is_taken(name)) continue;
      list += (list.empty() ? "" : ", ") + (is_taken(name) ? name + " as _" + name : name);
    }
    return list.empty() ? "" : fmt::format("from {} import {}\n", module, list);
  }
  void add_message(const pb::Descriptor& message) {
    if (!known_.emplace(message.full_name(), &message).second) return;
    messages_.push_back(&message);
    add_names(message);
  }
  void add_names(const pb::Descriptor& message) {
    words_.insert(message.name());
    for (int i = 0; i < message.field_count(); ++i) words_.insert(message.field(i)->name());
    for (int i = 0; i < message.nested_type_count(); ++i) add_names(*message.nested_type(i));
  }
  [[nodiscard]] bool is_taken(const std::string& name) const {
    return words_.contains(name) || interfaces_.contains(name);
  }

  [[nodiscard]] std::string top_name(const pb::Descriptor& message) const {
    const std::string name = python_identifier(message.name());
    const auto first = std::find_if(messages_.begin(), messages_.end(), [&](const auto* each) {
      return each->name() == message.name();
    });
    if ((first == messages_.end() || (*first)->full_name() == message.full_name()) &&
        !interfaces_.contains(name))
      return name;
    std::string full = "_" + message.full_name();
    std::replace(full.begin(), full.end(), '.', '_');
    return full;
  }
  [[nodiscard]] std::string name_of(const pb::Descriptor& message) const {
    if (message.containing_type() == nullptr) return top_name(message);
    return name_of(*message.containing_type()) + "." + python_identifier(message.name());
  }
  /// By its full name; the reader has looked for it in one of the pools.
  [[nodiscard]] std::string name_of(const std::string& full_name) const {
    for (const auto& pool : pools_) {
      if (const auto* const found = pool->find(full_name)) return name_of(*found);
    }
    return last_part(full_name);
  }

  [[nodiscard]] std::string python_type(const pb::FieldDescriptor& field) const {
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        return known("bool");
      case pb::FieldDescriptor::CPPTYPE_FLOAT:
      case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        return known("float");
      case pb::FieldDescriptor::CPPTYPE_STRING:
        return known(field.type() == pb::FieldDescriptor::TYPE_BYTES ? "bytes" : "str");
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        return name_of(*field.message_type());
      default:
        return known("int");
    }
  }
  [[nodiscard]] std::string python_field(const pb::FieldDescriptor& field, bool is_argument) const {
    if (field.is_map()) {
      const auto* entry = field.message_type();
      return fmt::format("{}[{}, {}]", known(is_argument ? "Mapping" : "MutableMapping"),
                         python_type(*entry->FindFieldByNumber(1)),
                         python_type(*entry->FindFieldByNumber(2)));
    }
    if (field.is_repeated())
      return fmt::format("{}[{}]", known(is_argument ? "Iterable" : "MutableSequence"),
                         python_type(field));
    return python_type(field);
  }

  /// A field whose name is a word of Python is there, but cannot be written: getattr() and `**`
  /// reach it.
  [[nodiscard]] std::string python_message(const pb::Descriptor& message, const std::string& name,
                                           const std::string& indent) const {
    std::string text = fmt::format("{}class {}({}):\n", indent, name, known("Message"));
    const std::string inner = indent + "    ";
    for (int i = 0; i < message.nested_type_count(); ++i) {
      const auto& nested = *message.nested_type(i);
      if (!nested.options().map_entry())
        text += python_message(nested, python_identifier(nested.name()), inner);
    }
    std::string arguments, others;
    bool has_self = false;
    for (int i = 0; i < message.field_count(); ++i) {
      const auto& field = *message.field(i);
      has_self |= field.name() == "self";
      if (is_python_keyword(field.name())) {
        text += fmt::format("{0}# {1}: {2}, by getattr(message, \"{1}\")\n", inner, field.name(),
                            python_field(field, false));
        others = fmt::format(", **others: {}", known("object"));
        continue;
      }
      text += fmt::format("{}{}: {}\n", inner, field.name(), python_field(field, false));
      arguments += fmt::format(", {}: {} = ...", field.name(), python_field(field, true));
    }
    return text + fmt::format("{}def __init__({}{}{}) -> None: ...\n", inner,
                              has_self ? "self_" : "self",
                              arguments.empty() ? "" : ", *" + arguments, others);
  }

  std::vector<std::unique_ptr<const MessagePool>> pools_;  ///< descriptors belong to their pool
  std::vector<const pb::Descriptor*> messages_;            ///< those that stand in no other
  std::map<std::string, const pb::Descriptor*> known_;
  std::set<std::string> interfaces_, words_;
};

}  // namespace

Result<std::string> generate_python(const std::vector<TypeDocument>& documents,
                                    const std::string& file) {
  std::string text = fmt::format(
      "# Made from {} by `hector type gen --form pyi`: what `import` gives, for editors and type "
      "checkers.\n",
      file);
  PythonModule module;
  for (const auto& document : documents) {
    if (document.interface) HECTOR_TRY(module.add(*document.interface));
  }
  text += module.imports() + module.messages();
  for (const auto& document : documents) {
    if (!document.interface) continue;
    const auto& interface = *document.interface;
    const std::string name = python_identifier(last_part(interface.name()));
    // Of two Interfaces with one last name the module has the last.
    text += fmt::format("\n\nclass {}({}):\n    {}\n", name, module.known("ABC"),
                        docstring(fmt::format("Interface {}.{}{}", document.id,
                                              interface.description().empty() ? "" : " ",
                                              interface.description())));
    for (const auto& operation : interface.operations()) text += module.operation(operation);
  }
  return text;
}

}  // namespace hector::types
