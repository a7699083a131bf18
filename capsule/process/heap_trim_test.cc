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

/// Many small blocks, taken and freed, in a heap whose end stays in use.
class Burst {
 public:
  void take() {
    for (int i = 0; i < 40'000; ++i) blocks_.push_back(std::make_unique<std::string>(1'500, 'x'));
    last_ = std::make_unique<std::string>(1'500, 'x');
  }
  void free() { blocks_.clear(); }

 private:
  std::vector<std::unique_ptr<std::string>> blocks_;
  std::unique_ptr<std::string> last_;
};

TEST(HeapTrim, GivesBackWhatSmallBlocksLeftAndThenLeavesTheHeapAlone) {
  HeapTrim memory;
  memory.look();
  const std::size_t before = resident_octets();
  Burst burst;
  burst.take();
  ASSERT_GT(resident_octets(), before + 50'000'000);
  burst.free();
  EXPECT_TRUE(memory.look());
  EXPECT_LT(resident_octets(), before + 8'000'000);
  EXPECT_FALSE(memory.look()) << "nothing was freed since";
}

TEST(HeapTrim, GivesBackPagesThatWereTakenAgainAfterItGaveThemBack) {
  HeapTrim memory;
  memory.look();
  const std::size_t before = resident_octets();
  Burst burst;
  for (int i = 0; i < 3; ++i) {
    burst.take();
    burst.free();
    EXPECT_TRUE(memory.look());
    EXPECT_LT(resident_octets(), before + 8'000'000);
  }
}

}  // namespace
}  // namespace hector
