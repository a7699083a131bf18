// What: type files laid out in one way: `hector type fmt`.
// Why: a file reads the same whoever wrote it. The text is patched piece by piece, so that comments
// and everything that is not meant stay as they are, octet for octet.
// Who: the command line, editors.
#pragma once

#include <string>

#include "hector/result.h"

namespace hector::types {

/// Spaces in {…} and […] and around the operators of protocols, entries of one section aligned, no
/// blanks at the ends of lines, one line end at the end, no byte order mark and no "\r". The types
/// it says are the same as before: INTERNAL if they were not. INVALID_ARGUMENT if the file cannot
/// be read, FAILED_PRECONDITION if it has no types.
Result<std::string> format_types(const std::string& text, const std::string& name,
                                 const std::string& folder);

/// One expression: "a;b|c" becomes "a ; b | c". Line ends and comments stay.
std::string format_expression(const std::string& text);

}  // namespace hector::types
