// What: the reader of type files: YAML documents to the canonical model.
// Why: people write types in YAML; every mistake is told with file, line, column and the nearest
// right name.
// Who: the type repository, `hector type check`, templates.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"
#include "hector/type/v1/type.pb.h"
#include "types/model/interaction_type.h"
#include "types/model/messages.h"

namespace hector::types {

struct TypeFile {
  std::vector<hector::type::v1::Interface> interfaces;
  std::vector<hector::type::v1::Binding> bindings;
  std::vector<hector::type::v1::InteractionType> interactions;
};

/// One YAML document of a type file: an Interface, a Binding, a custom Interaction type, or what is
/// wrong with it ("file:line:column: what").
struct TypeDocument {
  std::string id;  ///< as written; empty where that cannot be told
  std::optional<hector::type::v1::Interface> interface;
  std::optional<hector::type::v1::Binding>
      binding;  ///< of an Interaction type: what it is checked and drawn as
  std::optional<hector::type::v1::InteractionType> interaction;
  std::optional<Error> mistake;
};
/// All of them, whatever is wrong with some. INVALID_ARGUMENT if the file as a whole is over a
/// limit. `known` has the custom Interaction types of other files; it may be null.
Result<std::vector<TypeDocument>> read_type_documents(std::string_view yaml,
                                                      const std::string& name,
                                                      const ProtoSource& folder,
                                                      const InteractionTypeLookup& known = {});
/// `name` is for messages; `.proto` files are found in `folder` or above it. INVALID_ARGUMENT:
/// "file:line:column: what".
Result<TypeFile> read_types(std::string_view yaml, const std::string& name,
                            const ProtoSource& folder, const InteractionTypeLookup& known = {});
/// NOT_FOUND if there is no such file.
Result<TypeFile> read_type_file(const std::string& path);

}  // namespace hector::types
