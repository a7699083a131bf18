#include "zones.h"

#include <absl/time/time.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

namespace diary {

namespace {

using absl::CivilSecond;

/// Until when a VTIMEZONE is worked out.
constexpr int kYearMax = 2200;
constexpr std::int64_t kOffsetSecondsMax = 86'400;  ///< no zone is a day away

class SystemZone final : public Zone {
 public:
  explicit SystemZone(absl::TimeZone zone) : zone_(zone) {}
  [[nodiscard]] std::int64_t seconds(CivilSecond wall) const override {
    return absl::ToUnixSeconds(zone_.At(wall).pre);
  }

 private:
  absl::TimeZone zone_;
};

struct Onset {
  CivilSecond wall;  ///< by the clock before it
  std::int64_t from_s, to_s;
  [[nodiscard]] std::int64_t at_s() const { return wall - CivilSecond() - from_s; }
  /// The first time on the wall that is surely after it.
  [[nodiscard]] CivilSecond after() const {
    return wall + std::max<std::int64_t>(0, to_s - from_s);
  }
};

/// A VTIMEZONE: the last onset before a time says its offset.
class DefinedZone final : public Zone {
 public:
  DefinedZone(std::vector<Onset> onsets, std::string where)
      : onsets_(std::move(onsets)), where_(std::move(where)) {
    std::sort(onsets_.begin(), onsets_.end(),
              [](const Onset& a, const Onset& b) { return a.at_s() < b.at_s(); });
  }
  [[nodiscard]] std::int64_t seconds(CivilSecond wall) const override {
    if (wall.year() >= kYearMax)
      throw TooCostly(where_ + ": this zone is worked out until " + std::to_string(kYearMax));
    const std::int64_t at_s = wall - CivilSecond();
    auto onset = std::upper_bound(
        onsets_.begin(), onsets_.end(), at_s + kOffsetSecondsMax,
        [](std::int64_t time_s, const Onset& each) { return time_s < each.at_s(); });
    while (onset != onsets_.begin()) {
      --onset;
      if (onset->after() <= wall) return at_s - onset->to_s;
    }
    return at_s - onset->from_s;
  }

 private:
  std::vector<Onset> onsets_;
  std::string where_;
};

class Definition {
 public:
  Definition(const Component& zone, const std::string& path, Budget& budget)
      : path_(path), budget_(budget) {
    for (const auto& part : zone.parts) {
      if (part.name == "STANDARD" || part.name == "DAYLIGHT") add(part);
    }
  }
  std::vector<Onset> take() { return std::move(onsets_); }

 private:
  const ContentLine& line_of(const Component& part, const char* name) const {
    if (const auto* line = part.find(name)) return *line;
    refuse(path_, part.line, "this " + part.name + " has no " + name);
  }

  std::int64_t offset_of_line(const ContentLine& line) const {
    const auto offset = offset_of(line.value);
    if (!offset)
      refuse(path_, line.line, line.name + ": '" + line.value + "' is not an offset, as in +0100");
    return *offset;
  }

  Moment moment_in(const ContentLine& line, const std::string& text) const {
    const auto moment = moment_of(text);
    if (!moment) refuse(path_, line.line, line.name + ": '" + text + "' is not a date or time");
    return *moment;
  }

  void add(const Component& part) {
    const auto from_s = offset_of_line(line_of(part, "TZOFFSETFROM"));
    const auto to_s = offset_of_line(line_of(part, "TZOFFSETTO"));
    const auto& start_line = line_of(part, "DTSTART");
    const Moment start = moment_in(start_line, start_line.value);
    onsets_.push_back({start.wall, from_s, to_s});
    for (const auto& line : part.lines) {
      if (line.name == "RDATE") add_dates(line, from_s, to_s);
      if (line.name == "RRULE") add_rule(line, start.wall, {start.wall, from_s, to_s});
    }
  }

  void add_dates(const ContentLine& line, std::int64_t from_s, std::int64_t to_s) {
    for (std::size_t at = 0; at <= line.value.size();) {
      const auto comma = std::min(line.value.find(',', at), line.value.size());
      const Moment moment = moment_in(line, line.value.substr(at, comma - at));
      onsets_.push_back({moment.is_utc ? moment.wall + from_s : moment.wall, from_s, to_s});
      at = comma + 1;
    }
  }

  void add_rule(const ContentLine& line, CivilSecond start, Onset onset) {
    Rule rule;
    try {
      rule = rule_of(line.value);
    } catch (const std::invalid_argument& why) {
      refuse(path_, line.line, std::string("RRULE: ") + why.what());
    }
    rule.where = path_ + ":" + std::to_string(line.line);
    const auto is_over = [&](CivilSecond wall) {
      if (!rule.until) return false;
      if (rule.until->is_date) return absl::CivilDay(wall) > absl::CivilDay(rule.until->wall);
      return wall > rule.until->wall + (rule.until->is_utc ? onset.from_s : 0);
    };
    walk(rule, {start, start, CivilSecond(kYearMax + 1), is_over}, budget_, [&](CivilSecond wall) {
      onset.wall = wall;
      onsets_.push_back(onset);
    });
  }

  const std::string& path_;
  Budget& budget_;
  std::vector<Onset> onsets_;
};

/// A name of the tz database, and nothing else that Abseil or the file system would take.
bool is_place(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find("..") != std::string::npos) return false;
  if (name == "localtime" || name == "posixrules" || name == "Factory") return false;
  if (name.starts_with("Fixed/") || name.starts_with("posix/") || name.starts_with("right/"))
    return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

std::unique_ptr<Zone> place(const std::string& name) {
  absl::TimeZone zone;
  if (!is_place(name) || !absl::LoadTimeZone(name, &zone)) return nullptr;
  return std::make_unique<SystemZone>(zone);
}

std::unique_ptr<Zone> windows_zone(const std::string& name) {
  std::array<UChar, 128> windows{}, id{};
  UErrorCode status = U_ZERO_ERROR;
  std::int32_t size = 0;
  u_strFromUTF8(windows.data(), windows.size(), &size, name.data(),
                static_cast<std::int32_t>(name.size()), &status);
  size =
      ucal_getTimeZoneIDForWindowsID(windows.data(), size, nullptr, id.data(), id.size(), &status);
  if (U_FAILURE(status) != 0 || size == 0) return nullptr;
  return place(std::string(id.data(), id.data() + size));  // names of places are ASCII
}

std::unique_ptr<Zone> known(const std::string& name) {
  auto zone = place(name);
  return zone ? std::move(zone) : windows_zone(name);
}

/// Behind the owner's domain, and perhaps a version.
std::unique_ptr<Zone> unique_zone(const std::string& name) {
  std::size_t at = 0;
  for (int parts = 0; parts < 2; ++parts) {
    at = name.find('/', at + 1);
    if (at == std::string::npos) return nullptr;
    if (auto zone = known(name.substr(at + 1))) return zone;
  }
  return nullptr;
}

}  // namespace

Zones::Zones(const Component& calendar, const std::string& path, Budget& budget)
    : utc_(std::make_unique<SystemZone>(absl::UTCTimeZone())) {
  for (const auto& part : calendar.parts) {
    if (part.name != "VTIMEZONE") continue;
    const auto* name = part.find("TZID");
    if (name == nullptr) refuse(path, part.line, "this VTIMEZONE has no TZID");
    auto onsets = Definition(part, path, budget).take();
    if (onsets.empty()) continue;  // its name may say enough
    known_.try_emplace(name->value, std::make_unique<DefinedZone>(
                                        std::move(onsets), path + ":" + std::to_string(part.line)));
  }
}

const Zone* Zones::find(const std::string& name) {
  if (const auto found = known_.find(name); found != known_.end()) return found->second.get();
  auto zone = name.starts_with('/') ? unique_zone(name) : known(name);
  return zone ? known_.emplace(name, std::move(zone)).first->second.get() : nullptr;
}

}  // namespace diary
