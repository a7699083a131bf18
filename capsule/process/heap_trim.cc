// What: the heap's free pages back to the system.
// Why: see the header.
// Who: the capsule's main thread.
#include "process/heap_trim.h"

#include <malloc.h>

#include <algorithm>

namespace hector {

bool HeapTrim::look() {
  const std::size_t free_octets = mallinfo2().fordblks;
  left_ = std::min(left_, free_octets);
  if (free_octets - left_ < kWorthOctets) return false;
  malloc_trim(0);
  // malloc_trim() gives back pages inside a heap without counting them as less.
  left_ = mallinfo2().fordblks;
  return true;
}

}  // namespace hector
