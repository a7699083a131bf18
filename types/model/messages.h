// What: message types from .proto files and descriptor sets, in a pool of their own.
// Why: message types are always Protobuf; each Interface carries the descriptors it needs, so that
// any capsule can read it.
// Who: the type reader, compiled Interfaces, signature conformance.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/result.h"

namespace hector::types {

/// Where .proto files are read from: a folder or one above it, the given roots and nothing else, or
/// texts by path and nothing else.
struct ProtoSource {
  ProtoSource(std::string place) : folder(std::move(place)) {}  // NOLINT: a folder is one
  ProtoSource(const char* place) : folder(place) {}             // NOLINT
  explicit ProtoSource(std::vector<std::string> places) : roots(std::move(places)) {}
  explicit ProtoSource(const std::map<std::string, std::string>* given) : texts(given) {}
  std::string folder;
  std::vector<std::string> roots;  ///< as `protoc -I`: the first that has a file counts
  const std::map<std::string, std::string>* texts = nullptr;
};

/// Parses .proto files found in `source` (imports too; google/protobuf/* is built in) with all they
/// import, in an order in which each comes after its imports. Of a folder and those above it, the
/// nearest where all of that is found is the root of all imports, and where no single one is, each
/// file is taken from the nearest that has it. INVALID_ARGUMENT: "file:line:column: what".
Result<google::protobuf::FileDescriptorSet> read_proto_files(const ProtoSource& source,
                                                             const std::vector<std::string>& files);

/// One .proto file with all that it imports.
struct ProtoFile {
  std::string root;  ///< the folder that imports begin at
  std::string name;  ///< the file's own path from there
  google::protobuf::FileDescriptorSet files;
};
/// Roots as `protoc -I`, one of which holds the file; without them the nearest folder around the
/// file where all imports are found. INVALID_ARGUMENT as read_proto_files(), NOT_FOUND.
Result<ProtoFile> read_proto_file(const std::string& path, const std::vector<std::string>& roots);

/// The file that describes a message type compiled into this program, with its imports.
google::protobuf::FileDescriptorSet compiled_files(
    const std::vector<const google::protobuf::Descriptor*>& messages);

/// Immutable once made; any thread.
class MessagePool {
 public:
  static Result<std::unique_ptr<const MessagePool>> make(
      const google::protobuf::FileDescriptorSet& files);
  /// Null if unknown.
  [[nodiscard]] const google::protobuf::Descriptor* find(const std::string& message) const;
  [[nodiscard]] std::unique_ptr<google::protobuf::Message> create(
      const google::protobuf::Descriptor* type) const;
  /// All message names, for hints about misspelt ones.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const google::protobuf::DescriptorPool& pool() const { return pool_; }

 private:
  google::protobuf::DescriptorPool pool_;
  mutable google::protobuf::DynamicMessageFactory factory_;
  std::vector<std::string> names_;
};

}  // namespace hector::types
