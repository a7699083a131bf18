// What: open_library(), a shared object in an open file, loaded with what it needs from a folder.
// Why: the capsule and the probe load it in the same way.
// Who: LibraryCopies, hector-probe.
#pragma once

#include <string>

#include "hector/result.h"

namespace hector::cpp_language {

/// The handle of dlopen(). Kept mapped: Objects, message classes and threads of a template may
/// outlive it. `path`: what the library is called, and in whose folder others may be.
/// INVALID_ARGUMENT with the loader's reason.
Result<void*> open_library(int file, const std::string& path);

}  // namespace hector::cpp_language
