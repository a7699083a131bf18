// What: what people do with types: check files, compare, format, import, export and draw them, and
// make code of them.
// Why: `hector type …` needs no capsule, and no capsule carries this: it is in hector_authoring.
// Who: the command line and the Type service, which link that library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hector/types.h"

namespace hector::types {

/// These files, and the `.yaml` and `.yml` files below these folders. NOT_FOUND names a path that
/// is not there.
Result<std::vector<std::string>> type_files(const std::vector<std::string>& paths);

/// The outcome for one type of a file.
struct TypeCheck {
  std::string file;
  std::string type;  ///< "diary.Meeting/1"; empty where that cannot be told
  /// The first rule that it breaks: "syntax", "names", "C0" … "C5", "limits". Nothing: it is right.
  std::optional<Finding> finding;
};
/// Every type of type_files(paths). An Interface may stand in another file than the Binding type
/// that names it; where the files have Interfaces, those that Binding types name are among them.
/// NOT_FOUND names a path that is not there.
Result<std::vector<TypeCheck>> check_files(const std::vector<std::string>& paths);

/// Whether an Interface may play a Role, or replace another. Both are "FILE:NAME": NAME is an
/// Interface ("diary.Calendar/1", or without its major) and a Role ("diary.Meeting/1.attendee", or
/// "attendee" where one Binding type of the file has it) or the Interface that is replaced.
/// NOT_FOUND, INVALID_ARGUMENT.
Result<Conformance> check_conformance(const std::string& interface, const std::string& role);

// The following read files. NOT_FOUND if one is not there; INVALID_ARGUMENT: "file:line:column:
// what".

/// What differs between two type files, a line each.
Result<std::vector<std::string>> differences(const std::string& older, const std::string& newer);
/// What parties of the older file's types would miss in the newer's (types of one name are
/// compared, the highest major of each).
Result<std::vector<Finding>> breaking_changes(const std::string& older, const std::string& newer);

/// One way in which users of the older .proto files would break.
struct ProtoBreaking {
  std::string rule;  ///< Buf's name: "FIELD_SAME_TYPE", …
  std::string path;  ///< "diary.Slot.start"
  std::string older, newer;
};
/// What users of `older`, who hold on to what the category says, would miss in `newer`: "FILE",
/// "PACKAGE", "WIRE_JSON" or "WIRE". INVALID_ARGUMENT for another category, and for texts that do
/// not parse.
Result<std::vector<ProtoBreaking>> breaking_changes(const ProtoTexts& older,
                                                    const ProtoTexts& newer,
                                                    const std::string& category);

/// A .proto file as text, with all that it imports but google/protobuf/, by path from its root.
struct ProtoSourceTexts {
  std::string name;  ///< the file's own path
  ProtoTexts texts;
};
/// Roots as in import_services().
Result<ProtoSourceTexts> proto_texts(const std::string& path,
                                     const std::vector<std::string>& roots = {});

struct ImportedTypes {
  std::string yaml;  ///< an Interface a service
  /// Of a FileDescriptorSet: path and text of each file that is not Google's own.
  std::vector<std::pair<std::string, std::string>> proto_files;
};
/// The services of a .proto file, or of a serialised FileDescriptorSet, as Interfaces of this
/// major. `roots` are where the imports of a .proto file begin (`protoc -I`); without them it is
/// the nearest folder around the file where all of them are found.
Result<ImportedTypes> import_services(const std::string& path, std::uint32_t major,
                                      const std::vector<std::string>& roots = {});
/// The .proto file with the service of an Interface, "FILE:NAME"; INVALID_ARGUMENT too where the
/// Interface has no operations.
Result<std::string> export_service(const std::string& interface);
/// The file's text laid out in the one way; comments, and what is not understood, stay as they are.
Result<std::string> format_file(const std::string& path);

enum class CodeForm { kHeader, kPyi };
/// Code made from a type file: a C++ header with a class for each Interface to derive a template
/// from, typed stubs and what each role may start; or a .pyi for editors.
Result<std::string> generate_code(const std::string& path, CodeForm form);

/// A type of the file as a picture in Graphviz's language; `type` may be empty where the file has
/// one Binding type, or only one type.
Result<std::string> draw_type(const std::string& path, const std::string& type);

}  // namespace hector::types
