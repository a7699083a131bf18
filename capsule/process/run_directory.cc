#include "process/run_directory.h"

#include <fmt/chrono.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "process/name_claim.h"

namespace hector {

namespace fs = std::filesystem;

namespace {
constexpr const char* kEnding = ".reference";  ///< behind a capsule's name
fs::path file_of(const std::string& directory, const std::string& capsule) {
  return fs::path(directory) / (capsule + kEnding);
}
}  // namespace

std::string run_directory() {
  fs::path directory;
  if (const char* given = std::getenv("HECTOR_RUN_DIRECTORY")) {
    directory = given;
  } else if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) {
    directory = fs::path(runtime) / "hector";
  } else {
    directory = fmt::format("/tmp/hector-{}", getuid());
  }
  std::error_code ignored;
  fs::create_directories(directory, ignored);
  chmod(directory.c_str(), 0700);
  return directory.string();
}

std::string state_directory() {
  for (const char* name : {"HECTOR_STATE_DIRECTORY", "HECTOR_RUN_DIRECTORY"}) {
    if (const char* given = std::getenv(name)) return fs::absolute(given).string();
  }
  if (const char* state = std::getenv("XDG_STATE_HOME"))
    return (fs::path(state) / "hector").string();
  const char* home = std::getenv("HOME");
  return home == nullptr ? fmt::format("/var/lib/hector-{}", getuid())
                         : (fs::path(home) / ".local" / "state" / "hector").string();
}

Status check_run_directory(const std::string& directory) {
  if (access(directory.c_str(), R_OK | X_OK) == 0 || errno != EACCES) return {};
  return fail(Code::kPermissionDenied,
              fmt::format("'{}' belongs to another user, and so do the capsules in it; "
                          "HECTOR_RUN_DIRECTORY says where yours are",
                          directory));
}

Status write_capsule_reference(const std::string& directory, const Reference& reference) {
  const fs::path target = file_of(directory, reference.capsule);
  const fs::path fresh = target.string() + ".new";
  {
    std::ofstream out(fresh);
    out << reference.text() << '\n' << std::flush;
    if (!out) {
      const Error why = not_written(fresh.string());
      remove(fresh.c_str());
      return fail(why);
    }
  }
  std::error_code error;
  fs::rename(fresh, target, error);
  if (error) {
    errno = error.value();
    return fail(not_written(target.string()));
  }
  return {};
}

void remove_capsule_reference(const std::string& directory, const std::string& capsule) {
  std::error_code ignored;
  fs::remove(file_of(directory, capsule), ignored);
}

Result<Reference> read_capsule_reference(const std::string& directory, const std::string& capsule) {
  if (capsule.starts_with("hector:")) return Reference::from_text(capsule);
  HECTOR_TRY(check_run_directory(directory));
  std::ifstream in(file_of(directory, capsule));
  std::string text;
  if (!in || !(in >> text)) {
    const auto names = running_capsules(directory);
    if (names.empty())
      return fail(Code::kNotFound,
                  fmt::format("no capsule '{}' runs here ({}); running are none: start one with "
                              "`hector capsule run FILE`",
                              capsule, directory));
    return fail(Code::kNotFound, fmt::format("no capsule '{}' runs here ({}); running are {}",
                                             capsule, directory, fmt::join(names, ", ")));
  }
  if (!is_claimed(directory, capsule))
    return fail(Error::unavailable(fmt::format(
        "capsule '{0}' was ended without a chance to stop (a crash, SIGKILL): no process holds its "
        "name, and its reference is of {1}; start it again with `hector capsule run FILE`",
        capsule, reference_time(directory, capsule))));
  return Reference::from_text(text);
}

std::string reference_time(const std::string& directory, const std::string& capsule) {
  struct stat file {};
  if (stat(file_of(directory, capsule).c_str(), &file) != 0) return {};
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(file.st_mtime));
}

std::vector<std::string> running_capsules(const std::string& directory) {
  std::vector<std::string> names = known_capsules(directory);
  std::erase_if(names, [&](const std::string& name) { return !is_claimed(directory, name); });
  return names;
}

std::vector<std::string> known_capsules(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().extension() == kEnding) names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace hector
