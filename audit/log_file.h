// What: LogFile, one file of a log that its owner alone reads and one process appends to: what is
// appended is on the disk whole, or not there.
// Why: whoever appends must know whether it is recorded, also on a full or failing disk.
// Who: AuditLog.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "hector/descriptor.h"
#include "hector/result.h"

namespace hector::audit {

/// As fdatasync(); a test gives one that fails.
using SyncFunction = int (*)(int descriptor);

/// One thread at a time. Everything blocks.
class LogFile {
 public:
  /// Makes it with mode 0600 if it is not there; locks it. PERMISSION_DENIED, FAILED_PRECONDITION,
  /// UNAVAILABLE, RESOURCE_EXHAUSTED, as AuditLog::open().
  static Result<LogFile> open(const std::string& path, SyncFunction sync = ::fdatasync);

  /// RESOURCE_EXHAUSTED, UNAVAILABLE, DATA_LOSS, as AuditLog::append().
  Status append(std::string_view lines);
  /// Moves what stands behind its last line end to another file beside it, whose path is given;
  /// empty: nothing does. DATA_LOSS: it is longer than a line can be.
  Result<std::string> set_aside_tail();

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  LogFile(std::string path, Descriptor descriptor, SyncFunction sync)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), sync_(sync) {}
  Status check() const;
  Status undo();
  Result<std::string> read_tail() const;

  std::string path_;
  Descriptor descriptor_;
  SyncFunction sync_;
  std::uint64_t size_ = 0;
  bool has_rest_ = false;  ///< of an append that failed
  bool is_lost_ = false;   ///< the disk failed: what is on it is not known
};

/// The entries of its folder are on the disk. UNAVAILABLE.
Status sync_folder_of(const std::string& path);

/// By errno: RESOURCE_EXHAUSTED where there is no room, else UNAVAILABLE.
Error cannot_write_log(const std::string& path, int why);

}  // namespace hector::audit
