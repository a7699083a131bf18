// What: a YAML value as JSON, by the core schema of YAML 1.2.
// Why: `arguments:` and `settings:` stand in YAML and go to Objects and plugins as JSON; what JSON
// cannot say is refused at its place and never turned into something else.
// Who: configurations.
#pragma once

#include <cstddef>
#include <string>

#include "base/yaml/yaml_node.h"

namespace hector {

/// Maps and lists inside each other; a list may hold itself by an alias.
inline constexpr std::size_t kJsonDepthMax = 64;
/// Of all that one value becomes; an alias repeats what it names.
inline constexpr std::size_t kJsonOctetsMax = 1024 * 1024;

/// Throws YamlMistake: an infinity or no number (JSON has neither), a tag that is none of the core
/// schema's, a value that is not of its tag, a key that is no text or stands twice, and what is
/// beyond the two limits.
std::string json_of(const YamlNode& node);

}  // namespace hector
