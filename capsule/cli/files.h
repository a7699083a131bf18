// What: a file that a command writes, whole or not at all.
// Why: each failure is reported with its path, in one way; and a full disk, or a command that is
// ended, leaves the file that was there before.
// Who: the files of commands beside it.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "hector/result.h"

namespace hector {

/// By errno.
inline Error cannot_write(const std::filesystem::path& path) {
  const int why = errno;
  const std::string text =
      fmt::format("'{}' cannot be written: {}", path.string(), std::strerror(why));
  if (why == ENOSPC || why == EDQUOT || why == EFBIG)
    return Error::resource_exhausted(text + "; make room there, or choose another place");
  return Error::unavailable(text);
}

/// Where it fails, a part of it may be written.
inline Status write_octets(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  if (!(out << text) || !out.flush()) return fail(cannot_write(path));
  return {};
}

/// RESOURCE_EXHAUSTED where there is no room for it, UNAVAILABLE where it cannot be written
/// otherwise.
inline Status write_to(const std::filesystem::path& path, const std::string& text) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path file = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
  const auto before = fs::status(file, error);
  if (!fs::is_regular_file(before)) return write_octets(path, text);  // nothing is lost
  const fs::path fresh = file.string() + ".unfinished";
  auto written = write_octets(fresh, text);
  if (written) {
    fs::permissions(fresh, before.permissions(), error);
    fs::rename(fresh, file, error);
    if (!error) return {};
    errno = error.value();
    written = fail(cannot_write(path));
  }
  fs::remove(fresh, error);
  const bool has_no_room = written.error().code == Code::kResourceExhausted;
  return has_no_room ? written : write_octets(path, text);  // the folder may not be ours
}

}  // namespace hector
