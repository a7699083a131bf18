// What: recurrence rules (RFC 5545, 3.3.10) and the walk over their instances.
// Why: libical 3.0 forgets INTERVAL beside BYHOUR and counts BYSETPOS by days; it and dateutil walk
// a rule that never matches for ever. This walk starts near the window, passes over what cannot
// match, and has a price.
// Who: zones.cc, busy_times.cc.
#pragma once

#include <absl/time/civil_time.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "moments.h"

namespace diary {

/// What a file or a question costs more than: there is no answer rather than a part of one.
class TooCostly : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Days looked at, times made, instances met.
class Budget {
 public:
  static constexpr std::int64_t kSteps = 4'000'000;  ///< about half a second
  /// Throws TooCostly, "WHERE: …", when all is spent.
  void spend(std::int64_t steps, const std::string& where);

 private:
  std::int64_t left_ = kSteps;
};

enum class Frequency { kSecondly, kMinutely, kHourly, kDaily, kWeekly, kMonthly, kYearly };

struct WeekdayInPeriod {
  int nth = 0;      ///< of the month or year, from its end if negative; 0: each
  int weekday = 0;  ///< 0 is Monday
};

struct Rule {
  Frequency frequency = Frequency::kDaily;
  std::int64_t interval = 1;
  std::int64_t count = 0;  ///< 0: without end
  std::optional<Moment> until;
  int week_start = 0;
  std::vector<int> seconds, minutes, hours, month_days, year_days, weeks, months, positions;
  std::vector<WeekdayInPeriod> weekdays;
  std::string where;  ///< "FILE:LINE"
};

/// Throws std::invalid_argument with the reason, without a place.
Rule rule_of(std::string_view text);

/// Of an instance's wall clock time: is it after the rule's UNTIL?
using IsOver = std::function<bool(absl::CivilSecond)>;
using OnInstance = std::function<void(absl::CivilSecond)>;

struct Walk {
  absl::CivilSecond start;     ///< DTSTART
  absl::CivilSecond from, to;  ///< [from, to)
  IsOver is_over;
};

/// Every instance of the rule in the window, ascending. DTSTART is the first that COUNT counts,
/// also where the rule does not match it; the caller adds it then. Throws TooCostly.
void walk(const Rule& rule, const Walk& walk, Budget& budget, const OnInstance& on_instance);

}  // namespace diary
