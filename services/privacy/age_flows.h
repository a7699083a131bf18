// What: seal and open as flows: parts of a text become parts of an age file, and back.
// Why: a file of any length passes in the memory of one part.
// Who: the servant.
#pragma once

#include "hector/operation_calls.h"
#include "privacy_messages.pb.h"

namespace hector::privacy {

/// Each answers a part before it reads the next one. `given` is valid until the call ends.
void seal_parts(const InFlow<v1::PlainPart>& parts, const OutFlow<v1::Part>& given);
void open_parts(const InFlow<v1::SealedPart>& parts, const OutFlow<v1::Part>& given);

}  // namespace hector::privacy
