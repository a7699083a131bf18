// What: Log, where structured records go.
// Why: a plugin must not choose how its capsule logs.
// Who: the kernel and every plugin.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

namespace hector {

enum class Level { kDebug, kInfo, kWarning, kError };

/// Any thread; does not throw; a full disk loses records, never the capsule.
class Log {
 public:
  using Field = std::pair<std::string_view, std::string_view>;
  virtual ~Log() = default;
  /// `event` is a short fixed phrase; what varies goes into the fields.
  virtual void write(Level level, std::string_view event,
                     std::initializer_list<Field> fields) noexcept = 0;
  void write(Level level, std::string_view event) noexcept { write(level, event, {}); }
};

}  // namespace hector
