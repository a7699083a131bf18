// What: a gRPC service written as the type file of an Interface.
// Why: existing .proto services become Interfaces unchanged, read by the same reader as type files.
// Who: `hector type import`, read_proto_models().
#include "types/model/service_yaml.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

namespace hector::types {

namespace pb = google::protobuf;

namespace {

std::string operation_yaml(const pb::MethodDescriptor& method) {
  const bool is_stream = method.client_streaming() || method.server_streaming();
  const char* const flow = method.client_streaming() && method.server_streaming() ? "both"
                           : method.client_streaming()                            ? "in"
                                                                                  : "out";
  const bool is_idempotent =
      method.options().idempotency_level() != pb::MethodOptions::IDEMPOTENCY_UNKNOWN;
  return fmt::format("  {}: {{kind: {}{}, in: {}, out: {}{}}}\n", method.name(),
                     is_stream ? "stream" : "rpc", is_stream ? fmt::format(", flow: {}", flow) : "",
                     method.input_type()->full_name(), method.output_type()->full_name(),
                     is_idempotent ? ", idempotent: true" : "");
}

}  // namespace

std::string service_yaml(const pb::ServiceDescriptor& service, std::uint32_t major) {
  std::string yaml = fmt::format("interface: {}/{}\nmessages: [{}]\noperations:\n",
                                 service.full_name(), major, service.file()->name());
  for (int m = 0; m < service.method_count(); ++m) yaml += operation_yaml(*service.method(m));
  return yaml;
}

}  // namespace hector::types
