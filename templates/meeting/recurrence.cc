#include "recurrence.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <set>

namespace diary {

namespace {

using absl::CivilDay;
using absl::CivilSecond;

constexpr const char* kWeekdays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

// --- reading ------------------------------------------------------------------------------------

[[noreturn]] void refuse_part(const std::string& part, const std::string& why) {
  throw std::invalid_argument("'" + part + "' " + why);
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(by, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

struct Range {
  int smallest, largest;
  bool from_the_end;  ///< also -smallest to -largest
};

int number_in(const std::string& text, const Range& range, const std::string& part) {
  std::string_view digits = text;
  const bool is_negative = digits.starts_with('-');
  if (is_negative || digits.starts_with('+')) digits.remove_prefix(1);
  const auto number = number_of(digits);
  if (!number || *number < range.smallest || *number > range.largest ||
      (is_negative && !range.from_the_end))
    refuse_part(part, "has a number that cannot be");
  return static_cast<int>(is_negative ? -*number : *number);
}

std::vector<int> numbers_in(const std::string& value, const Range& range, const std::string& part) {
  std::set<int> numbers;
  for (const auto& each : split(value, ',')) numbers.insert(number_in(each, range, part));
  return {numbers.begin(), numbers.end()};
}

int weekday_of(const std::string& text, const std::string& part) {
  const auto* found = std::find(std::begin(kWeekdays), std::end(kWeekdays), text);
  if (found == std::end(kWeekdays)) refuse_part(part, "has a weekday that is none of MO to SU");
  return static_cast<int>(found - std::begin(kWeekdays));
}

std::vector<WeekdayInPeriod> weekdays_in(const std::string& value, const std::string& part) {
  std::vector<WeekdayInPeriod> days;
  for (const auto& each : split(value, ',')) {
    if (each.size() < 2) refuse_part(part, "has a weekday that is none of MO to SU");
    const auto number = each.substr(0, each.size() - 2);
    days.push_back({number.empty() ? 0 : number_in(number, {1, 53, true}, part),
                    weekday_of(each.substr(each.size() - 2), part)});
  }
  return days;
}

Frequency frequency_of(const std::string& value, const std::string& part) {
  static const std::map<std::string, Frequency> kAll{
      {"SECONDLY", Frequency::kSecondly}, {"MINUTELY", Frequency::kMinutely},
      {"HOURLY", Frequency::kHourly},     {"DAILY", Frequency::kDaily},
      {"WEEKLY", Frequency::kWeekly},     {"MONTHLY", Frequency::kMonthly},
      {"YEARLY", Frequency::kYearly}};
  const auto found = kAll.find(value);
  if (found == kAll.end()) refuse_part(part, "is none of SECONDLY to YEARLY");
  return found->second;
}

void read_by(Rule& rule, const std::string& name, const std::string& value,
             const std::string& part) {
  if (name == "BYSECOND") {
    rule.seconds = numbers_in(value, {0, 60, false}, part);
    for (int& second : rule.seconds) second = std::min(second, 59);  // a leap second
    rule.seconds.erase(std::unique(rule.seconds.begin(), rule.seconds.end()), rule.seconds.end());
  } else if (name == "BYMINUTE") {
    rule.minutes = numbers_in(value, {0, 59, false}, part);
  } else if (name == "BYHOUR") {
    rule.hours = numbers_in(value, {0, 23, false}, part);
  } else if (name == "BYDAY") {
    rule.weekdays = weekdays_in(value, part);
  } else if (name == "BYMONTHDAY") {
    rule.month_days = numbers_in(value, {1, 31, true}, part);
  } else if (name == "BYYEARDAY") {
    rule.year_days = numbers_in(value, {1, 366, true}, part);
  } else if (name == "BYWEEKNO") {
    rule.weeks = numbers_in(value, {1, 53, true}, part);
  } else if (name == "BYMONTH") {
    rule.months = numbers_in(value, {1, 12, false}, part);
  } else if (name == "BYSETPOS") {
    rule.positions = numbers_in(value, {1, 366, true}, part);
  } else {
    refuse_part(part, "is not known");
  }
}

void read_part(Rule& rule, const std::string& part) {
  const auto equals = part.find('=');
  if (equals == std::string::npos) refuse_part(part, "is not NAME=VALUE");
  const std::string name = part.substr(0, equals), value = part.substr(equals + 1);
  if (name == "FREQ") {
    rule.frequency = frequency_of(value, part);
  } else if (name == "INTERVAL") {
    rule.interval = number_in(value, {1, 999'999, false}, part);
  } else if (name == "COUNT") {
    rule.count = number_in(value, {1, 999'999'999, false}, part);
  } else if (name == "UNTIL") {
    rule.until = moment_of(value);
    if (!rule.until) refuse_part(part, "is not a date or time");
  } else if (name == "WKST") {
    rule.week_start = weekday_of(value, part);
  } else if (part != "RSCALE=GREGORIAN" && part != "SKIP=OMIT") {
    read_by(rule, name, value, part);
  }
}

void check_together(const Rule& rule) {
  const auto frequency = rule.frequency;
  const auto refuse_with = [](const char* what) {
    throw std::invalid_argument(std::string(what) + " (RFC 5545, 3.3.10)");
  };
  if (!rule.weeks.empty() && frequency != Frequency::kYearly)
    refuse_with("BYWEEKNO goes with FREQ=YEARLY only");
  if (!rule.month_days.empty() && frequency == Frequency::kWeekly)
    refuse_with("BYMONTHDAY does not go with FREQ=WEEKLY");
  if (!rule.year_days.empty() &&
      (frequency == Frequency::kDaily || frequency == Frequency::kWeekly ||
       frequency == Frequency::kMonthly))
    refuse_with("BYYEARDAY does not go with DAILY, WEEKLY and MONTHLY");
  const bool has_nth = std::any_of(rule.weekdays.begin(), rule.weekdays.end(),
                                   [](const WeekdayInPeriod& each) { return each.nth != 0; });
  if (has_nth && (frequency < Frequency::kMonthly || !rule.weeks.empty()))
    refuse_with("a numbered BYDAY goes with MONTHLY, and with YEARLY without BYWEEKNO");
}

// --- walking ------------------------------------------------------------------------------------

/// 0 is Monday.
int weekday_of(CivilDay day) { return static_cast<int>(absl::GetWeekday(day)); }

CivilDay week_of(CivilDay day, int week_start) {
  return day - (weekday_of(day) - week_start + 7) % 7;
}

bool has(const std::vector<int>& numbers, std::int64_t number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

/// An empty list allows everything; `at` counts from 1, of `size`.
bool allows(const std::vector<int>& numbers, std::int64_t at, std::int64_t size) {
  return numbers.empty() || has(numbers, at) || has(numbers, at - size - 1);
}
bool allows(const std::vector<int>& numbers, std::int64_t number) {
  return numbers.empty() || has(numbers, number);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// The rule with everything that it leaves to DTSTART written out.
Rule completed(Rule rule, CivilSecond start) {
  const auto frequency = rule.frequency;
  const bool has_day =
      !rule.weekdays.empty() || !rule.month_days.empty() || !rule.year_days.empty();
  if (frequency == Frequency::kYearly && !has_day && rule.weeks.empty()) {
    rule.month_days = {start.day()};
    if (rule.months.empty()) rule.months = {start.month()};
  } else if (frequency == Frequency::kMonthly && !has_day) {
    rule.month_days = {start.day()};
  } else if (!has_day && (frequency == Frequency::kWeekly || !rule.weeks.empty())) {
    rule.weekdays = {{0, weekday_of(CivilDay(start))}};
  }
  if (rule.seconds.empty() && frequency > Frequency::kSecondly) rule.seconds = {start.second()};
  if (rule.minutes.empty() && frequency > Frequency::kMinutely) rule.minutes = {start.minute()};
  if (rule.hours.empty() && frequency > Frequency::kHourly) rule.hours = {start.hour()};
  return rule;
}

class Walker {
 public:
  Walker(const Rule& rule, const Walk& walk, Budget& budget, const OnInstance& on_instance)
      : rule_(completed(rule, walk.start)),
        walk_(walk),
        budget_(budget),
        on_instance_(on_instance),
        left_(rule.count) {}

  void run() {
    std::int64_t k = first_period();
    while (!is_done_ && begin_of(k) < walk_.to) {
      budget_.spend(1, rule_.where);
      const std::int64_t next = rule_.frequency < Frequency::kDaily ? next_match(k) : k;
      if (next == k) {
        emit(times_of(k));
        ++k;
      } else {
        k = next;
      }
    }
  }

 private:
  /// Seconds of a period that has always the same.
  std::int64_t unit() const {
    switch (rule_.frequency) {
      case Frequency::kSecondly:
        return 1;
      case Frequency::kMinutely:
        return 60;
      case Frequency::kHourly:
        return 3'600;
      case Frequency::kWeekly:
        return 7 * kDaySeconds;
      default:
        return kDaySeconds;
    }
  }

  /// Where the first period begins.
  CivilSecond base() const {
    if (rule_.frequency == Frequency::kYearly) return CivilSecond(absl::CivilYear(walk_.start));
    if (rule_.frequency == Frequency::kMonthly) return CivilSecond(absl::CivilMonth(walk_.start));
    if (rule_.frequency == Frequency::kWeekly)
      return CivilSecond(week_of(CivilDay(walk_.start), rule_.week_start));
    const std::int64_t seconds = walk_.start - CivilSecond();
    return CivilSecond() + floor_div(seconds, unit()) * unit();
  }

  CivilSecond begin_of(std::int64_t k) const {
    const std::int64_t steps = k * rule_.interval;
    if (rule_.frequency == Frequency::kYearly)
      return CivilSecond(absl::CivilYear(walk_.start) + steps);
    if (rule_.frequency == Frequency::kMonthly)
      return CivilSecond(absl::CivilMonth(walk_.start) + steps);
    return base_ + steps * unit();
  }

  /// A rule that is not counted is entered just before the window.
  std::int64_t first_period() const {
    if (rule_.count != 0 || walk_.from <= walk_.start) return 0;
    std::int64_t periods = 0;
    if (rule_.frequency == Frequency::kYearly)
      periods = absl::CivilYear(walk_.from) - absl::CivilYear(walk_.start);
    else if (rule_.frequency == Frequency::kMonthly)
      periods = absl::CivilMonth(walk_.from) - absl::CivilMonth(walk_.start);
    else
      periods = (walk_.from - base_) / unit();
    return std::max<std::int64_t>(0, periods / rule_.interval - 1);
  }

  /// Of a period shorter than a day: itself, or the first after the day, hour or minute that its
  /// rule excludes.
  std::int64_t next_match(std::int64_t k) const {
    const CivilSecond begin = begin_of(k);
    CivilSecond next = begin;
    if (!is_day(CivilDay(begin)))
      next = CivilSecond(CivilDay(begin) + 1);
    else if (!allows(rule_.hours, begin.hour()))
      next = CivilSecond(absl::CivilHour(begin) + 1);
    else if (rule_.frequency < Frequency::kHourly && !allows(rule_.minutes, begin.minute()))
      next = CivilSecond(absl::CivilMinute(begin) + 1);
    else if (rule_.frequency == Frequency::kSecondly && !allows(rule_.seconds, begin.second()))
      next = begin + 1;
    const std::int64_t step = rule_.interval * unit();
    return k + (next - begin + step - 1) / step;
  }

  bool is_week(CivilDay day) const {
    if (rule_.weeks.empty()) return true;
    const auto first_of = [&](std::int64_t year) {
      return week_of(CivilDay(year, 1, 4), rule_.week_start);
    };
    const CivilDay week = week_of(day, rule_.week_start);
    const std::int64_t year = (week + 3).year();
    return allows(rule_.weeks, (week - first_of(year)) / 7 + 1,
                  (first_of(year + 1) - first_of(year)) / 7);
  }

  bool is_weekday(CivilDay day) const {
    if (rule_.weekdays.empty()) return true;
    const bool of_year = rule_.frequency == Frequency::kYearly && rule_.months.empty();
    const CivilDay first =
        of_year ? CivilDay(absl::CivilYear(day)) : CivilDay(absl::CivilMonth(day));
    const CivilDay end =
        of_year ? CivilDay(absl::CivilYear(day) + 1) : CivilDay(absl::CivilMonth(day) + 1);
    const std::int64_t nth = (day - first) / 7 + 1, nth_last = -((end - 1 - day) / 7 + 1);
    return std::any_of(rule_.weekdays.begin(), rule_.weekdays.end(),
                       [&, weekday = weekday_of(day)](const WeekdayInPeriod& each) {
                         return each.weekday == weekday &&
                                (each.nth == 0 || each.nth == nth || each.nth == nth_last);
                       });
  }

  bool is_day(CivilDay day) const {
    if (!allows(rule_.months, day.month())) return false;
    const CivilDay month(day.year(), day.month());
    if (!allows(rule_.month_days, day.day(), CivilDay(absl::CivilMonth(day) + 1) - month))
      return false;
    const CivilDay year(absl::CivilYear{day});
    if (!allows(rule_.year_days, absl::GetYearDay(day), CivilDay(absl::CivilYear(day) + 1) - year))
      return false;
    return is_week(day) && is_weekday(day);
  }

  std::vector<CivilDay> days_between(CivilDay first, CivilDay end) {
    budget_.spend(end - first, rule_.where);
    std::vector<CivilDay> days;
    for (CivilDay day = first; day < end; ++day) {
      if (is_day(day)) days.push_back(day);
    }
    return days;
  }

  std::vector<CivilDay> days_of(CivilDay begin) {
    if (rule_.frequency == Frequency::kWeekly) return days_between(begin, begin + 7);
    if (rule_.frequency == Frequency::kMonthly)
      return days_between(begin, CivilDay(absl::CivilMonth(begin) + 1));
    if (rule_.frequency == Frequency::kDaily) return days_between(begin, begin + 1);
    if (rule_.frequency < Frequency::kDaily) return {begin};  // next_match() has asked
    std::vector<CivilDay> days;
    for (int month = 1; month <= 12; ++month) {
      if (!allows(rule_.months, month)) continue;
      const CivilDay first(begin.year(), month, 1);
      const auto more = days_between(first, CivilDay(absl::CivilMonth(first) + 1));
      days.insert(days.end(), more.begin(), more.end());
    }
    return days;
  }

  /// What a period holds: each of its days at each of its times, or of these the positions asked.
  std::vector<CivilSecond> times_of(std::int64_t k) {
    const CivilSecond begin = begin_of(k);
    const auto frequency = rule_.frequency;
    const auto hours = frequency <= Frequency::kHourly ? std::vector{begin.hour()} : rule_.hours;
    const auto minutes =
        frequency <= Frequency::kMinutely ? std::vector{begin.minute()} : rule_.minutes;
    const auto seconds =
        frequency <= Frequency::kSecondly ? std::vector{begin.second()} : rule_.seconds;
    const auto days = days_of(CivilDay(begin));
    budget_.spend(
        static_cast<std::int64_t>(days.size() * hours.size() * minutes.size() * seconds.size()),
        rule_.where);
    std::vector<CivilSecond> times;
    for (const CivilDay day : days) {
      for (const int hour : hours) {
        for (const int minute : minutes) {
          for (const int second : seconds)
            times.emplace_back(day.year(), day.month(), day.day(), hour, minute, second);
        }
      }
    }
    if (rule_.positions.empty()) return times;
    std::vector<CivilSecond> chosen;
    const auto size = static_cast<std::int64_t>(times.size());
    for (std::int64_t at = 1; at <= size; ++at) {
      if (allows(rule_.positions, at, size))
        chosen.push_back(times[static_cast<std::size_t>(at - 1)]);
    }
    return chosen;
  }

  void emit(const std::vector<CivilSecond>& times) {
    for (const CivilSecond time : times) {
      if (time < walk_.start) continue;
      if (time >= walk_.to || walk_.is_over(time)) {
        is_done_ = true;
        return;
      }
      if (rule_.count != 0 && !has_begun_ && time != walk_.start) --left_;  // DTSTART is the first
      has_begun_ = true;
      if (rule_.count != 0 && left_-- == 0) {
        is_done_ = true;
        return;
      }
      if (time >= walk_.from) on_instance_(time);
    }
  }

  const Rule rule_;
  const Walk& walk_;
  Budget& budget_;
  const OnInstance& on_instance_;
  std::int64_t left_;
  const CivilSecond base_ = base();
  bool has_begun_ = false;
  bool is_done_ = false;
};

}  // namespace

void Budget::spend(std::int64_t steps, const std::string& where) {
  left_ -= steps;
  if (left_ < 0)
    throw TooCostly(where + ": working out these times takes more than " + std::to_string(kSteps) +
                    " steps; ask for a shorter time, or let the rule begin later");
}

Rule rule_of(std::string_view text) {
  std::string capitals(text);
  std::transform(capitals.begin(), capitals.end(), capitals.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  while (!capitals.empty() && (capitals.back() == ';' || capitals.back() == ' '))
    capitals.pop_back();
  Rule rule;
  std::set<std::string> names;
  for (const auto& part : split(capitals, ';')) {
    if (!names.insert(part.substr(0, part.find('='))).second) refuse_part(part, "stands twice");
    read_part(rule, part);
  }
  if (!names.contains("FREQ")) throw std::invalid_argument("FREQ is missing");
  check_together(rule);
  return rule;
}

void walk(const Rule& rule, const Walk& walk, Budget& budget, const OnInstance& on_instance) {
  Walker(rule, walk, budget, on_instance).run();
}

}  // namespace diary
