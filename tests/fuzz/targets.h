// What: the fuzz targets: everything that reads octets from outside.
// Why: no input crashes, hangs or is half taken.
// Who: run.cc (in every test run), libFuzzer (fuzz_entry.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hector::fuzz {

struct Target {
  std::string name;
  void (*run)(const std::uint8_t* data, std::size_t size);
};
const std::vector<Target>& targets();

}  // namespace hector::fuzz
