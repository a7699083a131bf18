#include "hector/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>

namespace hector {

void check_failed(const char* file, int line, const char* condition,
                  std::string_view message) noexcept {
  fmt::basic_memory_buffer<char, 1024> text;
  try {
    fmt::format_to(std::back_inserter(text), "{}:{}: {} (violated: {})\n", file, line, message,
                   condition);
  } catch (...) {  // out of memory: what is in the buffer so far has to do
  }
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  std::abort();
}

}  // namespace hector
