// What: wait_until, sleeping on this thread while serving the Objects it is inside of.
// Why: flows are waited for as calls are.
// Who: the C API.
#pragma once

#include <functional>

namespace hector {

/// Returns when `is_over` is true; whoever makes it true wakes this thread's Parker afterwards.
void wait_until(const std::function<bool()>& is_over);

}  // namespace hector
