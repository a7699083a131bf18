// What: the content lines of an iCalendar file, unfolded and as a tree, each with its line.
// Why: a person wants each refusal with file and line; the readers looked at keep no lines.
// Who: events.cc, zones.cc, busy_times.cc.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace diary {

struct ContentLine {
  std::string name;                               ///< in capitals
  std::map<std::string, std::string> parameters;  ///< names in capitals, values without quotes
  std::string value;
  std::size_t line = 0;
};

struct Component {
  std::string name;  ///< in capitals
  std::size_t line = 0;
  std::vector<ContentLine> lines;
  std::vector<Component> parts;
  /// The first of this name; null if there is none.
  [[nodiscard]] const ContentLine* find(const std::string& property) const;
};

/// Throws std::invalid_argument, "FILE:LINE: why".
[[noreturn]] void refuse(const std::string& path, std::size_t line, const std::string& why);

/// The VCALENDARs of a text in UTF-8, with or without a byte order mark, with any line ends. Throws
/// std::invalid_argument, "FILE:LINE: why", at the first line that RFC 5545, 3.1 and 3.4, does not
/// allow.
std::vector<Component> read_components(const std::string& text, const std::string& path);

}  // namespace diary
