// What: a type file's text as YAML documents: split, prepared and parsed one at a time.
// Why: one broken document must not hide the others, line numbers must stay those of the file, and
// yaml-cpp needs help with '@' and with deep nesting.
// Who: the readers of type files.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hector::types {

/// A type file written by hand has some kilobytes; this bounds what a parse may cost.
inline constexpr std::size_t kTypeFileOctetsMax = 1024 * 1024;
/// Maps and lists inside each other. The deepest construct of a type file needs 5; yaml-cpp
/// recurses at each level and itself stops at 500.
inline constexpr std::size_t kTypeFileDepthMax = 32;

/// The documents of a file, each behind as many empty lines as came before it, so that places stay
/// right; a byte order mark and the "\r" of line ends are left out. What follows the 1,000th
/// document mark belongs to the last document.
std::vector<std::string> split_documents(std::string_view file);

/// The id that a document says it has, however broken the rest is ("t.I/1"); "" if it says none.
std::string id_of(const std::string& document);

/// One document. Throws YamlMistake where it is nested more than kTypeFileDepthMax levels deep, and
/// YAML::Exception where it is no YAML.
YAML::Node load_document(const std::string& document, const std::string& file);

}  // namespace hector::types
