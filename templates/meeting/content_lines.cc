#include "content_lines.h"

#include <libical/ical.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace diary {

namespace {

struct Component {
  std::string name;
  std::size_t line;
  std::set<std::string> properties;
};

bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-';
  });
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// YYYYMMDD, or YYYYMMDDTHHMMSS with an optional Z, of a day and time that exist.
bool is_date_or_time(const std::string& text) {
  if (text.size() != 8 && text.size() != 15 && !(text.size() == 16 && text.back() == 'Z'))
    return false;
  for (std::size_t i = 0; i < std::min<std::size_t>(text.size(), 15); ++i) {
    if (i == 8 ? text[i] != 'T' : std::isdigit(static_cast<unsigned char>(text[i])) == 0)
      return false;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    return std::stoi(text.substr(at, size));
  };
  const int month = number(4, 2), day = number(6, 2);
  if (month < 1 || month > 12 || day < 1 || day > icaltime_days_in_month(month, number(0, 4)))
    return false;
  return text.size() == 8 || (number(9, 2) < 24 && number(11, 2) < 60 && number(13, 2) <= 60);
}

class Checker {
 public:
  Checker(const std::string& text, const std::string& path) : path_(path) {
    for (std::size_t at = 0; at < text.size();) {
      auto end = text.find('\n', at);
      if (end == std::string::npos) end = text.size();
      std::string line = text.substr(at, end - at);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      ++number_;
      at = end + 1;
      if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) {
        if (current_.empty()) refuse(number_, "a continued line has nothing before it");
        current_ += line.substr(1);
        continue;
      }
      flush();
      current_ = line;
      current_line_ = number_;
    }
    flush();
    if (!open_.empty()) refuse(open_.back().line, "BEGIN:" + open_.back().name + " has no END");
    if (!seen_calendar_) refuse(1, "the file is no iCalendar: BEGIN:VCALENDAR was expected");
  }

 private:
  [[noreturn]] void refuse(std::size_t line, const std::string& why) const {
    throw std::invalid_argument(path_ + ":" + std::to_string(line) + ": " + why);
  }

  void flush() {
    if (current_.empty()) return;
    const std::string line = std::exchange(current_, {});
    bool quoted = false;
    std::size_t name_end = std::string::npos, colon = std::string::npos;
    for (std::size_t i = 0; i < line.size() && colon == std::string::npos; ++i) {
      if (line[i] == '"') quoted = !quoted;
      if (quoted) continue;
      if (line[i] == ';' && name_end == std::string::npos) name_end = i;
      if (line[i] == ':') colon = i;
    }
    if (colon == std::string::npos)
      refuse(current_line_, "not a content line, NAME:VALUE was expected: " + line.substr(0, 60));
    const std::string name = upper(line.substr(0, std::min(name_end, colon)));
    if (!is_name(name))
      refuse(current_line_, "'" + name.substr(0, 40) + "' is not a property name");
    property(name,
             name_end == std::string::npos || name_end > colon
                 ? ""
                 : line.substr(name_end, colon - name_end),
             line.substr(colon + 1));
  }

  void property(const std::string& name, const std::string& parameters, const std::string& value) {
    if (name == "BEGIN") {
      if (open_.empty() && upper(value) != "VCALENDAR")
        refuse(current_line_, "BEGIN:VCALENDAR was expected, not BEGIN:" + value);
      seen_calendar_ = true;
      open_.push_back({upper(value), current_line_, {}});
      return;
    }
    if (open_.empty()) refuse(current_line_, "BEGIN:VCALENDAR was expected");
    if (name == "END") {
      if (open_.back().name != upper(value))
        refuse(current_line_, "END:" + value + " where END:" + open_.back().name + " was expected");
      if (open_.back().name == "VEVENT" && !open_.back().properties.contains("DTSTART"))
        refuse(open_.back().line, "this VEVENT has no DTSTART");
      open_.pop_back();
      return;
    }
    open_.back().properties.insert(name);
    if (open_.back().name != "VEVENT") return;
    static const std::set<std::string> kDates{"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE",
                                              "RDATE"};
    if (kDates.contains(name)) check_dates(name, parameters, value);
    if (name == "RRULE") check_rule(value);
    if (name == "DURATION" &&
        icaldurationtype_is_bad_duration(icaldurationtype_from_string(value.c_str())) != 0)
      refuse(current_line_, "'" + value + "' is not a duration, as in PT1H30M");
  }

  void check_dates(const std::string& name, const std::string& parameters,
                   const std::string& value) {
    const bool is_period = upper(parameters).find("VALUE=PERIOD") != std::string::npos;
    std::size_t at = 0;
    while (at <= value.size()) {
      const auto comma = std::min(value.find(',', at), value.size());
      std::string item = value.substr(at, comma - at);
      if (is_period) item = item.substr(0, item.find('/'));
      if (!is_date_or_time(item))
        refuse(current_line_,
               name + ": '" + item + "' is not a date or time, as in 20261124 or 20261124T093000Z");
      at = comma + 1;
    }
  }

  void check_rule(const std::string& value) {
    const auto rule = icalrecurrencetype_from_string(value.c_str());
    if (rule.freq == ICAL_NO_RECURRENCE)
      refuse(current_line_,
             "RRULE: '" + value + "' is not a recurrence rule, as in FREQ=WEEKLY;BYDAY=MO");
  }

  const std::string& path_;
  std::string current_;
  std::size_t current_line_ = 0;
  std::size_t number_ = 0;
  bool seen_calendar_ = false;
  std::vector<Component> open_;
};

}  // namespace

void check_content_lines(const std::string& text, const std::string& path) { Checker(text, path); }

}  // namespace diary
