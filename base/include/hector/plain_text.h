// What: plain_text(), a text without what editors and file systems of other machines add to it.
// Why: a byte order mark or "\r\n" means nothing in any text that people give to Hector.
// Who: readers of text files; services that are sent texts.
#pragma once

#include <string>
#include <string_view>

namespace hector {

/// As editors on Windows save it, and yet as all else expects it: without a byte order mark, with
/// "\n" where "\r\n" stood.
std::string plain_text(std::string_view text);

}  // namespace hector
