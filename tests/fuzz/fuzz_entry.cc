// libFuzzer's entry, built where the compiler is clang: cmake -DHECTOR_FUZZ_TARGET=header.
#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& target : hector::fuzz::targets()) {
    if (target.name == HECTOR_FUZZ_TARGET) target.run(data, size);
  }
  return 0;
}
