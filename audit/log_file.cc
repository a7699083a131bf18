#include "audit/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "hector/audit.h"

namespace hector::audit {

namespace {

constexpr mode_t kOwnersAlone = 0600;
/// Tries at a name for what is set aside: as many as crashes that left half a line.
constexpr int kNamesMax = 100;

bool has_no_room(int why) { return why == ENOSPC || why == EDQUOT || why == EFBIG; }

Error unusable(const std::string& path, const std::string& why) {
  return Error::failed_precondition(fmt::format("audit log '{}' {}", path, why));
}

}  // namespace

Error cannot_write_log(const std::string& path, int why) {
  const std::string text =
      fmt::format("audit log '{}' cannot be written: {}", path, std::strerror(why));
  if (has_no_room(why))
    return Error::resource_exhausted(text +
                                     "; make room there: what cannot be recorded is not done");
  return Error::unavailable(text + "; what cannot be recorded is not done");
}

Status sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  const Descriptor opened(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::fsync(opened.get()) != 0) return fail(cannot_write_log(path, errno));
  return {};
}

Status LogFile::check() const {
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) return fail(cannot_write_log(path_, errno));
  if (!S_ISREG(status.st_mode)) return fail(unusable(path_, "is no plain file"));
  if (status.st_uid != ::geteuid())
    return fail(Error::permission_denied(fmt::format(
        "audit log '{}' is another user's (uid {}): name one of your own", path_, status.st_uid)));
  if ((status.st_mode & 077U) != 0)
    return fail(unusable(
        path_, fmt::format("can be read or written by others than its owner: look whether it is "
                           "whole (`hector audit verify {0}`), then say `chmod 600 {0}`",
                           path_)));
  if (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return fail(cannot_write_log(path_, errno));
  return fail(Error::unavailable(fmt::format(
      "audit log '{}' is written by another process: give each capsule a log of its own", path_)));
}

Result<LogFile> LogFile::open(const std::string& path, SyncFunction sync) {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  bool is_new = false;
  Descriptor descriptor(::open(path.c_str(), kFlags));
  if (!descriptor.is_open() && errno == ENOENT) {
    descriptor = Descriptor(::open(path.c_str(), kFlags | O_CREAT | O_EXCL, kOwnersAlone));
    is_new = true;
  }
  if (!descriptor.is_open() && errno == ELOOP)
    return fail(unusable(path, "is a link: name the file itself"));
  if (!descriptor.is_open()) return fail(cannot_write_log(path, errno));
  LogFile file(path, std::move(descriptor), sync);
  HECTOR_TRY(file.check());
  if (is_new) HECTOR_TRY(sync_folder_of(path));
  const auto size = ::lseek(file.descriptor_.get(), 0, SEEK_END);
  if (size < 0) return fail(cannot_write_log(path, errno));
  file.size_ = static_cast<std::uint64_t>(size);
  return file;
}

/// The file has its length again.
Status LogFile::undo() {
  const bool is_undone = ::ftruncate(descriptor_.get(), static_cast<off_t>(size_)) == 0 &&
                         sync_(descriptor_.get()) == 0;
  has_rest_ = !is_undone;
  if (!is_undone) return fail(cannot_write_log(path_, errno));
  return {};
}

Status LogFile::append(std::string_view lines) {
  if (is_lost_)
    return fail(Error::data_loss(fmt::format(
        "audit log '{}' is closed: its disk failed; look at the disk, then start again", path_)));
  if (has_rest_) HECTOR_TRY(undo());
  const bool is_written = write_all(descriptor_.get(), lines);
  if (is_written && sync_(descriptor_.get()) == 0) {
    size_ += lines.size();
    return {};
  }
  const int why = errno;
  if (!is_written || has_no_room(why)) {
    static_cast<void>(undo());  // where it fails, the next append begins with it
    return fail(cannot_write_log(path_, why));
  }
  is_lost_ = true;  // a second fsync would succeed without having written anything
  return fail(Error::data_loss(
      fmt::format("audit log '{}': the disk failed ({}); whether the record is there is seen when "
                  "the log is opened again",
                  path_, std::strerror(why))));
}

/// What stands behind the last line end.
Result<std::string> LogFile::read_tail() const {
  const std::uint64_t wanted = std::min<std::uint64_t>(size_, kLineOctetsMax + 1);
  std::string tail(wanted, '\0');
  std::size_t done = 0;
  while (done < tail.size()) {
    const auto count = ::pread(descriptor_.get(), tail.data() + done, tail.size() - done,
                               static_cast<off_t>(size_ - wanted + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return fail(Error::unavailable(
          fmt::format("audit log '{}' cannot be read: {}", path_, std::strerror(errno))));
    done += static_cast<std::size_t>(count);
  }
  const auto end = tail.rfind('\n');
  if (end != std::string::npos) return tail.substr(end + 1);
  if (wanted == size_) return tail;
  return fail(Error::data_loss(
      fmt::format("audit log '{}' ends in something that is longer than any record: move it away "
                  "and keep it; a new log begins then",
                  path_)));
}

Result<std::string> LogFile::set_aside_tail() {
  const std::string tail = HECTOR_TRY(read_tail());
  if (tail.empty()) return std::string();
  for (int i = 1; i <= kNamesMax; ++i) {
    const std::string path = fmt::format("{}.cut-{}", path_, i);
    const Descriptor made(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnersAlone));
    if (!made.is_open() && errno == EEXIST) continue;
    if (!made.is_open() || !write_all(made.get(), tail) || ::fsync(made.get()) != 0)
      return fail(cannot_write_log(path, errno));
    HECTOR_TRY(sync_folder_of(path));
    size_ -= tail.size();
    HECTOR_TRY(undo());
    return path;
  }
  return fail(unusable(path_, fmt::format("has {} files `{}.cut-N` of half-written lines: move "
                                          "them away",
                                          kNamesMax, path_)));
}

}  // namespace hector::audit
