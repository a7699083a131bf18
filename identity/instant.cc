// What: RFC 3339 in UTC, to the nanosecond; finer digits are dropped. Why: strptime() takes what is
// no such time. Who: `--at`, tests.
#include <fmt/format.h>

#include <ctime>
#include <optional>

#include "hector/identity.h"

namespace hector::identity {

namespace {

/// Reads `count` digits off the front.
std::optional<int> number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// Reads ".25"; 0 where there is no '.', nothing where no digit follows it.
std::optional<std::uint32_t> fraction(std::string_view& text) {
  if (!skip(text, ".")) return 0U;
  std::uint32_t nanoseconds = 0, unit = 100'000'000;
  const std::size_t before = text.size();
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    nanoseconds += unit * static_cast<std::uint32_t>(text.front() - '0');
    unit /= 10;
    text.remove_prefix(1);
  }
  if (text.size() == before) return std::nullopt;
  return nanoseconds;
}

bool is_date(const std::tm& parts) {
  std::tm made = parts;
  made.tm_sec = 0;
  static_cast<void>(timegm(&made));
  return parts.tm_mon >= 0 && parts.tm_mon < 12 && made.tm_mday == parts.tm_mday &&
         made.tm_mon == parts.tm_mon;
}

/// "2026-11-27T08:00:00", off the front.
std::optional<std::int64_t> seconds_of(std::string_view& text) {
  constexpr std::string_view kBetween[] = {"-", "-", "Tt", ":", ":", ""};
  constexpr std::size_t kDigits[] = {4, 2, 2, 2, 2, 2};
  int parts[6];
  for (std::size_t i = 0; i < 6; ++i) {
    const auto part = number(text, kDigits[i]);
    if (!part || (i < 5 && !skip(text, kBetween[i]))) return std::nullopt;
    parts[i] = *part;
  }
  std::tm time{};
  time.tm_year = parts[0] - 1900;
  time.tm_mon = parts[1] - 1;
  time.tm_mday = parts[2];
  time.tm_hour = parts[3];
  time.tm_min = parts[4];
  time.tm_sec = parts[5];
  const bool is_leap = parts[3] == 23 && parts[4] == 59 && parts[5] == 60;
  if (parts[3] > 23 || parts[4] > 59 || (parts[5] > 59 && !is_leap) || !is_date(time))
    return std::nullopt;
  return timegm(&time);
}

}  // namespace

Result<Instant> read_instant(std::string_view text) {
  std::string_view rest = text;
  const auto seconds = seconds_of(rest);
  const auto nanoseconds = seconds ? fraction(rest) : std::nullopt;
  const bool is_utc = rest == "Z" || rest == "z" || rest == "+00:00" || rest == "-00:00";
  if (!nanoseconds || !is_utc)
    return fail(
        Code::kInvalidArgument,
        fmt::format("'{}' is no time of RFC 3339 in UTC: write 2026-11-27T08:00:00Z", text));
  return Instant{*seconds, *nanoseconds};
}

}  // namespace hector::identity
