// What: text as a JSON string, which is a double-quoted YAML scalar too.
// Why: logs, lists and settings are written in one way.
// Who: the kernel's log, the command line, configurations.
#pragma once

#include <string>
#include <string_view>

namespace hector {

/// With its quotes; control characters as \u00XX, the rest as it is (UTF-8).
inline std::string json_quoted(std::string_view text) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 0xf];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace hector
