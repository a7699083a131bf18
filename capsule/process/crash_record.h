// What: records where a capsule was when a signal of its own making ends it.
// Why: a null pointer in one Object ends the process of all; whoever is woken by it must read which
// Object, operation and template it was.
// Who: hector-capsule.
#pragma once

namespace hector {

/// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT write a line to standard error before
/// they end the process as they always do (core dump included). Once, before threads are started.
void install_crash_record();

}  // namespace hector
