// What: the check of an iCalendar file's content lines.
// Why: libical passes over what it does not understand; a person wants the file and the line.
// Who: busy_times.cc.
#pragma once

#include <string>

namespace diary {

/// Throws std::invalid_argument, "FILE:LINE: what", at the first line that RFC 5545, 3.1 and 3.6,
/// do not allow.
void check_content_lines(const std::string& text, const std::string& path);

}  // namespace diary
