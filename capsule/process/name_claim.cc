#include "process/name_claim.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace hector {

namespace {

constexpr mode_t kForItsUser = 0600;  ///< read and written by nobody else
/// As many processes may end and begin between the opening of a lock file and its lock.
constexpr int kAttempts = 100;

std::string file_of(const std::string& directory, const std::string& capsule) {
  return (std::filesystem::path(directory) / (capsule + ".lock")).string();
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// The file at the path is still the one that is open: its holder may have removed it meanwhile.
bool is_still(const std::string& file, int descriptor) {
  struct stat open {};
  struct stat named {};
  return fstat(descriptor, &open) == 0 && stat(file.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

constexpr std::string_view kRuns = " runs\n";  ///< behind the process's number, once it answers

struct Holder {
  long process = 0;  ///< 0: it has not written it yet
  bool runs = false;
};

Holder holder(int descriptor) {
  char text[64]{};
  const auto size = pread(descriptor, text, sizeof text - 1, 0);
  Holder found;
  if (size <= 0) return found;
  const auto number = std::from_chars(text, text + size, found.process);
  found.runs = std::string_view(number.ptr) == kRuns;
  return found;
}

bool write_holder(int descriptor, std::string_view state) {
  const std::string text = fmt::format("{}{}", getpid(), state);
  const auto size = static_cast<ssize_t>(text.size());
  errno = ENOSPC;  // a short write says nothing
  return pwrite(descriptor, text.data(), text.size(), 0) == size &&
         ftruncate(descriptor, size) == 0;
}

bool is_in(const std::string& directory, const std::string& capsule) {
  return std::filesystem::exists(std::filesystem::path(directory) / (capsule + ".reference"));
}

Error taken(const std::string& directory, const std::string& capsule, int descriptor) {
  const long process = holder(descriptor).process;
  struct stat file {};
  fstat(descriptor, &file);  // the holder wrote it when it started
  return Error::already_exists(
      fmt::format("a capsule '{}' runs already{} (since {:%Y-%m-%d %H:%M:%S}); end that one first, "
                  "or give this one another "
                  "name with `capsule:` or another run directory with HECTOR_RUN_DIRECTORY ({})",
                  capsule, process == 0 ? "" : fmt::format(", as process {}", process),
                  fmt::localtime(file.st_mtime), directory));
}

}  // namespace

Error not_written(const std::string& file) {
  const int why = errno;
  if (why == ENOSPC || why == EDQUOT)
    return Error::resource_exhausted(fmt::format(
        "'{}' cannot be written: {}; make room on the disk, or set HECTOR_RUN_DIRECTORY to a "
        "folder on another one",
        file, std::strerror(why)));
  return Error::unavailable(
      fmt::format("'{}' cannot be written: {}; set HECTOR_RUN_DIRECTORY to a folder of yours", file,
                  std::strerror(why)));
}

void NameClaim::runs() const {
  if (descriptor_.is_open()) static_cast<void>(write_holder(descriptor_.get(), kRuns));
}

bool NameClaim::is_held() const {
  return descriptor_.is_open() && is_still(file_, descriptor_.get());
}

Result<NameClaim> NameClaim::take(const std::string& directory, const std::string& capsule) {
  const std::string file = file_of(directory, capsule);
  for (int i = 0; i < kAttempts; ++i) {
    Descriptor opened(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kForItsUser));
    if (!opened.is_open()) return fail(not_written(file));
    const int descriptor = opened.get();
    struct flock lock = whole_file();
    const bool is_locked = fcntl(descriptor, F_OFD_SETLK, &lock) == 0;
    if (!is_locked && errno != EAGAIN && errno != EACCES) return fail(not_written(file));
    if (!is_still(file, descriptor)) continue;
    if (!is_locked) {
      if (!holder(descriptor).runs || is_in(directory, capsule))
        return fail(taken(directory, capsule, descriptor));
      unlink(file.c_str());
      continue;
    }
    NameClaim claim(file, std::move(opened));
    if (!write_holder(descriptor, "\n")) return fail(not_written(file));
    return claim;
  }
  return fail(Error::unavailable(fmt::format(
      "'{}' is made and removed all the time: start one capsule '{}', not many", file, capsule)));
}

NameClaim& NameClaim::operator=(NameClaim&& other) noexcept {
  if (this == &other) return *this;
  release();
  file_ = std::move(other.file_);
  descriptor_ = std::move(other.descriptor_);
  return *this;
}

void NameClaim::release() {
  if (is_held()) unlink(file_.c_str());  // before the lock goes: it is nobody else's yet
  descriptor_.reset();
}

bool is_claimed(const std::string& directory, const std::string& capsule) {
  const Descriptor opened(open(file_of(directory, capsule).c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock = whole_file();
  return opened.is_open() && fcntl(opened.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace hector
