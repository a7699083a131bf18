// What: type files read without a kernel: for their mistakes, or for their models.
// Why: `hector type check` needs no capsule; languages make classes from types when they are
// imported.
// Who: the command line, editors, language plugins.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hector/result.h"

namespace hector {

struct TypeDescription {
  std::string id;
  bool is_binding = false;
  std::string model;        ///< a serialised hector.type.v1.Interface or Binding
  std::string descriptors;  ///< of an Interface: a serialised FileDescriptorSet
};

/// What is to be said of one type of a file.
struct TypeCheck {
  std::string file;
  std::string type;  ///< "diary.Meeting/1"; empty where that cannot be told
  bool ok = true;
  std::string rule;  ///< "syntax", "names", "C0" … "C5", "limits"
  std::string text;  ///< for people
  std::vector<std::string> trace;
  std::vector<std::string> who;
};
/// These files, and the `.yaml` and `.yml` files below these folders. NOT_FOUND names a path that
/// is not there.
Result<std::vector<std::string>> type_files(const std::vector<std::string>& paths);
/// Every type in these files, and in the `.yaml` and `.yml` files below these folders. An Interface
/// may stand in another file than the Binding type that names it. NOT_FOUND names a path that is
/// not there.
Result<std::vector<TypeCheck>> check_types(const std::vector<std::string>& paths);

struct ConformanceReason {
  std::string rule;  ///< "signature", "R1" … "R5", "concurrency", "qos"
  std::string text;
  std::vector<std::string> trace;
};
struct Conformance {
  std::vector<ConformanceReason> reasons;  ///< none: it conforms
  bool order_compared =
      true;  ///< false: the Interface says no order, signatures alone were compared
};
/// Whether an Interface may play a Role: "FILE:NAME", where NAME is an Interface
/// ("diary.Calendar/1", or without its major) and a Role
/// ("diary.Meeting/1.attendee", or "attendee" where one Binding type of the file has it) or an
/// Interface that is to be replaced. NOT_FOUND, INVALID_ARGUMENT.
Result<Conformance> check_conformance(const std::string& interface, const std::string& role);

/// What differs between two type files, a line each.
Result<std::vector<std::string>> diff_types(const std::string& older, const std::string& newer);
/// Why parties of the older file's types could not go on with the newer's; none: they can (types of
/// one name are compared, the highest major each).
Result<Conformance> check_breaking(const std::string& older, const std::string& newer);
struct ImportedTypes {
  std::string yaml;
  std::vector<std::pair<std::string, std::string>>
      proto_files;  ///< of a FileDescriptorSet: path and text
};
/// The gRPC services of a .proto file or a FileDescriptorSet as Interfaces.
Result<ImportedTypes> import_types(const std::string& path, std::uint32_t major);
/// An Interface, "FILE:NAME", as the .proto of its gRPC service.
Result<std::string> export_type(const std::string& interface);

/// The file's text laid out in the one way. Comments, and what is not meant, stay as they are.
/// INVALID_ARGUMENT if it is no YAML, NOT_FOUND.
Result<std::string> format_type_file(const std::string& path);

enum class CodeForm { kHeader, kPyi };
/// Code made from a type file: a C++ header with a class for each Interface to derive a template
/// from, typed stubs and what each role may start; or a .pyi for editors.
Result<std::string> generate_code(const std::string& path, CodeForm form);

/// A type of the file as a picture in Graphviz's language; `type` may be empty where the file has
/// one Binding type, or only one type. NOT_FOUND, INVALID_ARGUMENT.
Result<std::string> draw_type(const std::string& path, const std::string& type);

/// The types in a file. INVALID_ARGUMENT: "file:line:column: what"; NOT_FOUND if there is no such
/// file.
Result<std::vector<TypeDescription>> read_type_descriptions(const std::string& path);
/// The FileDescriptorSet of hector.type.v1 itself.
std::string type_model_descriptors();

}  // namespace hector
