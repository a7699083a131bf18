#include "busy_times.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>

#include "events.h"

namespace diary {

namespace {

/// Zones are up to 26 hours apart, and a clock change takes one.
constexpr std::int64_t kMarginSeconds = 3 * kDaySeconds;
/// An instance is kept in memory; it is priced so that all of them are bounded.
constexpr std::int64_t kInstanceSteps = 10;

absl::CivilSecond civil(std::int64_t seconds) { return absl::CivilSecond() + seconds; }

/// One event with its overrides, in a window.
class Series {
 public:
  Series(const Event& event, const std::vector<const Event*>& overrides, const Zone& utc,
         Budget& budget)
      : event_(event), utc_(utc), budget_(budget) {
    for (const auto& each : event.excluded_dates) exclude(each);
    for (const Event* each : overrides) {
      if (each->is_this_and_future)
        future_[each->recurrence_id->seconds()] = each;
      else
        exclude(*each->recurrence_id);
    }
  }

  void add_to(std::vector<BusyTime>& busy, std::int64_t start_s, std::int64_t end_s) {
    busy_ = &busy;
    start_s_ = start_s;
    end_s_ = end_s;
    const std::int64_t reach = longest() + kMarginSeconds;
    from_ = civil(start_s - reach);
    to_ = civil(end_s + reach);
    for (const auto& rule : event_.excluded_rules)
      expand(rule, [&](absl::CivilSecond wall) { gone_.insert(event_.start.zone->seconds(wall)); });
    for (const auto& each : event_.periods) add_period(each);
    instance(event_.start);
    for (const auto& rule : event_.rules) {
      expand(rule, [&](absl::CivilSecond wall) {
        instance({{wall, event_.start.moment.is_date, false}, event_.start.zone});
      });
    }
    for (const auto& each : event_.dates) instance(each);
  }

 private:
  /// How far from the window an instance can begin and still reach into it.
  [[nodiscard]] std::int64_t longest() const {
    const auto span = [](const Length& length) {
      return length.days * kDaySeconds + length.seconds;
    };
    std::int64_t longest = span(event_.length);
    for (const auto& [at, each] : future_)
      longest = std::max(longest, span(each->length) + std::abs(each->start.seconds() - at));
    return longest;
  }

  /// A day excludes what begins on it; beside a series of days a time is its day as written.
  void exclude(const Placed& what) {
    if (what.moment.is_date || event_.start.moment.is_date)
      gone_days_.insert(absl::CivilDay(what.moment.wall));
    else
      gone_.insert(what.seconds());
  }

  template <class OnInstance>
  void expand(const Rule& rule, OnInstance on_instance) {
    const Zone& zone = *event_.start.zone;
    const auto is_over = [&](absl::CivilSecond wall) {
      if (!rule.until) return false;
      const Moment& until = *rule.until;
      if (until.is_date || event_.start.moment.is_date)  // the whole of that day
        return absl::CivilDay(wall) > absl::CivilDay(until.wall);
      if (!until.is_utc) return wall > until.wall;
      return zone.seconds(wall) > until.wall - absl::CivilSecond();
    };
    walk(rule, {event_.start.moment.wall, from_, to_, is_over}, budget_, on_instance);
  }

  [[nodiscard]] bool is_gone(const Placed& start, std::int64_t at) const {
    return gone_.contains(at) || gone_days_.contains(absl::CivilDay(start.moment.wall));
  }

  void instance(const Placed& start) {
    budget_.spend(kInstanceSteps, event_.where);
    const std::int64_t at = start.seconds();
    if (is_gone(start, at) || !done_.insert(at).second) return;
    const auto later = future_.upper_bound(at);
    if (later == future_.begin()) return add(event_, start, event_.length);
    const auto& [moved_from, other] = *std::prev(later);  // moved with everything after it
    Placed moved = start;
    if (other->start.zone == start.zone && other->recurrence_id->zone == start.zone)
      moved.moment.wall += other->start.moment.wall - other->recurrence_id->moment.wall;
    else
      moved = {{civil(at + other->start.seconds() - moved_from), false, true}, &utc_};
    add(*other, moved, other->length);
  }

  void add_period(const Period& period) {
    budget_.spend(kInstanceSteps, event_.where);
    const std::int64_t at = period.start.seconds();
    if (is_gone(period.start, at) || !done_.insert(at).second) return;
    add(event_, period.start, period.length);
  }

  void add(const Event& event, const Placed& start, const Length& length) {
    if (!event.blocks) return;
    const std::int64_t begin = start.seconds();
    const std::int64_t end = Period{start, length}.end();
    if (end <= begin || end <= start_s_ || begin >= end_s_) return;
    busy_->push_back({begin, end, event.summary});
  }

  const Event& event_;
  const Zone& utc_;
  Budget& budget_;
  std::vector<BusyTime>* busy_ = nullptr;
  std::int64_t start_s_ = 0, end_s_ = 0;
  absl::CivilSecond from_, to_;
  std::set<std::int64_t> gone_, done_;
  std::set<absl::CivilDay> gone_days_;
  std::map<std::int64_t, const Event*> future_;
};

/// Events of one UID: a later version, by SEQUENCE, takes the place of the earlier ones.
class Group {
 public:
  void add(const Event& event) {
    if (event.recurrence_id) {
      const std::pair key{event.recurrence_id->seconds(), event.is_this_and_future};
      add_version(overrides_[key], event);
    } else {
      add_version(masters_, event);
    }
  }
  void add_to(std::vector<BusyTime>& busy, std::int64_t start_s, std::int64_t end_s,
              const Zone& utc, Budget& budget) const {
    std::vector<const Event*> overrides;
    for (const auto& [key, events] : overrides_)
      overrides.insert(overrides.end(), events.begin(), events.end());
    for (const Event* master : masters_)
      Series(*master, overrides, utc, budget).add_to(busy, start_s, end_s);
    for (const Event* each : overrides) {
      if (each->is_this_and_future && !masters_.empty()) continue;  // its series has used it
      Event alone = *each;
      alone.rules.clear();
      Series(alone, {}, utc, budget).add_to(busy, start_s, end_s);
    }
  }

 private:
  static void add_version(std::vector<const Event*>& events, const Event& event) {
    if (!events.empty() && event.sequence < events.front()->sequence) return;
    if (!events.empty() && event.sequence > events.front()->sequence) events.clear();
    events.push_back(&event);
  }

  std::vector<const Event*> masters_;
  std::map<std::pair<std::int64_t, bool>, std::vector<const Event*>> overrides_;
};

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::invalid_argument(path + ": cannot be read: " + std::strerror(errno));
  std::string text;
  char part[16 * 1024];
  while (text.size() <= CalendarFile::kOctetsMax && (in.read(part, sizeof part), in.gcount() > 0))
    text.append(part, static_cast<std::size_t>(in.gcount()));
  if (in.bad()) throw std::invalid_argument(path + ": cannot be read: " + std::strerror(errno));
  if (text.size() > CalendarFile::kOctetsMax)
    throw std::invalid_argument(path + ": a calendar has at most 16 MiB");
  return text;
}

}  // namespace

struct CalendarFile::Data {
  struct One {
    std::unique_ptr<Zones> zones;
    Calendar calendar;
    std::map<std::string, Group> groups;  ///< of the calendar's events, by UID
  };
  std::vector<std::unique_ptr<One>> all;
};

CalendarFile::CalendarFile(const std::string& path) : data_(std::make_unique<Data>()) {
  Budget budget;
  for (const auto& component : read_components(text_of(path), path)) {
    auto one = std::make_unique<Data::One>();
    one->zones = std::make_unique<Zones>(component, path, budget);
    one->calendar = read_calendar(component, *one->zones, path);
    for (const auto& event : one->calendar.events)  // without a UID each is alone
      one->groups[event.uid.empty() ? event.where : event.uid].add(event);
    data_->all.push_back(std::move(one));
  }
}

CalendarFile::~CalendarFile() = default;

std::vector<BusyTime> CalendarFile::busy(std::int64_t start_s, std::int64_t end_s) const {
  const absl::CivilSecond epoch;
  start_s = std::max<std::int64_t>(start_s, absl::CivilSecond(1, 1, 2) - epoch);
  end_s = std::min<std::int64_t>(end_s, absl::CivilSecond(9999, 12, 31) - epoch);
  std::vector<BusyTime> all;
  if (end_s <= start_s) return all;
  Budget budget;
  for (const auto& one : data_->all) {
    for (const auto& [uid, group] : one->groups)
      group.add_to(all, start_s, end_s, one->zones->utc(), budget);
    for (const auto& period : one->calendar.busy) {
      const std::int64_t from = period.start.seconds(), to = period.end();
      if (to > from && to > start_s && from < end_s) all.push_back({from, to, "busy"});
    }
  }
  std::sort(all.begin(), all.end(), [](const BusyTime& a, const BusyTime& b) {
    return std::tie(a.start_s, a.end_s) < std::tie(b.start_s, b.end_s);
  });
  return all;
}

}  // namespace diary
