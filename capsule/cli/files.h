// What: a file that a command writes, whole.
// Why: each failure is reported with its path, in one way.
// Who: the files of commands beside it.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "hector/result.h"

namespace hector {

/// UNAVAILABLE where it cannot be written.
inline Status write_to(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  if (!(out << text) || !out.flush())
    return fail(Code::kUnavailable, fmt::format("'{}' cannot be written", path.string()));
  return {};
}

}  // namespace hector
