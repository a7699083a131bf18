// What: a calendar's events and free/busy times, read and with their zones.
// Why: what a file says wrongly is refused when it is read, with its line; later nothing can be.
// Who: busy_times.cc.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "content_lines.h"
#include "moments.h"
#include "recurrence.h"
#include "zones.h"

namespace diary {

struct Placed {
  Moment moment;
  const Zone* zone = nullptr;
  [[nodiscard]] std::int64_t seconds() const { return zone->seconds(moment.wall); }
};

struct Period {
  Placed start;
  Length length;
  [[nodiscard]] std::int64_t end() const {
    return start.zone->seconds(start.moment.wall + length.days * kDaySeconds) + length.seconds;
  }
};

struct Event {
  std::string where;  ///< "FILE:LINE"
  std::string uid, summary;
  std::int64_t sequence = 0;
  bool blocks = true;
  Placed start;
  Length length;
  std::vector<Rule> rules, excluded_rules;
  std::vector<Placed> dates, excluded_dates;
  std::vector<Period> periods;
  std::optional<Placed> recurrence_id;
  bool is_this_and_future = false;
};

struct Calendar {
  std::vector<Event> events;
  std::vector<Period> busy;  ///< of VFREEBUSY
};

/// Floating times and days are of X-WR-TIMEZONE, else of the first VTIMEZONE, else of UTC. Throws
/// std::invalid_argument, "FILE:LINE: why".
Calendar read_calendar(const Component& component, Zones& zones, const std::string& path);

}  // namespace diary
