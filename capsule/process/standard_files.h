// What: keep_standard_files(): descriptors 0 to 2 in a program that was started without one.
// Why: the next socket or file that is opened would become the standard output, and what is printed
// would go to a peer.
// Who: hector-capsule and hector, first of all.
#pragma once

#include <fcntl.h>

namespace hector {

/// Those that are closed become /dev/null: writing to the output fails as it would have, errors go
/// nowhere.
inline void keep_standard_files() {
  for (const int descriptor : {0, 1, 2}) {
    if (fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest free number is this one: those below it are open.
    static_cast<void>(open("/dev/null", descriptor == 2 ? O_WRONLY : O_RDONLY));
  }
}

}  // namespace hector
