// What: HeapTrim, the heap's free pages back to the system.
// Why: glibc keeps what many small blocks leave behind, so a burst, or rubbish on a port, would
// cost the capsule its memory for ever.
// Who: the capsule's main thread, which has nothing else to do.
#pragma once

#include <chrono>
#include <cstddef>

namespace hector {

/// One thread at a time.
class HeapTrim {
 public:
  /// How often it is worth to look: looking takes as long as there are free blocks.
  static constexpr std::chrono::seconds kEvery{5};
  /// Less is what a capsule at work frees and takes again.
  static constexpr std::ptrdiff_t kWorthOctets = 1024 * 1024;

  /// Gives free pages back if what is resident beside the blocks in use has grown by kWorthOctets
  /// since the last time. True if it did.
  bool look();

 private:
  /// Octets that are resident and no blocks in use, when they were fewest since the last trim.
  std::ptrdiff_t left_ = 0;
};

}  // namespace hector
