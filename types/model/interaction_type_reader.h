// What: the reader of custom Interaction types: YAML documents to the model, as they are written.
// Why: the types that use them, and the standard ones in the library, need them before anything
// else is read.
// Who: the type reader, interaction_type.cc, the repository.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/yaml/yaml_node.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// Throws YamlMistake. Whether its protocol fits its parameters and roles is not looked at.
hector::type::v1::InteractionType read_interaction_type(const YamlNode& node);

/// The custom Interaction types of a file that can be read. Other documents, and those with
/// mistakes, are skipped: read_type_documents() reports them.
std::vector<hector::type::v1::InteractionType> read_interaction_types(std::string_view yaml,
                                                                      const std::string& name);

}  // namespace hector::types
