#include "busy_times.h"

#include <libical/ical.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "content_lines.h"

namespace diary {

namespace {

/// A rule without end stops here at the latest; also what a hostile rule may cost.
constexpr int kInstancesMax = 200'000;

}  // namespace

struct CalendarFile::Data {
  icalcomponent* root = nullptr;
  icaltimezone* own_zone = nullptr;  ///< of floating times and all-day events
};

namespace {

class Expansion {
 public:
  Expansion(icaltimezone* own_zone, std::int64_t start_s, std::int64_t end_s)
      : own_zone_(own_zone), start_s_(start_s), end_s_(end_s) {}

  void add_calendar(icalcomponent* calendar) {
    std::map<std::string, std::vector<icalcomponent*>> masters;
    std::map<std::string, std::vector<icalcomponent*>> overrides;
    for (auto* event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
         event != nullptr;
         event = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
      const char* uid = icalcomponent_get_uid(event);
      const bool is_override =
          icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY) != nullptr;
      (is_override ? overrides : masters)[uid == nullptr ? "" : uid].push_back(event);
    }
    for (auto& [uid, events] : masters) {
      for (auto* event : events) add_master(event, overrides[uid]);
    }
    for (auto& [uid, events] : overrides) {
      for (auto* event : events) {
        if (masters.contains(uid) && is_future(event))
          continue;  // the master's expansion has used it
        add_instance(event, start_of(event), length_of(event));
      }
    }
    for (auto* part = icalcomponent_get_first_component(calendar, ICAL_VFREEBUSY_COMPONENT);
         part != nullptr;
         part = icalcomponent_get_next_component(calendar, ICAL_VFREEBUSY_COMPONENT)) {
      add_free_busy(part);
    }
  }

  std::vector<BusyTime> take() {
    std::sort(busy_.begin(), busy_.end(), [](const BusyTime& a, const BusyTime& b) {
      return std::tie(a.start_s, a.end_s) < std::tie(b.start_s, b.end_s);
    });
    return std::move(busy_);
  }

 private:
  static bool is_future(icalcomponent* event) {
    auto* property = icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY);
    auto* range = icalproperty_get_first_parameter(property, ICAL_RANGE_PARAMETER);
    return range != nullptr && icalparameter_get_range(range) == ICAL_RANGE_THISANDFUTURE;
  }

  /// With its zone: a TZID's, UTC, or the calendar's own.
  icaltimetype with_zone(icalproperty* property, icaltimetype time) const {
    if (icaltime_is_utc(time)) return time;
    if (time.zone == nullptr && property != nullptr) {
      if (auto* parameter = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER)) {
        const char* id = icalparameter_get_tzid(parameter);
        auto* zone = icaltimezone_get_builtin_timezone(id);
        if (zone == nullptr) zone = icaltimezone_get_builtin_timezone_from_tzid(id);
        if (zone != nullptr) icaltime_set_timezone(&time, zone);
      }
    }
    if (time.zone == nullptr) icaltime_set_timezone(&time, own_zone_);
    return time;
  }
  std::int64_t seconds(const icaltimetype& time) const {
    return icaltime_as_timet_with_zone(time, time.zone == nullptr ? own_zone_ : time.zone);
  }
  icaltimetype start_of(icalcomponent* event) const {
    return with_zone(icalcomponent_get_first_property(event, ICAL_DTSTART_PROPERTY),
                     icalcomponent_get_dtstart(event));
  }

  /// How an instance's end follows from its start: whole days by the calendar, hours by the clock.
  struct Length {
    int days = 0;
    std::int64_t seconds = 0;
  };
  Length length_of(icalcomponent* event) const {
    const icaltimetype start = start_of(event);
    if (auto* property = icalcomponent_get_first_property(event, ICAL_DTEND_PROPERTY)) {
      const icaltimetype end = with_zone(property, icalproperty_get_dtend(property));
      if (start.is_date != 0) {
        icaltimetype day = start;
        int days = 0;
        while (days < 3'660 && icaltime_compare_date_only(day, end) < 0) {
          icaltime_adjust(&day, 1, 0, 0, 0);
          ++days;
        }
        return {std::max(days, 1), 0};
      }
      return {0, std::max<std::int64_t>(0, seconds(end) - seconds(start))};
    }
    if (auto* property = icalcomponent_get_first_property(event, ICAL_DURATION_PROPERTY)) {
      const icaldurationtype duration = icalproperty_get_duration(property);
      if (duration.is_neg != 0) return {};
      return {static_cast<int>(duration.days + 7 * duration.weeks),
              duration.hours * 3'600LL + duration.minutes * 60LL + duration.seconds};
    }
    return start.is_date != 0 ? Length{1, 0} : Length{};
  }

  static bool blocks(icalcomponent* event) {
    if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED) return false;
    auto* property = icalcomponent_get_first_property(event, ICAL_TRANSP_PROPERTY);
    if (property == nullptr) return true;
    const auto transparency = icalproperty_get_transp(property);
    return transparency != ICAL_TRANSP_TRANSPARENT &&
           transparency != ICAL_TRANSP_TRANSPARENTNOCONFLICT;
  }

  void add(icalcomponent* event, std::int64_t start, std::int64_t end) {
    if (end <= start || end <= start_s_ || start >= end_s_) return;
    const char* summary = icalcomponent_get_summary(event);
    busy_.push_back({start, end, summary == nullptr ? "" : summary});
  }

  void add_instance(icalcomponent* event, const icaltimetype& start, const Length& length) {
    if (!blocks(event)) return;
    icaltimetype end = start;
    if (length.days != 0) icaltime_adjust(&end, length.days, 0, 0, 0);
    add(event, seconds(start), seconds(end) + length.seconds);
  }

  std::set<std::int64_t> excluded(icalcomponent* event) const {
    std::set<std::int64_t> times;
    const bool is_date = start_of(event).is_date != 0;
    for (auto* property = icalcomponent_get_first_property(event, ICAL_EXDATE_PROPERTY);
         property != nullptr;
         property = icalcomponent_get_next_property(event, ICAL_EXDATE_PROPERTY)) {
      icaltimetype time = with_zone(property, icalproperty_get_exdate(property));
      times.insert(seconds(time));
      if (time.is_date != 0 && !is_date) excluded_days_.insert({time.year, time.month, time.day});
    }
    return times;
  }

  struct Day {
    int year, month, day;
    auto operator<=>(const Day&) const = default;
  };

  void add_master(icalcomponent* event, const std::vector<icalcomponent*>& overrides) {
    const icaltimetype start = start_of(event);
    const Length length = length_of(event);
    excluded_days_.clear();
    std::set<std::int64_t> gone = excluded(event);
    std::map<std::int64_t, icalcomponent*> future;
    for (auto* other : overrides) {
      auto* property = icalcomponent_get_first_property(other, ICAL_RECURRENCEID_PROPERTY);
      const std::int64_t at = seconds(with_zone(property, icalproperty_get_recurrenceid(property)));
      if (is_future(other))
        future[at] = other;
      else
        gone.insert(at);
    }
    std::set<std::int64_t> done;
    const auto one = [&](const icaltimetype& time) {
      const std::int64_t at = seconds(time);
      if (gone.contains(at) || excluded_days_.contains({time.year, time.month, time.day}) ||
          !done.insert(at).second)
        return;
      const auto later = future.upper_bound(at);
      if (later == future.begin()) return add_instance(event, time, length);
      icalcomponent* other = std::prev(later)->second;  // moved with everything after it
      if (!blocks(other)) return;
      const std::int64_t moved = at + seconds(start_of(other)) - std::prev(later)->first;
      const Length other_length = length_of(other);
      add(other, moved, moved + other_length.days * 86'400LL + other_length.seconds);
    };
    one(start);
    for (auto* property = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
         property != nullptr;
         property = icalcomponent_get_next_property(event, ICAL_RRULE_PROPERTY)) {
      expand(icalproperty_get_rrule(property), start, one);
    }
    for (auto* property = icalcomponent_get_first_property(event, ICAL_RDATE_PROPERTY);
         property != nullptr;
         property = icalcomponent_get_next_property(event, ICAL_RDATE_PROPERTY)) {
      const auto value = icalproperty_get_rdate(property);
      if (icaltime_is_null_time(value.time) == 0) {
        one(with_zone(property, value.time));
      } else {
        const icaltimetype from = with_zone(property, value.period.start);
        icaltimetype to = value.period.end;
        if (icaltime_is_null_time(to) != 0) to = icaltime_add(from, value.period.duration);
        if (blocks(event) && !gone.contains(seconds(from)))
          add(event, seconds(from), seconds(with_zone(property, to)));
      }
    }
  }

  template <class One>
  void expand(icalrecurrencetype rule, const icaltimetype& start, One one) {
    auto* iterator = icalrecur_iterator_new(rule, start);
    if (iterator == nullptr) return;
    for (int i = 0; i < kInstancesMax; ++i) {
      icaltimetype time = icalrecur_iterator_next(iterator);
      if (icaltime_is_null_time(time) != 0) break;
      icaltime_set_timezone(&time, start.zone);
      if (seconds(time) >= end_s_) break;
      one(time);
    }
    icalrecur_iterator_free(iterator);
  }

  void add_free_busy(icalcomponent* part) {
    for (auto* property = icalcomponent_get_first_property(part, ICAL_FREEBUSY_PROPERTY);
         property != nullptr;
         property = icalcomponent_get_next_property(part, ICAL_FREEBUSY_PROPERTY)) {
      auto* kind = icalproperty_get_first_parameter(property, ICAL_FBTYPE_PARAMETER);
      if (kind != nullptr && icalparameter_get_fbtype(kind) == ICAL_FBTYPE_FREE) continue;
      const icalperiodtype period = icalproperty_get_freebusy(property);
      icaltimetype to = period.end;
      if (icaltime_is_null_time(to) != 0) to = icaltime_add(period.start, period.duration);
      add(part, seconds(period.start), seconds(to));
    }
  }

  icaltimezone* own_zone_;
  std::int64_t start_s_, end_s_;
  mutable std::set<Day> excluded_days_;
  std::vector<BusyTime> busy_;
};

icaltimezone* zone_named(icalcomponent* calendar, const char* name) {
  auto* zone = icaltimezone_get_builtin_timezone(name);
  return zone != nullptr ? zone : icalcomponent_get_timezone(calendar, name);
}

/// Floating times and all-day events: X-WR-TIMEZONE, else the first VTIMEZONE, else UTC.
icaltimezone* own_zone(icalcomponent* calendar) {
  for (auto* property = icalcomponent_get_first_property(calendar, ICAL_X_PROPERTY);
       property != nullptr; property = icalcomponent_get_next_property(calendar, ICAL_X_PROPERTY)) {
    if (std::string(icalproperty_get_x_name(property)) != "X-WR-TIMEZONE") continue;
    if (auto* zone = zone_named(calendar, icalproperty_get_x(property))) return zone;
  }
  if (auto* part = icalcomponent_get_first_component(calendar, ICAL_VTIMEZONE_COMPONENT)) {
    auto* id = icalcomponent_get_first_property(part, ICAL_TZID_PROPERTY);
    if (id != nullptr) {
      if (auto* zone = zone_named(calendar, icalproperty_get_tzid(id))) return zone;
    }
  }
  return icaltimezone_get_utc_timezone();
}

}  // namespace

CalendarFile::CalendarFile(const std::string& path) : data_(new Data()) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) {
    delete data_;
    throw std::invalid_argument(path + ": cannot be read");
  }
  try {
    check_content_lines(text.str(), path);
  } catch (...) {
    delete data_;
    throw;
  }
  data_->root = icalparser_parse_string(text.str().c_str());
  if (data_->root == nullptr) {
    delete data_;
    throw std::invalid_argument(path + ":1: libical cannot read it");
  }
}

CalendarFile::~CalendarFile() {
  icalcomponent_free(data_->root);
  delete data_;
}

std::vector<BusyTime> CalendarFile::busy(std::int64_t start_s, std::int64_t end_s) const {
  std::vector<icalcomponent*> calendars;
  if (icalcomponent_isa(data_->root) == ICAL_VCALENDAR_COMPONENT) {
    calendars.push_back(data_->root);
  } else {  // several in one file
    for (auto* each = icalcomponent_get_first_component(data_->root, ICAL_VCALENDAR_COMPONENT);
         each != nullptr;
         each = icalcomponent_get_next_component(data_->root, ICAL_VCALENDAR_COMPONENT)) {
      calendars.push_back(each);
    }
  }
  std::vector<BusyTime> all;
  for (auto* calendar : calendars) {
    Expansion expansion(own_zone(calendar), start_s, end_s);
    expansion.add_calendar(calendar);
    auto busy = expansion.take();
    all.insert(all.end(), busy.begin(), busy.end());
  }
  std::sort(all.begin(), all.end(),
            [](const BusyTime& a, const BusyTime& b) { return a.start_s < b.start_s; });
  return all;
}

}  // namespace diary
