// What: how the command line prints: text, lists and replies in every format, errors, and whether
// all of it was written.
// Why: people read tables, scripts read the others; one place writes all of them, and what was not
// written is not reported as done.
// Who: the files of commands beside it, main.cc.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text/quoted.h"
#include "cli/value.h"
#include "hector/result.h"

namespace hector {

inline constexpr int kExitFailed = 1;        ///< none of the others
inline constexpr int kExitUsage = 2;         ///< as shells have it
inline constexpr int kExitIncompatible = 7;  ///< what a script tells from a failure

/// To the standard output; says once why it cannot be written.
void write_out(std::string_view text);
template <class... Arguments>
void emit(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write_out(fmt::format(format, std::forward<Arguments>(arguments)...));
}
/// To the standard error; where it is closed nobody can be told.
void complain(std::string_view text);
/// Flushes. The exit code: `code`, or failed where the output was not written to its end; says why.
int finish_output(int code);

struct OutputRow {
  std::string name;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Prints the error; the exit code that the command line's contract has for it (main.cc).
int report(const Error& error);
/// format: table, wide, json, jsonl, yaml or name; the table leaves out columns of which another
/// says the same in short. Columns of counts and times are numbers in all but the
/// table.
Value value_of(const OutputRow& row);
std::string format_rows(const std::vector<OutputRow>& rows, const std::string& format);
/// A value in a format that is not the table.
std::string format_value(const Value& value, const std::string& format);

}  // namespace hector
