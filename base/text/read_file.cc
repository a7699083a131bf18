#include "base/text/read_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace hector {

Result<std::string> read_file(const std::string& path, std::string_view what) {
  const auto refused = [&] {
    const int why = errno;
    return fail(Error::not_found(
        fmt::format("{} '{}' cannot be read: {}", what, path, std::strerror(why))));
  };
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return refused();
  std::string text;
  char part[16 * 1024];
  while (in.read(part, sizeof part), in.gcount() > 0)
    text.append(part, static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return refused();  // a folder can be opened, but not read
  return text;
}

Result<std::string> read_text(const std::string& path, std::string_view what) {
  const auto octets = HECTOR_TRY(read_file(path, what));
  if (octets.starts_with("\xFF\xFE") || octets.starts_with("\xFE\xFF"))
    return fail(Error::invalid_argument(
        fmt::format("{}:1: {} '{}' is UTF-16; save it as UTF-8", path, what, path)));
  return plain_text(octets);
}

}  // namespace hector
