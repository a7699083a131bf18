#include "age_armor.h"

#include "base64.h"
#include "refusals.h"

namespace hector::privacy {

namespace {

constexpr std::size_t kColumns = 64;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

Status ArmorReader::add(std::string_view text, std::string& out) {
  while (!text.empty()) {
    if (part_ == Part::kAfter) return take_space(text);
    if (part_ == Part::kBefore && line_.empty() && is_space(text.front())) {
      HECTOR_TRY(take_space(text.substr(0, 1)));
      text.remove_prefix(1);
      continue;
    }
    const auto end = text.find('\n');
    line_ += text.substr(0, end);
    if (line_.size() > kColumns + 1) return refuse_malformed("a line of the armor is too long");
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    HECTOR_TRY(take_line(line_, out));
    line_.clear();
  }
  return {};
}

Status ArmorReader::finish(std::string& out) {
  // The last line's end may be missing.
  if (part_ != Part::kAfter && !line_.empty()) HECTOR_TRY(take_line(line_, out));
  if (part_ != Part::kAfter) return refuse_malformed("the armor has no end");
  return {};
}

Status ArmorReader::take_line(std::string_view line, std::string& out) {
  if (part_ == Part::kBefore) {
    if (line != kArmorBegin) return refuse_malformed("the armor begins with another line");
    part_ = Part::kBody;
    spaces_ = 0;
    return {};
  }
  if (line == kArmorEnd) {
    part_ = Part::kAfter;
    return {};
  }
  if (part_ == Part::kAfterShortLine)
    return refuse_malformed("only the last line of an armor is short");
  return take_body(line, out);
}

Status ArmorReader::take_body(std::string_view line, std::string& out) {
  if (line.empty() || line.size() > kColumns)
    return refuse_malformed("a line of the armor is empty or has over 64 characters");
  const auto octets = base64_decode(line, Padding::kWith);
  if (!octets) return refuse_malformed("a line of the armor is no base64");
  // A full line may end in padding, and is the last then too.
  if (line.size() < kColumns || line.ends_with('=')) part_ = Part::kAfterShortLine;
  out += *octets;
  return {};
}

Status ArmorReader::take_space(std::string_view text) {
  for (const char c : text) {
    if (!is_space(c)) return refuse_malformed("there is more than space around the armor");
  }
  spaces_ += text.size();
  if (spaces_ > kArmorSpaceMax) return refuse_malformed("there is too much space around the armor");
  return {};
}

std::string write_armor(std::string_view octets) {
  const std::string encoded = base64_encode(octets, Padding::kWith);
  std::string out = std::string(kArmorBegin) + "\n";
  for (std::size_t at = 0; at < encoded.size(); at += kColumns)
    out += encoded.substr(at, kColumns) + "\n";
  return out + std::string(kArmorEnd) + "\n";
}

}  // namespace hector::privacy
