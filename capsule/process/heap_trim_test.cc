// What: tests of HeapTrim on this process's own heap.
// Why: what many small blocks leave behind must not stay resident.
// Who: ctest, in capsule_test.
#include "process/heap_trim.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace hector {
namespace {

std::size_t resident_octets() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(HeapTrim, GivesBackWhatSmallBlocksLeftAndThenLeavesTheHeapAlone) {
  HeapTrim memory;
  memory.look();
  const std::size_t before = resident_octets();
  std::vector<std::unique_ptr<std::string>> blocks;
  for (int i = 0; i < 40'000; ++i) blocks.push_back(std::make_unique<std::string>(1'500, 'x'));
  const auto last = std::make_unique<std::string>(1'500, 'x');  // the heap's end stays in use
  ASSERT_GT(resident_octets(), before + 50'000'000);
  blocks.clear();
  EXPECT_TRUE(memory.look());
  EXPECT_LT(resident_octets(), before + 8'000'000);
  EXPECT_FALSE(memory.look()) << "nothing was freed since";
}

}  // namespace
}  // namespace hector
