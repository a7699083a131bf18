// What: read_yaml_file, a YAML file read by a function, with mistakes as Errors.
// Why: every refusal names file, line and column in one way.
// Who: configurations and manifests.
#pragma once

#include <fmt/format.h>

#include <string>

#include "base/text/read_file.h"
#include "base/yaml/yaml_node.h"
#include "hector/result.h"

namespace hector {

/// Of configurations and manifests; the largest of ours has 3 KiB.
inline constexpr std::size_t kYamlOctetsMax = 1024 * 1024;

/// Throws YamlMistake with the place of a second document: nothing would read it.
void refuse_more_documents(const std::string& text, const std::string& path,
                           const std::string& what);

/// What `read(node)` makes of the document, which messages call `what` ("the manifest"). NOT_FOUND
/// if the file cannot be read, INVALID_ARGUMENT if it is UTF-16, too long, not YAML, or refused by
/// `read` (YamlMistake).
template <class Read>
auto read_yaml_file(const std::string& path, const std::string& what, const Read& read)
    -> Result<decltype(read(std::declval<YamlNode>()))> {
  const std::string text = HECTOR_TRY(read_text(path, what));
  if (text.size() > kYamlOctetsMax)
    return fail(Code::kInvalidArgument, fmt::format("{}: {} has {} octets, {} are allowed", path,
                                                    what, text.size(), kYamlOctetsMax));
  try {
    refuse_more_documents(text, path, what);
    return read(YamlNode(YAML::Load(text), path, what));
  } catch (const YamlMistake& mistake) {
    return fail(Code::kInvalidArgument, mistake.text);
  } catch (const YAML::Exception& error) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}:{}:{}: not YAML: {}", path, error.mark.line + 1,
                            error.mark.column + 1, error.msg));
  }
}

}  // namespace hector
