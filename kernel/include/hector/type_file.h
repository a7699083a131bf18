// What: type files read without a kernel: for their mistakes, or for their models.
// Why: `hector type check` needs no capsule; languages make classes from types when they are imported.
// Who: the command line, editors, language plugins.
#pragma once

#include <string>
#include <vector>

#include "hector/result.h"

namespace hector {

struct TypeDescription {
  std::string id;
  bool is_binding = false;
  std::string model;        ///< a serialised hector.type.v1.Interface or Binding
  std::string descriptors;  ///< of an Interface: a serialised FileDescriptorSet
};

/// The types in a file. INVALID_ARGUMENT: "file:line:column: what"; NOT_FOUND if there is no such file.
Result<std::vector<TypeDescription>> read_type_descriptions(const std::string& path);
/// Their ids alone.
Result<std::vector<std::string>> check_type_file(const std::string& path);
/// The FileDescriptorSet of hector.type.v1 itself.
std::string type_model_descriptors();

}  // namespace hector
