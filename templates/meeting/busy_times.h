// What: when an iCalendar file's owner is busy (RFC 5545).
// Why: recurrence with exceptions, overrides, time zones and all-day events count as the standard
// says, whole or not at all.
// Who: calendar.cc; busy_times_c.cc for Python.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "recurrence.h"

namespace diary {

struct BusyTime {
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
  std::string summary;
};

class CalendarFile {
 public:
  /// Of one calendar file.
  static constexpr std::size_t kOctetsMax = std::size_t{16} * 1024 * 1024;
  /// Throws std::invalid_argument, "FILE:LINE: why", for a file that is no calendar or that says
  /// something nobody can know, and TooCostly.
  explicit CalendarFile(const std::string& path);
  ~CalendarFile();
  CalendarFile(const CalendarFile&) = delete;
  CalendarFile& operator=(const CalendarFile&) = delete;
  /// What overlaps [start, end), ascending by start; may touch and overlap. Throws TooCostly: all
  /// of it or nothing.
  [[nodiscard]] std::vector<BusyTime> busy(std::int64_t start_s, std::int64_t end_s) const;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace diary
