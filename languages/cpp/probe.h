// What: try_in_a_process(), a shared object loaded in a process of its own first.
// Why: where its initialisers crash, exit or never end, that process ends, and not the capsule.
// Who: LibraryCopies.
#pragma once

#include <string>

#include "hector/result.h"

namespace hector::cpp_language {

/// `probe`: the program hector-probe; `file`: the library, open. What does not load for other
/// reasons is good here: loading it gives the reason. INVALID_ARGUMENT: loading it ends or holds a
/// process; UNAVAILABLE: there is no process for it.
Status try_in_a_process(const std::string& probe, int file, const std::string& path);

}  // namespace hector::cpp_language
