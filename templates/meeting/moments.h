// What: the values of iCalendar that say when and how long.
// Why: dates, times and durations are read in one place, and what cannot be is named.
// Who: recurrence.cc, zones.cc, busy_times.cc.
#pragma once

#include <absl/time/civil_time.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace diary {

constexpr std::int64_t kDaySeconds = 86'400;

/// As written: a wall clock's time, in a zone that stands elsewhere.
struct Moment {
  absl::CivilSecond wall;
  bool is_date = false;  ///< a day without a time
  bool is_utc = false;
};

/// Days by the calendar, seconds by the clock: a day of 23 hours is a day.
struct Length {
  std::int64_t days = 0;
  std::int64_t seconds = 0;
};

/// YYYYMMDD, or YYYYMMDDTHHMMSS with an optional Z, of a day and a time that exist. A leap second
/// is the second before it (RFC 5545, 3.3.12).
std::optional<Moment> moment_of(std::string_view text);

/// As in P2W, P1DT2H and -PT15M.
std::optional<Length> length_of(std::string_view text);

/// As in +0100, -0330 and +001730: seconds east of UTC.
std::optional<std::int64_t> offset_of(std::string_view text);

/// Digits only, so many that they cannot overflow.
std::optional<std::int64_t> number_of(std::string_view text);

}  // namespace diary
