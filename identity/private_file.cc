#include "identity/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/text/read_file.h"

namespace hector::identity {

namespace {

tl::unexpected<Error> failed(const std::string& path, const char* what) {
  return fail(Code::kUnavailable,
              fmt::format("'{}' cannot be {}: {}", path, what, strerror(errno)));
}

}  // namespace

Status write_private_file(const std::string& path, std::string_view content) {
  std::string made = path + ".XXXXXX";
  Descriptor file(mkstemp(made.data()));  // with mode 0600
  if (!file.is_open()) return failed(path, "written");
  if (write_all(file.get(), content) && fsync(file.get()) == 0 &&
      rename(made.c_str(), path.c_str()) == 0)
    return {};
  const auto error = failed(path, "written");
  unlink(made.c_str());
  return error;
}

Result<std::string> read_private_file(const std::string& path) {
  auto content = HECTOR_TRY(read_file(path));
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return failed(path, "read");
  if ((status.st_mode & 077) != 0)
    return fail(Code::kFailedPrecondition,
                fmt::format("'{}' can be read by others than its owner: its key may be known to "
                            "them; make a new one, or say `chmod 600 {}`",
                            path, path));
  return content;
}

Result<Descriptor> lock_folder(const std::string& folder) {
  Descriptor lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.is_open() || flock(lock.get(), LOCK_EX) != 0) return failed(folder, "locked");
  return lock;
}

}  // namespace hector::identity
