// What: who asks management, and by what that is known.
// Why: what management does for a client is that client's act: it is permitted or denied to its
// principal, not to the capsule's.
// Who: the management Object.
#pragma once

#include <string>

#include "party/core.h"

namespace hector {

struct Asker {
  KeptCaller caller;
  std::string how;  ///< "a process of user ann on this machine", "its channel proves it", …
};
/// Of a call to management that has not ended. Over loopback the system says whose process it is:
/// the capsule's own user and root are "user:NAME". Reads the system's tables.
Asker asker_of(const Core& core, const Call& call);

}  // namespace hector
