#include "open_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <regex>

namespace hector::cpp_language {

namespace fs = std::filesystem;

namespace {

/// Libraries of its own folder that a template may need, one after the other.
constexpr int kNeededMax = 32;

/// "libx.so: cannot open shared object file": x is loaded from the folder, where it is there.
bool load_needed(const std::string& error, const fs::path& folder) {
  std::smatch named;
  static const std::regex kMissing("^([^/: ]+): cannot open shared object file");
  if (!std::regex_search(error, named, kMissing)) return false;
  const fs::path needed = folder / named[1].str();
  return fs::exists(needed) &&
         dlopen(needed.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != nullptr;
}

}  // namespace

Result<void*> open_library(int file, const std::string& path) {
  const std::string place = fmt::format("/proc/self/fd/{}", file);
  const fs::path folder = fs::path(path).parent_path();
  std::string error;
  for (int tries = 0; tries < kNeededMax; ++tries) {
    if (void* const handle = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
      return handle;
    const char* const said = dlerror();
    error = said == nullptr ? "for no reason that the loader gives" : said;
    if (!load_needed(error, folder)) break;
  }
  if (error.starts_with(place + ": ")) error.erase(0, place.size() + 2);
  return fail(
      Error::invalid_argument(fmt::format("template {} cannot be loaded: {}", path, error)));
}

}  // namespace hector::cpp_language
