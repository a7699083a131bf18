#include "types/authoring/versions.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "types/check/binding_upgrade.h"
#include "types/model/service_yaml.h"
#include "types/order/expression.h"
#include "types/registry/repository.h"

namespace hector::types {

namespace pb = google::protobuf;
using hector::type::v1::Binding;
using hector::type::v1::Interface;

namespace {

/// By name, the highest major of each.
template <class Type, class List>
std::map<std::string, const Type*> latest(const List& types) {
  std::map<std::string, const Type*> found;
  for (const Type& type : types) {
    auto& at = found[type.name()];
    if (at == nullptr || at->major() < type.major()) at = &type;
  }
  return found;
}

template <class Type>
void compare(const std::map<std::string, const Type*>& older,
             const std::map<std::string, const Type*>& newer, std::vector<std::string>& lines) {
  for (const auto& [name, type] : newer) {
    if (!older.contains(name)) lines.push_back(fmt::format("{}: added", name));
  }
  for (const auto& [name, before] : older) {
    const auto found = newer.find(name);
    if (found == newer.end()) {
      lines.push_back(fmt::format("{}: removed", name));
      continue;
    }
    Type a = *before, b = *found->second;
    for (Type* each : {&a, &b}) {
      if constexpr (std::is_same_v<Type, Interface>) each->clear_descriptors();
    }
    if (a.has_protocol() && b.has_protocol() &&
        a.protocol().SerializeAsString() != b.protocol().SerializeAsString()) {
      lines.push_back(fmt::format("{}: protocol: {} -> {}", name, print_expression(a.protocol()),
                                  print_expression(b.protocol())));
      b.mutable_protocol()->CopyFrom(a.protocol());
    }
    pb::util::MessageDifferencer differencer;
    for (const char* list : {"operations", "initiates", "roles", "interactions"}) {
      const auto* field = Type::descriptor()->FindFieldByName(list);
      if (field != nullptr)
        differencer.TreatAsMap(field, field->message_type()->FindFieldByName("name"));
    }
    std::string report;
    differencer.ReportDifferencesToString(&report);
    differencer.Compare(a, b);
    std::istringstream in(report);
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("moved: "))
        lines.push_back(fmt::format("{}: {}", name, line));  // their order says nothing
    }
  }
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::kNotFound, fmt::format("'{}' cannot be read", path));
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::vector<std::string> differences(const TypeFile& older, const TypeFile& newer) {
  std::vector<std::string> lines;
  compare(latest<Interface>(older.interfaces), latest<Interface>(newer.interfaces), lines);
  compare(latest<Binding>(older.bindings), latest<Binding>(newer.bindings), lines);
  return lines;
}

Result<std::vector<Reason>> breaking_changes(const TypeFile& older, const TypeFile& newer) {
  std::vector<Reason> reasons;
  const auto interfaces = latest<Interface>(newer.interfaces);
  for (const auto& [name, before] : latest<Interface>(older.interfaces)) {
    const auto found = interfaces.find(name);
    if (found == interfaces.end()) {
      reasons.push_back({"removed", fmt::format("{}: the Interface is gone", name), {}});
      continue;
    }
    auto a = HECTOR_TRY(CompiledInterface::make(*before));
    auto b = HECTOR_TRY(CompiledInterface::make(*found->second));
    auto verdict = HECTOR_TRY(check_replacement(*b, *a));
    for (auto& reason : verdict.reasons)
      reasons.push_back(
          {reason.rule, fmt::format("{}: {}", name, reason.text), std::move(reason.trace)});
  }
  const auto bindings = latest<Binding>(newer.bindings);
  for (const auto& [name, before] : latest<Binding>(older.bindings)) {
    const auto found = bindings.find(name);
    if (found == bindings.end())
      reasons.push_back({"removed", fmt::format("{}: the Binding type is gone", name), {}});
    else
      binding_reasons(*before, *found->second, reasons);
  }
  return reasons;
}

Result<Imported> import_services(const std::string& path, std::uint32_t major) {
  Imported imported;
  pb::FileDescriptorSet files;
  const bool is_proto = path.ends_with(".proto");
  const auto place = std::filesystem::absolute(path);
  if (is_proto) {
    if (!std::filesystem::exists(place))
      return fail(Code::kNotFound, fmt::format("'{}' cannot be read", path));
    auto read =
        HECTOR_TRY(read_proto_files(place.parent_path().string(), {place.filename().string()}));
    files = std::move(read);
  } else {
    auto octets = HECTOR_TRY(read_file(path));
    if (!files.ParseFromString(octets) || files.file_size() == 0) {
      return fail(Code::kInvalidArgument,
                  fmt::format("'{}' is neither a .proto file nor a FileDescriptorSet (protoc "
                              "--include_imports --descriptor_set_out=FILE)",
                              path));
    }
  }
  auto pool = HECTOR_TRY(MessagePool::make(files));
  for (const auto& file : files.file()) {
    const auto* descriptor = pool->pool().FindFileByName(file.name());
    const bool is_asked = !is_proto || file.name() == place.filename().string();
    for (int s = 0; is_asked && s < descriptor->service_count(); ++s) {
      imported.yaml +=
          (imported.yaml.empty() ? "" : "---\n") + service_yaml(*descriptor->service(s), major);
    }
    if (!is_proto && !file.name().starts_with("google/protobuf/"))
      imported.proto_files.emplace_back(file.name(), descriptor->DebugString());
  }
  if (imported.yaml.empty()) return fail(Code::kNotFound, fmt::format("'{}' has no service", path));
  return imported;
}

std::string export_service(const CompiledInterface& interface) {
  pb::FileDescriptorSet files;
  files.ParseFromString(interface.descriptors());
  for (auto& file : *files.mutable_file()) {
    for (auto& service : *file.mutable_service()) {
      if (file.package() + (file.package().empty() ? "" : ".") + service.name() != interface.name())
        continue;
      for (auto& method : *service.mutable_method()) {
        const Operation* operation = interface.find(method.name());
        if (operation != nullptr && operation->idempotent &&
            !method.options().has_idempotency_level())
          method.mutable_options()->set_idempotency_level(pb::MethodOptions::IDEMPOTENT);
      }
    }
  }
  const auto pool = MessagePool::make(files);
  const auto* service = pool ? (*pool)->pool().FindServiceByName(interface.name()) : nullptr;
  if (service == nullptr) return {};
  const auto& model = interface.typed_model();
  std::string said = fmt::format("// {}, as a gRPC service.\n", interface.id());
  if (model.has_protocol())
    said += fmt::format("// Order, in each session: {}\n", print_expression(model.protocol()));
  for (const auto& operation : model.initiates())
    said += fmt::format("// It starts {}({}){}.\n", operation.name(), operation.input(),
                        operation.output().empty() ? "" : " and gets " + operation.output());
  for (const auto& operation : model.operations()) {
    if (operation.kind() == hector::type::v1::KIND_ANNOUNCE)
      said += fmt::format("// {} is an announcement: its reply says only that it was taken.\n",
                          operation.name());
  }
  return said + service->file()->DebugString();
}

}  // namespace hector::types
