#include "age_header.h"

#include <algorithm>
#include <optional>

#include "base64.h"
#include "hkdf.h"
#include "refusals.h"

namespace hector::privacy {

namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kStanza = "-> ";
constexpr std::string_view kFooter = "---";
constexpr std::size_t kColumns = 64;

/// Takes a line, without its end; the header ends with one.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// None: an empty one, or one with what is no visible character.
std::optional<std::vector<std::string>> split_arguments(std::string_view line) {
  std::vector<std::string> arguments;
  for (;;) {
    const auto space = line.find(' ');
    const auto argument = line.substr(0, space);
    const bool is_visible =
        std::all_of(argument.begin(), argument.end(), [](char c) { return c >= '!' && c <= '~'; });
    if (argument.empty() || !is_visible) return std::nullopt;
    arguments.emplace_back(argument);
    if (space == std::string_view::npos) return arguments;
    line.remove_prefix(space + 1);
  }
}

/// Full lines, then a shorter one that may be empty.
Result<std::string> read_body(std::string_view& text) {
  std::string encoded;
  std::size_t width = kColumns;
  while (width == kColumns) {
    if (text.empty()) return refuse_malformed("a stanza of the header has no end");
    const auto line = next_line(text);
    width = line.size();
    if (width > kColumns) return refuse_malformed("a line of a stanza has over 64 characters");
    encoded += line;
  }
  auto body = base64_decode(encoded, Padding::kWithout);
  if (!body) return refuse_malformed("a stanza of the header is no base64");
  return std::move(*body);
}

}  // namespace

std::size_t find_header_end(std::string_view text, std::size_t from) {
  const auto footer = text.find("\n---", from);
  if (footer == std::string_view::npos) return 0;
  const auto end = text.find('\n', footer + 1);
  return end == std::string_view::npos ? 0 : end + 1;
}

Result<AgeHeader> read_header(std::string_view text) {
  if (text.empty() || text.back() != '\n') return refuse_malformed("the header has no end");
  if (next_line(text) != kVersionLine)
    return refuse_malformed("this is no age file of version 1: its first line is another one");
  AgeHeader header;
  while (text.starts_with(kStanza)) {
    auto arguments = split_arguments(next_line(text).substr(kStanza.size()));
    if (!arguments) return refuse_malformed("a stanza of the header has no arguments");
    auto body = HECTOR_TRY(read_body(text));
    header.stanzas.push_back({std::move(*arguments), std::move(body)});
  }
  if (header.stanzas.empty()) return refuse_malformed("the header has no stanza");
  const auto last = next_line(text);
  if (!last.starts_with("--- ") || !text.empty())
    return refuse_malformed("a line of the header is neither a stanza's nor the last");
  auto mac = base64_decode(last.substr(kFooter.size() + 1), Padding::kWithout);
  if (!mac || mac->size() != 32) return refuse_malformed("the header's MAC is not 32 octets");
  header.mac = std::move(*mac);
  return header;
}

std::string write_stanzas(const std::vector<Stanza>& stanzas) {
  std::string out = std::string(kVersionLine) + "\n";
  for (const auto& stanza : stanzas) {
    out += "->";
    for (const auto& argument : stanza.arguments) out += " " + argument;
    out += "\n";
    const std::string body = base64_encode(stanza.body, Padding::kWithout);
    for (std::size_t at = 0; at <= body.size(); at += kColumns)
      out += body.substr(at, kColumns) + "\n";
  }
  return out + std::string(kFooter);
}

std::string_view covered_by_mac(std::string_view header) {
  return header.substr(0, header.rfind("\n---") + 1 + kFooter.size());
}

Wiped<32> header_mac(std::string_view file_key, std::string_view covered) {
  const auto key = hkdf(file_key, {}, {"header"});
  return hmac_sha256(key.view(), {covered});
}

std::string write_mac_line(const Wiped<32>& mac) {
  return " " + base64_encode(mac.view(), Padding::kWithout) + "\n";
}

}  // namespace hector::privacy
