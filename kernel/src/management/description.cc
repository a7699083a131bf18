#include "management/description.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "hector/management/v1/management.pb.h"
#include "management/listing.h"
#include "types/order/expression.h"

namespace hector {

namespace {

std::string json_of(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = true;
  std::string json;
  static_cast<void>(google::protobuf::util::MessageToJsonString(message, &json, options));
  return json;
}

/// " (left out: b = 2)": the defaults that the message type says; empty: none.
std::string defaults_of(const google::protobuf::Descriptor* message) {
  std::vector<std::string> said;
  for (int i = 0; message != nullptr && i < message->field_count(); ++i) {
    const auto& field = *message->field(i);
    if (!field.has_default_value()) continue;
    const std::string text = field.DebugString();  // optional int64 b = 2 [default = 2];
    const auto begin = text.find("default = ") + std::string_view("default = ").size();
    const auto end = text.rfind(']');
    said.push_back(fmt::format("{} = {}", field.name(), text.substr(begin, end - begin)));
  }
  if (said.empty()) return "";
  return fmt::format(" (left out: {})", fmt::join(said, ", "));
}

}  // namespace

Result<std::string> Description::of(const std::string& kind, const std::string& name) const {
  if (kind == "type") return type(name);
  if (kind == "binding") return binding(name);
  if (kind == "object") return object(name);
  return row(kind, name);
}

Result<std::string> Description::type(const std::string& name) const {
  if (auto interface = core_.types.interface(name)) {
    auto model = (*interface)->typed_model();
    model.clear_descriptors();
    return json_of(model);
  }
  for (const auto& type : core_.types.interaction_types()) {
    if (types::interaction_type_id(type) == name) return json_of(type);
  }
  auto binding = core_.types.binding(name);
  if (!binding)
    return fail(Error::not_found(fmt::format("no type '{}'; `hector get types` lists them", name)));
  return json_of(*binding);
}

Result<std::string> Description::binding(const std::string& name) const {
  if (const auto controller = kernel_.bindings().find(std::strtoull(name.c_str(), nullptr, 16)))
    return json_of(controller->state());
  return fail(Error::not_found(fmt::format("this capsule made no Binding '{}'", name)));
}

Result<std::string> Description::row(const std::string& kind, const std::string& name) const {
  const auto listed = HECTOR_TRY(Listing(kernel_).of(kind));
  for (const auto& item : listed.items()) {
    if (item.name() == name) return json_of(item);
  }
  return fail(Error::not_found(fmt::format("no {} '{}'", kind, name)));
}

Result<std::string> Description::object(const std::string& name) const {
  auto target = HECTOR_TRY(kernel_.capsule().resolve(name));
  const auto& interface = *target->interface();
  management::v1::Item item;
  item.set_name(name);
  const auto field = [&](const std::string& key, const std::string& value) {
    auto* added = item.add_fields();
    added->set_name(key);
    added->set_value(value);
  };
  field("capsule", target->reference().capsule);
  field("interface", interface.id());
  field("principal", target->reference().principal);
  for (const auto& profile : target->reference().profiles) field(profile.protocol, profile.address);
  const auto& messages = types::compiled(interface).messages();
  for (const auto& operation : interface.operations()) {
    field("operation " + operation.name,
          fmt::format("{} {}{} -> {}", kind_name(operation.kind), operation.input,
                      defaults_of(messages.find(operation.input)), operation.output));
  }
  const auto& model = types::compiled(interface).typed_model();
  if (model.has_protocol()) field("protocol", types::print_expression(model.protocol()));
  field("reference", target->reference().text());
  return json_of(item);
}

}  // namespace hector
