#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>

namespace hector {

namespace {

constexpr std::size_t kColumnMax = 60;

/// Names come from other people's programs: control characters do not reach the terminal.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out;
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
    for (std::size_t c = 0; c < line.size(); ++c)
      out += c + 1 == line.size() ? line[c] : fmt::format("{:<{}}  ", line[c], widths[c]);
    out += '\n';
  }
  return out;
}

int exit_code(const Error& error) {
  if (error.type == kIncompatible) return 7;
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

int report(const Error& error) {
  fmt::print(stderr, "hector: {}\n", error.text());
  return exit_code(error);
}

std::string format_rows(const std::vector<OutputRow>& rows, const std::string& format) {
  std::string out;
  if (format == "name") {
    for (const auto& row : rows) out += row.name + "\n";
    return out;
  }
  if (format == "json" || format == "jsonl") {
    out = "[";
    for (const auto& row : rows) {
      out += (out.size() > 1 ? ",\n " : "") + fmt::format("{{\"name\": {}", json_quoted(row.name));
      for (const auto& [key, value] : row.fields)
        out += fmt::format(", {}: {}", json_quoted(key), json_quoted(value));
      out += "}";
    }
    return out + "]\n";
  }
  if (format == "yaml") {
    for (const auto& row : rows) {
      out += "- name: " + json_quoted(row.name) + "\n";
      for (const auto& [key, value] : row.fields)
        out += fmt::format("  {}: {}\n", json_quoted(key), json_quoted(value));
    }
    return out.empty() ? "[]\n" : out;
  }
  return table(rows);
}

}  // namespace hector
