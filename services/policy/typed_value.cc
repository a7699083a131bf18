// What: a policy's text as a boolean, an integer, a real, a duration or a list.
// Why: X resources are text; who needs a number is told where the entry stands that is none.
// Who: the operation get_typed.
#include "typed_value.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace hector::policy {

namespace v1 = hector::service::v1;

namespace {

/// "1500", "1.5 s", "20ms", "2 min", "1h".
std::optional<std::int64_t> milliseconds_of(std::string_view text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  std::string_view unit(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"", 1}, {"ms", 1}, {"s", 1e3}, {"min", 6e4}, {"h", 3.6e6}};
  for (const auto& [name, factor] : kUnits) {
    if (name == unit) return static_cast<std::int64_t>(number * factor);
  }
  return std::nullopt;
}

/// "true", "on", "yes", "1" and their contraries, as X's own converter takes them.
std::optional<bool> boolean_of(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const char* each : {"true", "on", "yes", "1"}) {
    if (text == each) return true;
  }
  for (const char* each : {"false", "off", "no", "0"}) {
    if (text == each) return false;
  }
  return std::nullopt;
}

bool read_boolean(const std::string& text, v1::PolicyTyped& typed) {
  const auto value = boolean_of(text);
  if (value) typed.set_boolean(*value);
  return value.has_value();
}
bool read_duration(const std::string& text, v1::PolicyTyped& typed) {
  const auto value = milliseconds_of(text);
  if (value) typed.set_integer(*value);
  return value.has_value();
}
bool read_integer(const std::string& text, v1::PolicyTyped& typed) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  typed.set_integer(value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}
bool read_real(const std::string& text, v1::PolicyTyped& typed) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  typed.set_real(value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}
bool read_list(const std::string& text, v1::PolicyTyped& typed) {
  constexpr const char* kBetween = " ,\t\n";
  for (std::size_t at = 0; (at = text.find_first_not_of(kBetween, at)) != std::string::npos;) {
    const std::size_t stop = std::min(text.find_first_of(kBetween, at), text.size());
    typed.add_list(text.substr(at, stop - at));
    at = stop;
  }
  return true;
}
bool read_text(const std::string& text, v1::PolicyTyped& typed) {
  typed.set_text(text);
  return true;
}

struct Type {
  const char* name;
  bool (*read)(const std::string& text, v1::PolicyTyped& typed);
};
constexpr Type kTypes[] = {{"boolean", read_boolean}, {"integer", read_integer},
                           {"real", read_real},       {"duration", read_duration},
                           {"list", read_list},       {"text", read_text}};

const Type* find(const std::string& type) {
  const auto* const found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                         [&](const auto& each) { return type == each.name; });
  return found == std::end(kTypes) ? nullptr : found;
}

}  // namespace

bool is_type(const std::string& type) { return find(type) != nullptr; }

bool read_typed(const std::string& type, const std::string& text, v1::PolicyTyped& typed) {
  const auto* const found = find(type);
  return found != nullptr && found->read(text, typed);
}

}  // namespace hector::policy
