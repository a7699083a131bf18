// What: read_all(), a flow's messages one after the other to its end.
// Why: a reader that reads again from within its callback would recurse once for each message that
// has already arrived.
// Who: forwarded Objects, Python's watches.
#pragma once

#include <functional>
#include <memory>

#include "hector/call.h"

namespace hector::objects {

/// `each` gets a message and calls `next` once, on any thread: true for the next one. `over` runs
/// once, at the end of the flow or after false.
void read_all(std::shared_ptr<Stream> flow,
              std::function<void(Payload message, std::function<void(bool)> next)> each,
              std::function<void()> over);

}  // namespace hector::objects
