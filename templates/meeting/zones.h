// What: the time zones that a calendar's names mean.
// Why: an unknown name taken for UTC moves a meeting by hours without a word.
// Who: busy_times.cc.
#pragma once

#include <absl/time/civil_time.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "content_lines.h"
#include "recurrence.h"

namespace diary {

class Zone {
 public:
  virtual ~Zone() = default;
  /// Seconds since 1970 in UTC. A time that the clock passes over counts from before the change;
  /// one that it shows twice is the first (RFC 5545, 3.3.5). Throws TooCostly.
  [[nodiscard]] virtual std::int64_t seconds(absl::CivilSecond wall) const = 0;
};

/// Of one VCALENDAR. Zones live as long as it does.
class Zones {
 public:
  /// Throws std::invalid_argument, "FILE:LINE: why", for a VTIMEZONE that cannot be understood.
  Zones(const Component& calendar, const std::string& path, Budget& budget);
  /// The calendar's own VTIMEZONE; a place of the system's tz database; Windows' name, by CLDR's
  /// table; a globally unique name, as in /mozilla.org/20050126_1/Europe/Berlin, that ends in one
  /// of these. Null for any other.
  const Zone* find(const std::string& name);
  [[nodiscard]] const Zone& utc() const { return *utc_; }

 private:
  std::map<std::string, std::unique_ptr<Zone>> known_;
  std::unique_ptr<Zone> utc_;
};

}  // namespace diary
