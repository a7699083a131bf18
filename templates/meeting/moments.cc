#include "moments.h"

#include <algorithm>
#include <cctype>

namespace diary {

namespace {

constexpr std::size_t kDigitsMax = 9;  ///< any more overflow 32 bits
constexpr std::int64_t kHour = 3'600;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// +1 or -1, taken off; nothing written is +1.
std::int64_t take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return 1;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  return sign;
}

/// A number and the letter behind it, taken off.
std::optional<std::pair<std::int64_t, char>> take_part(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = number_of(text.substr(0, end));
  if (!number || end == text.size()) return std::nullopt;
  const char unit = text[end];
  text.remove_prefix(end + 1);
  return std::pair{*number, unit};
}

}  // namespace

std::optional<std::int64_t> number_of(std::string_view text) {
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<Moment> moment_of(std::string_view text) {
  text = trimmed(text);
  Moment moment;
  moment.is_utc = text.size() == 16 && text[15] == 'Z';
  if (moment.is_utc) text.remove_suffix(1);
  moment.is_date = text.size() == 8;
  if (!moment.is_date && (text.size() != 15 || text[8] != 'T')) return std::nullopt;
  const auto date = number_of(text.substr(0, 8));
  const auto time = moment.is_date ? std::optional<std::int64_t>(0) : number_of(text.substr(9));
  if (!date || !time) return std::nullopt;
  const std::int64_t hour = *time / 10'000, minute = *time / 100 % 100, second = *time % 100;
  const absl::CivilDay day(*date / 10'000, static_cast<int>(*date / 100 % 100),
                           static_cast<int>(*date % 100));
  if (*date < 10'000 || day.month() != *date / 100 % 100 || day.day() != *date % 100)
    return std::nullopt;  // Abseil turns 31 November into 1 December
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  moment.wall =
      absl::CivilSecond(day) + hour * kHour + minute * 60 + std::min<std::int64_t>(second, 59);
  return moment;
}

std::optional<Length> length_of(std::string_view text) {
  text = trimmed(text);
  const std::int64_t sign = take_sign(text);
  if (text.size() < 3 || text[0] != 'P') return std::nullopt;
  text.remove_prefix(1);
  Length length;
  bool is_time = false;
  for (std::string_view order = "WDHMS"; !text.empty();) {
    if (text[0] == 'T' && !is_time) {
      is_time = true;
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
    }
    const auto part = take_part(text);
    if (!part) return std::nullopt;
    const auto at = order.find(part->second);  // each unit once, the larger first
    if (at == std::string_view::npos || is_time == (order[at] == 'W' || order[at] == 'D'))
      return std::nullopt;
    if (part->second == 'W') length.days += 7 * part->first;
    if (part->second == 'D') length.days += part->first;
    if (part->second == 'H') length.seconds += kHour * part->first;
    if (part->second == 'M') length.seconds += 60 * part->first;
    if (part->second == 'S') length.seconds += part->first;
    order.remove_prefix(at + 1);
  }
  return Length{sign * length.days, sign * length.seconds};
}

std::optional<std::int64_t> offset_of(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = take_sign(text);
  if (text.size() != 4 && text.size() != 6) return std::nullopt;
  const auto number = number_of(text);
  if (!number) return std::nullopt;
  const std::int64_t whole = text.size() == 4 ? *number * 100 : *number;
  if (whole / 10'000 > 23 || whole / 100 % 100 > 59 || whole % 100 > 59) return std::nullopt;
  return sign * (whole / 10'000 * kHour + whole / 100 % 100 * 60 + whole % 100);
}

}  // namespace diary
