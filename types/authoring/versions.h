// What: types beside their earlier versions, and beside .proto: differences, breaking changes,
// import and export.
// Why: a type that others use changes safely or gets a new major; existing gRPC services become
// Interfaces unchanged.
// Who: `hector type diff|breaking|import|export`.
#pragma once

#include <string>
#include <vector>

#include "types/check/conformance.h"
#include "types/model/reader.h"

namespace hector::types {

/// What differs, a line each ("operations[hold].throws[0]: added: diary.Busy"); types are matched
/// by name, the highest major each.
std::vector<std::string> differences(const TypeFile& older, const TypeFile& newer);

/// Why parties of the older types could not go on with the newer ones, with the type's name in
/// front (types.md 6): an Interface must play its predecessor's protocol, and every Role must be
/// played by whoever played the earlier one.
Result<std::vector<Reason>> breaking_changes(const TypeFile& older, const TypeFile& newer);

/// The services of a .proto file, or of a serialised FileDescriptorSet, as Interfaces in YAML.
/// INVALID_ARGUMENT, NOT_FOUND.
struct Imported {
  std::string yaml;
  std::vector<std::pair<std::string, std::string>>
      proto_files;  ///< of a set: path and text of each file that is not Google's own
};
Result<Imported> import_services(const std::string& path, std::uint32_t major);
/// The .proto file with the Interface's service; what .proto cannot say (order, what it initiates,
/// QoS) stands in a comment.
std::string export_service(const CompiledInterface& interface);

}  // namespace hector::types
