// What: LineReader, the lines of several files one after the other.
// Why: a log of any length is read in the memory of one line.
// Who: the check of a chain, the reader of records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hector/descriptor.h"
#include "hector/result.h"

namespace hector::audit {

struct Line {
  std::string_view text;  ///< without its end; until the next call. Empty where it is too long
  std::uint64_t number = 0;
  std::size_t file = 0;
  bool has_end = true;
};

/// One thread at a time.
class LineReader {
 public:
  explicit LineReader(std::vector<std::string> files) : files_(std::move(files)) {}
  /// False: there is no other line. NOT_FOUND: a file cannot be read. Blocks.
  Result<bool> next(Line& line);
  [[nodiscard]] const std::string& file(std::size_t number) const { return files_[number]; }

 private:
  Status open();
  Result<bool> fill();
  void take(std::size_t octets, Line& line);
  std::vector<std::string> files_;
  std::size_t at_ = 0;  ///< which file
  Descriptor descriptor_;
  std::uint64_t number_ = 0;
  std::string buffer_;
  std::size_t begin_ = 0, searched_ = 0;
  bool is_too_long_ = false;  ///< the line that is being read; what is read of it is dropped
};

}  // namespace hector::audit
