// What: breaking changes between two states of .proto files, in the four categories that Buf has:
// FILE, PACKAGE, WIRE_JSON, WIRE.
// Why: what may change depends on what users hold on to: generated code in a file or a package,
// JSON, or the wire alone.
// Who: the Type service, `hector type breaking OLD.proto NEW.proto --rules FILE`.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace hector::types {

/// As Buf documents its rules (breaking rules and categories, version 1.47); the strictest first.
enum class BreakingCategory : std::uint8_t { kFile, kPackage, kWireJson, kWire };

struct ProtoBreach {
  std::string rule;  ///< Buf's name: "FIELD_SAME_TYPE", …
  std::string path;  ///< "diary.Slot.start"
  std::string older, newer;
};

/// What of `older` users of that category would miss in `newer`. `files`: those that count (without
/// what they import); empty: all but google/protobuf/.
std::vector<ProtoBreach> proto_breaches(const google::protobuf::DescriptorPool& older,
                                        const google::protobuf::DescriptorPool& newer,
                                        const std::vector<std::string>& older_files,
                                        const std::vector<std::string>& newer_files,
                                        BreakingCategory category);

}  // namespace hector::types
