#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>

#include "hector/check.h"

namespace hector {

namespace {

constexpr std::size_t kColumnMax = 60;  ///< characters: a longer cell does not widen its column

/// What the head of a column ends with where it measures.
constexpr std::string_view kUnits[] = {" us", " ms", " s", "/s", " %", " octets"};

/// Names come from other people's programs: control characters do not reach the terminal.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out;
}

/// Columns of an Object that "state" sums up.
bool is_of_wide(const std::string& column) {
  static const std::set<std::string> kWide{
      "unanswered", "queued",     "processor ms", "operation",
      "since",      "running ms", "late ms",      "call processor ms"};
  return kWide.contains(column);
}

std::vector<OutputRow> narrowed(std::vector<OutputRow> rows) {
  for (auto& row : rows)
    std::erase_if(row.fields, [](const auto& field) { return is_of_wide(field.first); });
  return rows;
}

std::string table(const std::vector<OutputRow>& rows) {
  if (rows.empty()) return "none\n";
  std::vector<std::string> heads{"NAME"};
  for (const auto& row : rows) {
    for (const auto& [key, value] : row.fields) {
      if (std::find(heads.begin(), heads.end(), key) == heads.end()) heads.push_back(key);
    }
  }
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows) {
    auto& line = cells.emplace_back(heads.size());
    line[0] = printable(row.name);
    for (const auto& [key, value] : row.fields) {
      line[static_cast<std::size_t>(std::find(heads.begin(), heads.end(), key) - heads.begin())] =
          printable(value);
    }
  }
  std::string out;
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < heads.size(); ++c) {
    std::size_t width = heads[c].size();
    for (const auto& line : cells) width = std::max(width, std::min(line[c].size(), kColumnMax));
    widths.push_back(width);
  }
  for (std::size_t c = 0; c < heads.size(); ++c) {
    std::string head = heads[c];
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char ch) { return static_cast<char>(std::toupper(ch)); });
    out += c + 1 == heads.size() ? head : fmt::format("{:<{}}  ", head, widths[c]);
  }
  out += '\n';
  for (const auto& line : cells) {
    HECTOR_CHECK(line.size() == widths.size(), "a row has other columns than the table");
    for (std::size_t c = 0; c < line.size(); ++c)
      out += c + 1 == line.size() ? line[c] : fmt::format("{:<{}}  ", line[c], widths[c]);
    out += '\n';
  }
  return out;
}

/// Columns that count or measure. What is no number in one (a dash) stays a text.
bool is_number(const std::string& column, const std::string& value) {
  static const std::set<std::string> kCounts{"calls",    "channels",   "failed",  "objects", "pid",
                                             "priority", "queued",     "refused", "running", "sent",
                                             "sessions", "unanswered", "waiting"};
  const bool is_measure =
      std::any_of(std::begin(kUnits), std::end(kUnits),
                  [&](std::string_view unit) { return column.ends_with(unit); });
  return (is_measure || kCounts.contains(column)) && !value.empty() && value.size() < 20 &&
         value.find_first_not_of("0123456789.") == std::string::npos && value.front() != '.' &&
         value.back() != '.' && std::count(value.begin(), value.end(), '.') <= 1;
}

int exit_code(const Error& error) {
  if (error.type == kIncompatible) return kExitIncompatible;
  switch (error.code) {
    case Code::kOk:
      return 0;
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return 2;
    case Code::kNotFound:
      return 3;
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return 4;
    case Code::kAlreadyExists:
    case Code::kAborted:
      return 5;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return 6;
    default:
      return 1;
  }
}

}  // namespace

/// A column's head as a key: "mean us" is mean_us.
Value value_of(const OutputRow& row) {
  auto value = Value::map();
  value.with("name", row.name);
  for (const auto& [column, text] : row.fields) {
    std::string key = column;
    std::replace(key.begin(), key.end(), ' ', '_');
    value.with(std::move(key), is_number(column, text) ? Value::plain(text) : Value::text(text));
  }
  return value;
}

void complain(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

namespace {

/// The reader of a pipe that goes has what it wanted: it needs no words, but the exit code says it.
void complain_of_output(int failure) {
  if (failure != EPIPE)
    complain(fmt::format("hector: the output cannot be written: {}\n", std::strerror(failure)));
}

}  // namespace

void write_out(std::string_view text) {
  if (std::ferror(stdout) != 0) return;  // it was said
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) complain_of_output(errno);
}

int finish_output(int code) {
  const bool has_failed = std::ferror(stdout) != 0;
  const bool is_written = std::fflush(stdout) == 0;
  if (!has_failed && is_written) return code;
  if (!has_failed) complain_of_output(errno);
  return code == 0 ? kExitFailed : code;
}

int report(const Error& error) {
  complain(fmt::format("hector: {}\n", error.text()));
  return exit_code(error);
}

std::string format_value(const Value& value, const std::string& format) {
  if (format == "yaml") return yaml_text(value);
  if (format == "name") return names_text(value);
  if (format == "jsonl") return json_lines(value);
  return json_text(value);
}

std::string format_rows(const std::vector<OutputRow>& rows, const std::string& format) {
  if (format == "table") return table(narrowed(rows));
  if (format == "wide") return table(rows);
  auto list = Value::list();
  for (const auto& row : rows) list.add(value_of(row));
  if (format != "json") return format_value(list, format);
  std::string out;  // a row a line
  for (const auto& [key, row] : list.entries()) out += (out.empty() ? "" : ",\n ") + json_line(row);
  return "[" + out + "]\n";
}

}  // namespace hector
