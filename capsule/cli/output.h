// What: how the command line prints lists: as a table, JSON, YAML or names.
// Why: people read tables, scripts read the others; one place writes all four.
// Who: the files of commands beside it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/text/quoted.h"
#include "hector/result.h"

namespace hector {

struct OutputRow {
  std::string name;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Prints the error; the exit code that the command line's contract has for it (main.cc).
int report(const Error& error);
/// format: table, json, yaml or name.
std::string format_rows(const std::vector<OutputRow>& rows, const std::string& format);

}  // namespace hector
