// What: service_yaml, the type file of a Protobuf service.
// Why: a gRPC service becomes an Interface the same way wherever it comes from.
// Who: the registry, `hector type import`.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <string>

namespace hector::types {

/// An Interface's document for a gRPC service.
std::string service_yaml(const google::protobuf::ServiceDescriptor& service, std::uint32_t major);

}  // namespace hector::types
