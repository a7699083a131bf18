// What: the reader of custom Interaction types: YAML documents to the canonical model.
// Why: the standard ones are read like any other, before there is a reader for what uses them.
// Who: interaction_type.cc, the reader of type files, the command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/yaml/yaml_node.h"
#include "hector/type/v1/type.pb.h"

namespace hector::types {

/// Of a document `interaction:`. Throws YamlMistake.
hector::type::v1::InteractionType read_interaction_type(const YamlNode& node);
/// The custom Interaction types of a file, those that can be read; the rest of it is not looked at.
std::vector<hector::type::v1::InteractionType> read_interaction_types(std::string_view yaml,
                                                                      const std::string& name);

}  // namespace hector::types
