// What: MessageFiles, what becomes of the generated message classes that a library brings into the
// process.
// Why: Protocol Buffers 3.21 ends the process when a second library brings a .proto file that is
// there already, and people build templates of one .proto all the time. Here equal files are
// shared, and the library that brings a different one is refused by whoever loads it.
// Who: language plugins that load shared objects.
#pragma once

#include <string>
#include <vector>

namespace hector {

/// Watches what this thread registers while it loads a library: make one, call dlopen(), ask.
/// One at a time on a thread. Without one a file of different content ends the process, as ever.
class MessageFiles {
 public:
  /// `owner`: for messages about these files, "template /opt/tally.so".
  explicit MessageFiles(std::string owner);
  ~MessageFiles();
  MessageFiles(const MessageFiles&) = delete;
  MessageFiles& operator=(const MessageFiles&) = delete;

  /// A sentence for each file that is there with another content, and who brought that. Where there
  /// is one, the library's classes must not be used.
  [[nodiscard]] const std::vector<std::string>& conflicts() const noexcept { return conflicts_; }

 private:
  friend struct MessageFileRegistry;
  const std::string owner_;
  std::vector<std::string> conflicts_;
};

}  // namespace hector
