#include "standard_services.h"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <memory>
#include <set>

#include "health.pb.h"
#include "hector/check.h"
#include "reflection.pb.h"
#include "service_texts.h"

namespace hector::grpcp {

namespace pb = google::protobuf;
namespace rf = ::grpc::reflection::v1;

namespace {

constexpr const char* kReflection = "grpc.reflection.v1.ServerReflection";
/// Older grpcurl and grpcui ask this one.
constexpr const char* kReflectionAlpha = "grpc.reflection.v1alpha.ServerReflection";
constexpr const char* kHealth = "grpc.health.v1.Health";
constexpr int kNotFound = 5;  ///< gRPC's number of it

pb::FileDescriptorProto parse_text(std::string text, const std::string& name, bool is_alpha) {
  if (is_alpha) {
    const std::string package = "package grpc.reflection.v1;";
    HECTOR_CHECK(text.find(package) != std::string::npos, "the reflection has another package");
    text.replace(text.find(package), package.size(), "package grpc.reflection.v1alpha;");
  }
  pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  pb::io::Tokenizer tokenizer(&input, nullptr);
  pb::compiler::Parser parser;
  pb::FileDescriptorProto file;
  parser.Parse(&tokenizer, &file);
  file.set_name(name);
  return file;
}

/// Every file of what is offered now, each once.
std::unique_ptr<pb::DescriptorPool> pool_of(const Inbound& inbound) {
  auto pool = std::make_unique<pb::DescriptorPool>();
  const auto add = [&](const pb::FileDescriptorProto& file) {
    if (pool->FindFileByName(file.name()) == nullptr) pool->BuildFile(file);
  };
  add(parse_text(kReflectionText, "grpc/reflection/v1/reflection.proto", false));
  add(parse_text(kReflectionText, "grpc/reflection/v1alpha/reflection.proto", true));
  add(parse_text(kHealthText, "grpc/health/v1/health.proto", false));
  for (const auto& service : inbound.services()) {
    pb::FileDescriptorSet files;
    if (!files.ParseFromString(service.descriptors)) continue;
    for (const auto& file : files.file()) add(file);
  }
  return pool;
}

void add_files(const pb::FileDescriptor* file, std::set<std::string>& seen,
               rf::FileDescriptorResponse& out) {
  if (!seen.insert(file->name()).second) return;
  pb::FileDescriptorProto proto;
  file->CopyTo(&proto);
  out.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) add_files(file->dependency(i), seen, out);
}

}  // namespace

bool StandardServices::is_reflection(const std::string& service) {
  return service == kReflection || service == kReflectionAlpha;
}
bool StandardServices::is_health(const std::string& service) { return service == kHealth; }

std::string StandardServices::reflect(const std::string& octets) const {
  rf::ServerReflectionRequest request;
  rf::ServerReflectionResponse response;
  const auto refuse = [&](int code, const std::string& why) {
    response.mutable_error_response()->set_error_code(code);
    response.mutable_error_response()->set_error_message(why);
  };
  if (!request.ParseFromString(octets)) {
    refuse(3, "not a ServerReflectionRequest");
    return response.SerializeAsString();
  }
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const auto pool = pool_of(inbound_);
  const auto give = [&](const pb::FileDescriptor* file, const std::string& what) {
    if (file == nullptr) return refuse(kNotFound, "nothing here defines " + what);
    std::set<std::string> seen;
    add_files(file, seen, *response.mutable_file_descriptor_response());
  };
  switch (request.message_request_case()) {
    case rf::ServerReflectionRequest::kListServices: {
      std::set<std::string> names{kReflection, kReflectionAlpha, kHealth};
      for (const auto& service : inbound_.services()) names.insert(service.interface_name);
      for (const auto& name : names)
        response.mutable_list_services_response()->add_service()->set_name(name);
      break;
    }
    case rf::ServerReflectionRequest::kFileByFilename:
      give(pool->FindFileByName(request.file_by_filename()), request.file_by_filename());
      break;
    case rf::ServerReflectionRequest::kFileContainingSymbol:
      give(pool->FindFileContainingSymbol(request.file_containing_symbol()),
           request.file_containing_symbol());
      break;
    case rf::ServerReflectionRequest::kFileContainingExtension:
      refuse(kNotFound, "no extensions are offered");
      break;
    case rf::ServerReflectionRequest::kAllExtensionNumbersOfType:
      if (pool->FindMessageTypeByName(request.all_extension_numbers_of_type()) == nullptr) {
        refuse(kNotFound, "nothing here defines " + request.all_extension_numbers_of_type());
      } else {
        response.mutable_all_extension_numbers_response()->set_base_type_name(
            request.all_extension_numbers_of_type());
      }
      break;
    case rf::ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      refuse(3, "the request asks nothing");
      break;
  }
  return response.SerializeAsString();
}

std::optional<std::string> StandardServices::health(const std::string& octets) const {
  ::grpc::health::v1::HealthCheckRequest request;
  ::grpc::health::v1::HealthCheckResponse response;
  response.set_status(::grpc::health::v1::HealthCheckResponse::SERVING);
  if (!request.ParseFromString(octets)) return std::nullopt;
  if (request.service().empty()) return response.SerializeAsString();
  for (const auto& service : inbound_.services()) {
    if (service.interface_name == request.service()) return response.SerializeAsString();
  }
  return std::nullopt;
}

std::string StandardServices::service_unknown() {
  ::grpc::health::v1::HealthCheckResponse response;
  response.set_status(::grpc::health::v1::HealthCheckResponse::SERVICE_UNKNOWN);
  return response.SerializeAsString();
}

}  // namespace hector::grpcp
