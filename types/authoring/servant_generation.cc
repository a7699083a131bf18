// What: C++ for Hector's own side of an Interface: the servant's base class and a client.
// Why: a service has no table of operations by position; an operation that is forgotten, swapped or
// given the wrong message does not compile.
// Who: hector-typegen and hector_generate_servants().
#include "types/authoring/servant_generation.h"

#include <fmt/format.h>

#include <set>

#include "types/authoring/cpp_names.h"
#include "types/authoring/words.h"
#include "types/model/compiled_interface.h"

namespace hector::types {

using namespace hector::type::v1;
using hector::type::v1::Interface;
using ModelOperation = hector::type::v1::Operation;

namespace {

/// An operation as a function's name: C++'s words and the members of hector::Servant are taken.
std::string function_name(const std::string& operation) {
  static const std::set<std::string> kMembers{"invoke",  "bound",     "unbound", "save",
                                              "restore", "has_state", "model"};
  return is_cpp_word(operation) || kMembers.contains(operation) ? operation + "_" : operation;
}
std::string out_of(const ModelOperation& operation) {
  return operation.output().empty() ? "void" : cpp_name(operation.output());
}
std::string constant_of(const ModelOperation& operation) { return "k" + pascal(operation.name()); }

enum class Shape { kReply, kFlowOut, kFlowIn, kFlowBoth };
Shape shape_of(const ModelOperation& operation) {
  if (operation.kind() != KIND_STREAM) return Shape::kReply;
  if (operation.flow() == FLOW_IN) return Shape::kFlowIn;
  return operation.flow() == FLOW_BOTH ? Shape::kFlowBoth : Shape::kFlowOut;
}

std::string parameters(const ModelOperation& operation) {
  const std::string in = cpp_name(operation.input()), out = out_of(operation);
  switch (shape_of(operation)) {
    case Shape::kFlowOut:
      return fmt::format("const {}& request, ::hector::OutFlow<{}> out", in, out);
    case Shape::kFlowIn:
      return fmt::format("::hector::InFlow<{}> in, ::hector::Reply<{}> reply", in, out);
    case Shape::kFlowBoth:
      return fmt::format("::hector::InFlow<{}> in, ::hector::OutFlow<{}> out", in, out);
    case Shape::kReply:
      break;
  }
  return fmt::format("const {}& request, ::hector::Reply<{}> reply", in, out);
}
const char* entry_of(const ModelOperation& operation) {
  switch (shape_of(operation)) {
    case Shape::kFlowOut:
      return "enter_flow_out";
    case Shape::kFlowIn:
      return "enter_flow_in";
    case Shape::kFlowBoth:
      return "enter_flow_both";
    case Shape::kReply:
      break;
  }
  return "enter_operation";
}

std::string constants(const Interface& interface, const std::string& id, const std::string& name) {
  std::string text = fmt::format(
      "/// The operations of {}, by number and name.\nstruct {}Operations {{\n"
      "  static constexpr const char* kInterface = \"{}\";\n",
      id, name, id);
  int index = 0;
  for (const auto& operation : interface.operations())
    text += fmt::format("  static constexpr ::hector::OperationOf<{}, {}> {}{{{{{}, \"{}\"}}}};\n",
                        cpp_name(operation.input()), out_of(operation), constant_of(operation),
                        index++, operation.name());
  return text + "};\n\n";
}

std::string servant(const Interface& interface, const std::string& id, const std::string& name,
                    const std::string& model) {
  std::string text = fmt::format(
      "/// {}{}{}\n/// A servant derives from it: one function for each operation, which ends its "
      "call now or later.\nclass {}Servant : public ::hector::Servant {{\n public:\n"
      "  /// A serialised hector.type.v1.Interface.\n"
      "  static std::string_view model() {{\n    return {{{}, {}}};\n  }}\n"
      "  void invoke(::hector::Call& call) noexcept override {{\n"
      "    switch (call.operation->index) {{\n",
      id, interface.description().empty() ? "" : ": ", interface.description(), name,
      octets_literal(model), model.size());
  int index = 0;
  for (const auto& operation : interface.operations())
    text += fmt::format(
        "      case {}:\n        return ::hector::{}<{}, {}, &{}Servant::{}>(*this, call);\n",
        index++, entry_of(operation), cpp_name(operation.input()), out_of(operation), name,
        function_name(operation.name()));
  text += fmt::format(
      "      default:\n        return ::hector::fail_unknown(call, \"{}\");\n    }}\n  }}\n\n", id);
  for (const auto& operation : interface.operations())
    text += fmt::format("  virtual void {}({}) = 0;\n", function_name(operation.name()),
                        parameters(operation));
  return text + "};\n\n";
}

/// Flows are not among it.
std::string client(const Interface& interface, const std::string& id, const std::string& name) {
  std::string text = fmt::format(
      "/// Calls an Object that offers {}.\nclass {}Client : public ::hector::Client, public "
      "{}Operations {{\n public:\n  using Client::Client;\n",
      id, name, name);
  for (const auto& operation : interface.operations()) {
    if (shape_of(operation) != Shape::kReply) continue;
    const std::string in = cpp_name(operation.input()), out = out_of(operation);
    text += fmt::format(
        "  ::hector::Result<{0}> {1}(const {2}& request, ::hector::Deadline deadline = "
        "::hector::kNever) const {{\n    return ask({3}, request, deadline);\n  }}\n"
        "  void {1}(const {2}& request, ::hector::Deadline deadline, "
        "::hector::Callback<void(::hector::Result<{0}>)> done) const {{\n"
        "    start({3}, request, deadline, std::move(done));\n  }}\n",
        out, function_name(operation.name()), in, constant_of(operation));
  }
  return text + "};\n";
}

}  // namespace

std::string generate_servants(const std::vector<TypeDocument>& documents, const std::string& file) {
  std::set<std::string> includes, messages;
  for (const auto& document : documents) {
    if (document.interface) add_message_includes(*document.interface, includes, messages);
  }
  std::string text = fmt::format(
      "// Made from {}: it is made again when that changes.\n#pragma once\n\n#include "
      "<string_view>\n#include <utility>\n\n",
      file);
  for (const auto& include : includes) {
    if (!include.starts_with("google/protobuf/descriptor"))
      text += fmt::format("#include \"{}\"\n", include);
  }
  text += "#include \"hector/operation_calls.h\"\n";
  for (const auto& document : documents) {
    if (!document.interface) continue;
    const auto& interface = *document.interface;
    const auto [package, name] = named(document.id);
    text += open_namespace(package) + constants(interface, document.id, name) +
            servant(interface, document.id, name, deterministic(interface)) +
            client(interface, document.id, name) + close_namespace(package);
  }
  return text;
}

}  // namespace hector::types
