// What: code made from types: C++ classes to derive templates from and typed stubs, Python's .pyi
// for editors.
// Why: an operation that is not there, or is used with the wrong messages, does not compile, and
// the compiler names it.
// Who: `hector type gen`, the build's hector_generate_types().
#pragma once

#include <string>
#include <vector>

#include "types/model/reader.h"

namespace hector::types {

/// A header. `file` is what it is said to be made from. A name that is a word of C++ has an
/// underscore behind it; INVALID_ARGUMENT names one for which protoc makes what no compiler takes.
Result<std::string> generate_cpp(const std::vector<TypeDocument>& documents,
                                 const std::string& file);
/// A stub file for editors and type checkers: what `import NAME` gives for NAME.hector.yaml. A name
/// that is a word of Python has an underscore behind it there too.
Result<std::string> generate_python(const std::vector<TypeDocument>& documents,
                                    const std::string& file);

}  // namespace hector::types
