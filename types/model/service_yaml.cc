// What: a gRPC service written as the type file of an Interface.
// Why: existing .proto services become Interfaces unchanged, read by the same reader as type files.
// Who: `hector type import`, read_proto_models().
#include "types/model/service_yaml.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <regex>

#include "base/text/quoted.h"

namespace hector::types {

namespace pb = google::protobuf;

namespace {

/// A text as YAML: in quotes where a reader of YAML, 1.1 or 1.2, takes the bare word for something
/// else, or where it is not a word.
std::string yaml_text(const std::string& text) {
  static const std::regex plain("[A-Za-z_][A-Za-z0-9_./-]*");
  static const std::regex taken("null|true|false|yes|no|on|off|y|n", std::regex::icase);
  if (std::regex_match(text, plain) && !std::regex_match(text, taken)) return text;
  return json_quoted(text);
}

std::string operation_yaml(const pb::MethodDescriptor& method) {
  const bool is_stream = method.client_streaming() || method.server_streaming();
  const char* const flow = method.client_streaming() && method.server_streaming() ? "both"
                           : method.client_streaming()                            ? "in"
                                                                                  : "out";
  const bool is_idempotent =
      method.options().idempotency_level() != pb::MethodOptions::IDEMPOTENCY_UNKNOWN;
  return fmt::format("  {}: {{kind: {}{}, in: {}, out: {}{}}}\n", yaml_text(method.name()),
                     is_stream ? "stream" : "rpc", is_stream ? fmt::format(", flow: {}", flow) : "",
                     yaml_text(method.input_type()->full_name()),
                     yaml_text(method.output_type()->full_name()),
                     is_idempotent ? ", idempotent: true" : "");
}

}  // namespace

std::string service_yaml(const pb::ServiceDescriptor& service, std::uint32_t major) {
  std::string yaml = fmt::format("interface: {}/{}\nmessages: [{}]\noperations:\n",
                                 service.full_name(), major, yaml_text(service.file()->name()));
  for (int m = 0; m < service.method_count(); ++m) yaml += operation_yaml(*service.method(m));
  return yaml;
}

}  // namespace hector::types
