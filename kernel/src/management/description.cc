#include "management/description.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "hector/management/v1/management.pb.h"
#include "management/listing.h"
#include "types/order/expression.h"
#include "types/order/projection.h"

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

Result<std::string> Description::of(const management::v1::DescribeRequest& asked) const {
  const std::string& kind = asked.kind();
  const std::string& name = asked.name();
  if (kind == "type") return type(name);
  if (kind == "binding") return binding(name);
  if (kind == "object") return object(name);
  if (kind == "policy") return policy(name, asked.object());
  if (kind == "conformance") return conformance(name);
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
  if (const auto offer = core_.offers.find_object(name)) {
    kernel_.watch().look();
    const auto running = kernel_.watch().running(*offer->host);
    field("calls", std::to_string(offer->host->calls()));
    field("unanswered", std::to_string(offer->host->unanswered()));
    field("queued", std::to_string(offer->host->queued()));
    if (running.empty()) field("state", "idle");
    for (const auto& call : running)
      field(call.late ? "overdue" : "running",
            fmt::format("{}, since {}", call.text(), time_text(call.since)));
  }
  field("reference", target->reference().text());
  return json_of(item);
}

Result<std::string> Description::policy(const std::string& name, const std::string& object) const {
  const auto resource = name.rfind('.');
  const auto role = resource == std::string::npos || resource == 0 ? std::string::npos
                                                                   : name.rfind('.', resource - 1);
  std::vector<PolicyCandidate> all;
  if (role != std::string::npos && resource + 1 < name.size())
    all = core_.policies.explain(name.substr(0, role), name.substr(role + 1, resource - role - 1),
                                 name.substr(resource + 1), object);
  if (all.empty() || all.back().source != "built in") {
    std::vector<std::string> known;
    for (const auto& each : kernel_policies()) known.emplace_back(each.resource);
    return fail(Error::not_found(fmt::format(
        "the kernel asks no policy '{}'; it asks BINDING.ROLE.X or BINDING.INTERACTION.X, X one of "
        "{}",
        name, fmt::join(known, ", "))));
  }
  management::v1::ListReply reply;
  reply.set_kind("policies");
  for (const auto& each : all) {
    auto& item = *reply.add_items();
    item.set_name(each.key);
    const auto field = [&](const char* key, const std::string& value) {
      auto* const added = item.add_fields();
      added->set_name(key);
      added->set_value(value);
    };
    field("value", each.text);
    field("source", each.source);
    field("counts", each.counts ? "yes" : "no");
    field("why", each.why);
  }
  return json_of(reply);
}

Result<std::string> Description::conformance(const std::string& name) const {
  const auto blank = name.find(' ');
  const auto dot = name.rfind('.');
  if (blank == std::string::npos || dot == std::string::npos || dot < blank)
    return fail(Error::invalid_argument(
        fmt::format("'{}' is no question: write INTERFACE BINDING.ROLE", name)));
  const std::string id = name.substr(0, blank);
  const auto offered = HECTOR_TRY(core_.types.interface(id));
  const auto binding = HECTOR_TRY(core_.types.binding(name.substr(blank + 1, dot - blank - 1)));
  const int role = types::role_position(binding, name.substr(dot + 1));
  if (role < 0)
    return fail(Error::not_found(
        fmt::format("'{}' has no role '{}'", types::binding_id(binding), name.substr(dot + 1))));
  const auto& wanted = binding.roles(role);
  const auto required = HECTOR_TRY(core_.types.interface(wanted.interface_id()));
  const auto judged =
      core_.types.conformance(offered, binding, static_cast<std::uint32_t>(role), required);
  if (!*judged) return fail(judged->error());
  management::v1::ListReply reply;
  reply.set_kind((*judged)->order_compared ? "ordered" : "unordered");
  for (const auto& finding : (*judged)->findings) {
    auto& item = *reply.add_items();
    item.set_name(finding.rule);
    auto* const text = item.add_fields();
    text->set_name("text");
    text->set_value(finding.text);
    for (const auto& step : finding.trace) {
      auto* const added = item.add_fields();
      added->set_name("trace");
      added->set_value(step);
    }
  }
  return json_of(reply);
}

}  // namespace hector
