// What: when an iCalendar file's owner is busy, by libical (RFC 5545).
// Why: recurrence with exceptions, overrides, time zones and all-day events count as the standard
// says.
// Who: calendar.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace diary {

struct BusyTime {
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
  std::string summary;
};

/// Throws std::invalid_argument, "FILE:LINE: what", for a file that is no calendar.
class CalendarFile {
 public:
  explicit CalendarFile(const std::string& path);
  ~CalendarFile();
  CalendarFile(const CalendarFile&) = delete;
  CalendarFile& operator=(const CalendarFile&) = delete;
  /// What overlaps [start, end), ascending by start; may touch and overlap.
  [[nodiscard]] std::vector<BusyTime> busy(std::int64_t start_s, std::int64_t end_s) const;

 private:
  struct Data;
  Data* data_;
};

}  // namespace diary
