#include "types/authoring/grpc_services.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text/read_file.h"
#include "types/model/messages.h"
#include "types/model/service_yaml.h"
#include "types/order/expression.h"

namespace hector::types {

namespace pb = google::protobuf;

Result<ProtoSourceTexts> proto_texts(const std::string& path,
                                     const std::vector<std::string>& roots) {
  const auto read = HECTOR_TRY(read_proto_file(path, roots));
  ProtoSourceTexts found;
  found.name = read.name;
  const auto folders = roots.empty() ? std::vector{read.root} : roots;
  for (const auto& file : read.files.file()) {
    if (file.name().starts_with("google/protobuf/")) continue;
    const auto has_it = [&](const std::string& folder) {
      return std::filesystem::exists(std::filesystem::path(folder) / file.name());
    };
    auto folder = std::filesystem::path(folders.front());
    for (const auto& each : folders) {
      if (!has_it(each)) continue;
      folder = each;
      break;
    }
    // Where no single folder has all, the parser took it from one around the first.
    while (!has_it(folder.string()) && folder != folder.parent_path())
      folder = folder.parent_path();
    found.texts[file.name()] = HECTOR_TRY(read_text((folder / file.name()).string()));
  }
  return found;
}

Result<ImportedTypes> import_services(const std::string& path, std::uint32_t major,
                                      const std::vector<std::string>& roots) {
  ImportedTypes imported;
  pb::FileDescriptorSet files;
  std::string asked;
  const bool is_proto = path.ends_with(".proto");
  if (is_proto) {
    auto read = HECTOR_TRY(read_proto_file(path, roots));
    files = std::move(read.files);
    asked = std::move(read.name);
  } else {
    const auto octets = HECTOR_TRY(read_file(path));
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
    const bool is_asked = !is_proto || file.name() == asked;
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
