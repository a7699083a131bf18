#include "audit/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "audit/utf8.h"
#include "hector/check.h"
#include "hector/sha256.h"

namespace hector::audit {

namespace {

constexpr std::array<std::string_view, 4> kOutcomes{"begun", "done", "refused", "failed"};
/// What RFC 8785 writes in short: \b \t \n \f \r, \" and \\.
constexpr std::string_view kShort = "\b\t\n\f\r\"\\";
constexpr std::string_view kShortLetters = "btnfr\"\\";
constexpr std::string_view kDigits = "0123456789abcdef";

void write_text(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (const auto found = kShort.find(c); found != std::string_view::npos) {
      out += '\\';
      out += kShortLetters[found];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4U];
      out += kDigits[static_cast<unsigned char>(c) & 0xfU];
    } else {
      out += c;
    }
  }
  out += '"';
}

void write_member(std::string_view name, std::string_view text, std::string& out) {
  out += name;
  write_text(text, out);
}

/// Members stand in the order of their names; `hash` comes between these two.
std::string before_hash(const Record& record) {
  std::string out;
  write_member(R"({"action":)", record.event.action, out);
  return out;
}
std::string after_hash(const Record& record) {
  const Event& event = record.event;
  std::string out;
  write_member(R"(,"kind":)", event.kind, out);
  write_member(R"(,"object":)", event.object, out);
  write_member(R"(,"outcome":)", outcome_name(event.outcome), out);
  write_member(R"(,"prev":)", record.prev, out);
  write_member(R"(,"principal":)", event.principal, out);
  out += R"(,"reasons":[)";
  for (const auto& each : event.reasons) write_member(out.back() == '[' ? "" : ",", each, out);
  out += fmt::format(R"(],"seq":{})", record.sequence);
  write_member(R"(,"time":)", record.time, out);
  return out + "}";
}

/// Cut between characters, with the number of octets that it had.
std::string fitted_text(std::string_view octets) {
  std::string text = as_utf8(octets.substr(0, kTextOctetsMax));
  if (octets.size() <= kTextOctetsMax && text.size() <= kTextOctetsMax) return text;
  const std::string mark = fmt::format("... [cut: {} octets]", octets.size());
  std::size_t end = kTextOctetsMax - mark.size();
  while ((static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return text.substr(0, end) + mark;
}

/// Reads canonical JSON off the front of a line. After the first failure it stays failed.
class Cursor {
 public:
  explicit Cursor(std::string_view line) : rest_(line) {}

  bool skip(std::string_view literal) {
    if (!is_good_ || !rest_.starts_with(literal)) return fail();
    rest_.remove_prefix(literal.size());
    return true;
  }
  [[nodiscard]] bool is_next(char c) const { return is_good_ && rest_.starts_with(c); }
  std::string text() {
    std::string out;
    if (!skip("\"")) return out;
    while (!is_next('"')) {
      if (!character(out)) return out;
    }
    skip("\"");
    return out;
  }
  std::string member(std::string_view name) {
    skip(name);
    return text();
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    const auto digits = static_cast<std::size_t>(end - rest_.data());
    if (error != std::errc() || rest_.starts_with('0') || value > kSequenceMax) is_good_ = false;
    rest_.remove_prefix(digits);
    return value;
  }
  void refuse() { is_good_ = false; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  [[nodiscard]] bool is_good() const { return is_good_; }

 private:
  bool fail() {
    is_good_ = false;
    return false;
  }
  bool character(std::string& out) {
    if (rest_.starts_with('\\')) return escaped(out);
    const std::size_t length = character_octets(rest_);
    if (length == 0 || static_cast<unsigned char>(rest_[0]) < 0x20) return fail();
    out += rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }
  bool escaped(std::string& out) {
    if (rest_.size() < 2) return fail();
    if (const auto found = kShortLetters.find(rest_[1]); found != std::string_view::npos) {
      out += kShort[found];
      rest_.remove_prefix(2);
      return true;
    }
    if (rest_.size() < 6 || !rest_.starts_with("\\u00")) return fail();
    const auto high = kDigits.find(rest_[4]), low = kDigits.find(rest_[5]);
    if (high > 1 || low == std::string_view::npos) return fail();
    const char c = static_cast<char>(high << 4U | low);
    if (kShort.find(c) != std::string_view::npos) return fail();  // it is written in short
    out += c;
    rest_.remove_prefix(6);
    return true;
  }
  std::string_view rest_;
  bool is_good_ = true;
};

bool is_time(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(), [](char c, char form) {
    return form == 'd' ? c >= '0' && c <= '9' : c == form;
  });
}

void read_reasons(Cursor& cursor, std::vector<std::string>& reasons) {
  cursor.skip(R"(,"reasons":[)");
  while (cursor.is_good() && !cursor.is_next(']')) {
    if (!reasons.empty()) cursor.skip(",");
    reasons.push_back(cursor.text());
  }
  cursor.skip("]");
}

bool is_fitted(const Event& event) {
  const auto fits = [](const std::string& text) { return text.size() <= kTextOctetsMax; };
  return fits(event.kind) && fits(event.principal) && fits(event.action) && fits(event.object) &&
         event.reasons.size() <= kReasonsMax &&
         std::all_of(event.reasons.begin(), event.reasons.end(), fits);
}

/// What follows `hash`.
void read_rest(Cursor& cursor, Record& record) {
  Event& event = record.event;
  event.kind = cursor.member(R"(,"kind":)");
  event.object = cursor.member(R"(,"object":)");
  const auto outcome = outcome_of(cursor.member(R"(,"outcome":)"));
  record.prev = cursor.member(R"(,"prev":)");
  event.principal = cursor.member(R"(,"principal":)");
  read_reasons(cursor, event.reasons);
  cursor.skip(R"(,"seq":)");
  record.sequence = cursor.number();
  record.time = cursor.member(R"(,"time":)");
  cursor.skip("}");
  if (!outcome || !is_hash(record.prev) || !is_time(record.time) || !is_fitted(event))
    return cursor.refuse();
  event.outcome = *outcome;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

std::optional<Outcome> outcome_of(std::string_view name) noexcept {
  const auto* const found = std::find(kOutcomes.begin(), kOutcomes.end(), name);
  if (found == kOutcomes.end()) return std::nullopt;
  return static_cast<Outcome>(found - kOutcomes.begin());
}

std::string no_hash() { return std::string(kHashDigits, '0'); }

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && text.find_first_not_of(kDigits) == std::string_view::npos;
}

Event fitted(const Event& event) {
  Event made{fitted_text(event.kind), fitted_text(event.principal), fitted_text(event.action),
             fitted_text(event.object), event.outcome};
  const std::size_t kept =
      event.reasons.size() <= kReasonsMax ? event.reasons.size() : kReasonsMax - 1;
  for (std::size_t i = 0; i < kept; ++i) made.reasons.push_back(fitted_text(event.reasons[i]));
  if (kept < event.reasons.size())
    made.reasons.push_back(fmt::format("... and {} more", event.reasons.size() - kept));
  return made;
}

std::string write_record(Record& record) {
  HECTOR_CHECK(is_fitted(record.event) && record.sequence >= 1 && record.sequence <= kSequenceMax,
               "a record is written that cannot be read");
  const std::string before = before_hash(record), after = after_hash(record);
  record.hash = sha256_hex(before + after);
  std::string line = before + fmt::format(R"(,"hash":"{}")", record.hash) + after;
  HECTOR_CHECK(line.size() <= kLineOctetsMax, "a line is longer than its limit");
  return line;
}

std::optional<ReadRecord> read_record(std::string_view line) {
  if (line.size() > kLineOctetsMax) return std::nullopt;
  ReadRecord read;
  Cursor cursor(line);
  read.record.event.action = cursor.member(R"({"action":)");
  const std::string_view before = line.substr(0, line.size() - cursor.left());
  read.record.hash = cursor.member(R"(,"hash":)");
  const std::string_view after = line.substr(line.size() - cursor.left());
  read_rest(cursor, read.record);
  if (!cursor.is_good() || cursor.left() != 0 || !is_hash(read.record.hash)) return std::nullopt;
  read.is_hash_right = sha256_hex(std::string(before).append(after)) == read.record.hash;
  return read;
}

}  // namespace hector::audit
