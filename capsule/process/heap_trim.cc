// What: the heap's free pages back to the system.
// Why: see the header.
// Who: the capsule's main thread.
#include "process/heap_trim.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

namespace hector {

namespace {

/// Memory of the process that is resident and of no file. Nothing if no descriptor is left.
std::optional<std::ptrdiff_t> anonymous_octets() {
  std::ifstream file("/proc/self/statm");
  std::ptrdiff_t all = 0, resident = 0, shared = 0;
  if (!(file >> all >> resident >> shared)) return std::nullopt;
  return (resident - shared) * sysconf(_SC_PAGESIZE);
}

/// What is resident beside the blocks in use: free pages, stacks, the libraries' data. glibc's
/// count of free octets would not do: malloc_trim() gives pages back without counting them as
/// less, so it cannot tell them from pages that have been used since.
std::optional<std::ptrdiff_t> unused_octets() {
  const auto resident = anonymous_octets();
  const auto heap = mallinfo2();
  if (!resident) return std::nullopt;
  return *resident - static_cast<std::ptrdiff_t>(heap.uordblks + heap.hblkhd);
}

}  // namespace

bool HeapTrim::look() {
  const auto unused = unused_octets();
  if (!unused) return false;
  left_ = std::min(left_, *unused);
  if (*unused - left_ < kWorthOctets) return false;
  malloc_trim(0);
  left_ = unused_octets().value_or(*unused);
  return true;
}

}  // namespace hector
