// What: a gRPC service written as the type file of an Interface.
// Why: existing .proto services become Interfaces unchanged, read by the same reader as type files.
// Who: `hector type import`, read_proto_models().
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <string>

namespace hector::types {

/// One YAML document: the service's methods as operations, in their order.
std::string service_yaml(const google::protobuf::ServiceDescriptor& service, std::uint32_t major);

}  // namespace hector::types
