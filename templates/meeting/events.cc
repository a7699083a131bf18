#include "events.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace diary {

namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string parameter(const ContentLine& line, const char* name) {
  const auto found = line.parameters.find(name);
  return found == line.parameters.end() ? "" : found->second;
}

std::vector<std::string> items(const std::string& list) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at <= list.size();) {
    const auto comma = std::min(list.find(',', at), list.size());
    all.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return all;
}

/// RFC 5545, 3.3.11.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    out += next == 'n' || next == 'N' ? '\n' : next;
  }
  return out;
}

/// What a busy time is called; an instance has a copy.
std::string summary_of(const std::string& text) {
  constexpr std::size_t kOctetsMax = 200;  ///< a longer summary is cut
  std::string summary = unescaped(text);
  if (summary.size() <= kOctetsMax) return summary;
  std::size_t size = kOctetsMax;
  while ((static_cast<unsigned char>(summary[size]) & 0xC0) == 0x80) --size;  // whole letters
  return summary.substr(0, size) + "…";
}

class Reader {
 public:
  Reader(const Component& component, Zones& zones, const std::string& path)
      : component_(component), zones_(zones), path_(path) {}

  Calendar read() {
    Calendar calendar;
    for (const auto& part : component_.parts) {
      if (part.name == "VEVENT") calendar.events.push_back(event(part));
      if (part.name == "VFREEBUSY") free_busy(part, calendar.busy);
    }
    return calendar;
  }

 private:
  [[noreturn]] void refuse_line(const ContentLine& line, const std::string& why) const {
    refuse(path_, line.line, line.name + ": " + why);
  }

  const Zone* own_zone() {
    if (own_zone_ != nullptr) return own_zone_;
    own_zone_ = &zones_.utc();
    const auto* name = component_.find("X-WR-TIMEZONE");
    if (name != nullptr && !name->value.empty()) return own_zone_ = zone(*name, name->value);
    const auto first = std::find_if(component_.parts.begin(), component_.parts.end(),
                                    [](const Component& each) { return each.name == "VTIMEZONE"; });
    if (first == component_.parts.end()) return own_zone_;
    const auto& id = *first->find("TZID");
    return own_zone_ = zone(id, id.value);
  }

  const Zone* zone(const ContentLine& line, const std::string& name) {
    if (const auto* found = zones_.find(name)) return found;
    refuse_line(line, "nobody knows the time zone '" + name +
                          "'; give it a VTIMEZONE, or name a place as in Europe/Berlin");
  }

  Placed placed(const ContentLine& line, const std::string& text) {
    const auto moment = moment_of(text);
    if (!moment)
      refuse_line(line, "'" + text + "' is not a date or time, as in 20261124 or 20261124T093000Z");
    if (moment->is_utc) return {*moment, &zones_.utc()};
    const std::string id = moment->is_date ? "" : parameter(line, "TZID");
    return {*moment, id.empty() ? own_zone() : zone(line, id)};
  }

  Placed placed(const ContentLine& line) { return placed(line, line.value); }

  Length duration(const ContentLine& line, const std::string& text) const {
    const auto length = length_of(text);
    if (!length) refuse_line(line, "'" + text + "' is not a duration, as in PT1H30M");
    if (length->days < 0 || length->seconds < 0) return {};
    return *length;
  }

  Period period(const ContentLine& line, const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos)
      refuse_line(line, "'" + text + "' is not a period, as in 20261124T090000Z/PT1H");
    const Placed start = placed(line, text.substr(0, slash));
    const std::string end = text.substr(slash + 1);
    if (start.moment.is_date) refuse_line(line, "'" + text + "' begins without a time");
    if (end.starts_with('P') || end.starts_with('+') || end.starts_with('-'))
      return {start, duration(line, end)};
    return {start, {0, std::max<std::int64_t>(0, placed(line, end).seconds() - start.seconds())}};
  }

  Rule rule(const ContentLine& line, const Event& event) const {
    try {
      Rule rule = rule_of(line.value);
      rule.where = path_ + ":" + std::to_string(line.line);
      if (!event.start.moment.is_date) return rule;
      if (rule.frequency < Frequency::kDaily)
        refuse_line(line, "'" + line.value + "' repeats within a day, and DTSTART is a day");
      rule.hours.clear();  // RFC 5545, 3.3.10: ignored beside a day
      rule.minutes.clear();
      rule.seconds.clear();
      return rule;
    } catch (const std::invalid_argument& why) {
      if (std::string(why.what()).starts_with(path_)) throw;
      refuse_line(line,
                  "'" + line.value +
                      "' is not a recurrence rule, as in FREQ=WEEKLY;BYDAY=MO: " + why.what());
    }
  }

  const ContentLine* single(const Component& part, const char* name) const {
    const ContentLine* found = nullptr;
    for (const auto& line : part.lines) {
      if (line.name != name) continue;
      if (found != nullptr)
        refuse_line(line, "it stands twice in one " + part.name + ", first in line " +
                              std::to_string(found->line));
      found = &line;
    }
    return found;
  }

  Length length(const Component& part, const Event& event) {
    const bool is_date = event.start.moment.is_date;
    if (const auto* line = single(part, "DTEND")) {
      const Placed end = placed(*line);
      if (is_date)
        return {std::max<std::int64_t>(
                    1, absl::CivilDay(end.moment.wall) - absl::CivilDay(event.start.moment.wall)),
                0};
      return {0, std::max<std::int64_t>(0, end.seconds() - event.start.seconds())};
    }
    if (const auto* line = single(part, "DURATION")) return duration(*line, line->value);
    return {is_date ? 1 : 0, 0};
  }

  void add_dates(const ContentLine& line, Event& event) {
    if (upper(parameter(line, "VALUE")) == "PERIOD") {
      for (const auto& each : items(line.value)) event.periods.push_back(period(line, each));
      return;
    }
    for (const auto& each : items(line.value)) {
      event.dates.push_back(placed(line, each));
      if (event.dates.back().moment.is_date != event.start.moment.is_date)
        refuse_line(line, "'" + each + "' is " +
                              (event.start.moment.is_date ? "a time where DTSTART is a day"
                                                          : "a day where DTSTART is a time"));
    }
  }

  static bool blocks(const Component& part) {
    const auto* status = part.find("STATUS");
    if (status != nullptr && upper(status->value) == "CANCELLED") return false;
    const auto* transparency = part.find("TRANSP");
    return transparency == nullptr || !upper(transparency->value).starts_with("TRANSPARENT");
  }

  Event event(const Component& part) {
    Event event;
    event.where = path_ + ":" + std::to_string(part.line);
    const auto* start = single(part, "DTSTART");
    if (start == nullptr) refuse(path_, part.line, "this VEVENT has no DTSTART");
    event.start = placed(*start);
    event.length = length(part, event);
    event.blocks = blocks(part);
    if (const auto* line = part.find("UID")) event.uid = line->value;
    if (const auto* line = part.find("SUMMARY")) event.summary = summary_of(line->value);
    if (const auto* line = part.find("SEQUENCE"))
      event.sequence = number_of(line->value).value_or(0);
    if (const auto* line = single(part, "RECURRENCE-ID")) {
      if (event.uid.empty()) refuse_line(*line, "without a UID nobody knows of which event");
      event.recurrence_id = placed(*line);
      event.is_this_and_future = upper(parameter(*line, "RANGE")) == "THISANDFUTURE";
    }
    for (const auto& line : part.lines) {
      if (line.name == "RRULE") event.rules.push_back(rule(line, event));
      if (line.name == "EXRULE") event.excluded_rules.push_back(rule(line, event));
      if (line.name == "RDATE") add_dates(line, event);
      if (line.name != "EXDATE") continue;
      for (const auto& each : items(line.value)) event.excluded_dates.push_back(placed(line, each));
    }
    return event;
  }

  void free_busy(const Component& part, std::vector<Period>& busy) {
    for (const auto& line : part.lines) {
      if (line.name != "FREEBUSY" || upper(parameter(line, "FBTYPE")) == "FREE") continue;
      for (const auto& each : items(line.value)) busy.push_back(period(line, each));
    }
  }

  const Component& component_;
  Zones& zones_;
  const std::string& path_;
  const Zone* own_zone_ = nullptr;
};

}  // namespace

Calendar read_calendar(const Component& component, Zones& zones, const std::string& path) {
  return Reader(component, zones, path).read();
}

}  // namespace diary
