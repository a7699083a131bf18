#include "objects/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "hector/check.h"

namespace hector::objects {

Value Value::of(bool value) {
  Value made = with_kind(Kind::kBoolean);
  made.boolean = value;
  return made;
}
Value Value::of(std::int64_t value) {
  Value made = with_kind(Kind::kInteger);
  made.integer = value;
  return made;
}
Value Value::of(double value) {
  Value made = with_kind(Kind::kReal);
  made.real = value;
  return made;
}
Value Value::of(std::string_view text) {
  Value made = with_kind(Kind::kText);
  made.text = text;
  return made;
}
Value Value::octets(std::string_view octets) {
  Value made = with_kind(Kind::kOctets);
  made.text = octets;
  return made;
}
Value Value::list(std::vector<Value> items) {
  Value made = with_kind(Kind::kList);
  made.items = std::move(items);
  return made;
}
Value Value::tagged(std::uint64_t tag, Value value) {
  Value made = with_kind(Kind::kTagged);
  made.tag = tag;
  made.items.push_back(std::move(value));
  return made;
}

Value Value::of_unsigned(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return of(static_cast<std::int64_t>(value));
  std::string octets;
  for (int shift = 56; shift >= 0; shift -= 8) octets.push_back(static_cast<char>(value >> shift));
  return tagged(kPositiveBignum, Value::octets(octets));
}

bool is_bignum(const Value& value) noexcept {
  return value.kind == Value::Kind::kTagged &&
         (value.tag == kPositiveBignum || value.tag == kNegativeBignum) &&
         value.items.size() == 1 && value.items[0].kind == Value::Kind::kOctets;
}
double real_of_bignum(const Value& value) noexcept {
  HECTOR_CHECK(is_bignum(value), "a value is read as a large integer that is none");
  double real = 0;
  for (const char octet : value.items[0].text)
    real = real * 256 + static_cast<double>(static_cast<unsigned char>(octet));
  return value.tag == kNegativeBignum ? -1 - real : real;
}
std::optional<std::uint64_t> unsigned_of_bignum(const Value& value) noexcept {
  HECTOR_CHECK(is_bignum(value), "a value is read as a large integer that is none");
  const std::string_view octets = value.items[0].text;
  const std::string_view digits =
      octets.substr(std::min(octets.find_first_not_of('\0'), octets.size()));
  if (value.tag == kNegativeBignum || digits.size() > sizeof(std::uint64_t)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char octet : digits) number = number << 8 | static_cast<unsigned char>(octet);
  return number;
}

const Value* Value::find(std::string_view key) const noexcept {
  if (kind != Kind::kMap) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind == Kind::kText && items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}
Value& Value::put(std::string_view key, Value value) {
  HECTOR_CHECK(kind == Kind::kMap, "a key is put into what is no map");
  items.push_back(of(key));
  return items.emplace_back(std::move(value));
}
const std::vector<Value>& Value::elements() const noexcept {
  static const std::vector<Value> none;
  if (kind == Kind::kTagged && tag == kSetTag && items.size() == 1) return items[0].elements();
  return kind == Kind::kList ? items : none;
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBoolean:
      return a.boolean == b.boolean;
    case Value::Kind::kInteger:
      return a.integer == b.integer;
    case Value::Kind::kReal:
      return a.real == b.real || (a.real != a.real && b.real != b.real);
    case Value::Kind::kText:
    case Value::Kind::kOctets:
      return a.text == b.text;
    case Value::Kind::kTagged:
      return a.tag == b.tag && a.items == b.items;
    default:
      return a.items == b.items;
  }
}

namespace {

void print_to(const Value& value, std::string& out) {
  constexpr std::size_t kPrintedMax = 200;  // characters: a line or two of a log
  if (out.size() > kPrintedMax) return;
  switch (value.kind) {
    case Value::Kind::kNull:
      out += "null";
      return;
    case Value::Kind::kBoolean:
      out += value.boolean ? "true" : "false";
      return;
    case Value::Kind::kInteger:
      out += std::to_string(value.integer);
      return;
    case Value::Kind::kReal:
      out += fmt::format("{}", value.real);
      return;
    case Value::Kind::kText:
      out += fmt::format("'{}'", value.text.substr(0, kPrintedMax));
      return;
    case Value::Kind::kOctets:
      out += fmt::format("{} octets", value.text.size());
      return;
    case Value::Kind::kTagged:
      out += fmt::format("{}(", value.tag);
      break;
    case Value::Kind::kList:
      out += '[';
      break;
    case Value::Kind::kMap:
      out += '{';
      break;
  }
  for (std::size_t i = 0; i < value.items.size() && out.size() < kPrintedMax; ++i) {
    if (i > 0) out += value.kind == Value::Kind::kMap && i % 2 == 1 ? ": " : ", ";
    print_to(value.items[i], out);
  }
  out += value.kind == Value::Kind::kTagged ? ')' : value.kind == Value::Kind::kList ? ']' : '}';
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t more = lead < 0x80                   ? 0
                             : lead >= 0xC2 && lead < 0xE0 ? 1
                             : lead >= 0xE0 && lead < 0xF0 ? 2
                             : lead >= 0xF0 && lead < 0xF5 ? 3
                                                           : SIZE_MAX;
    if (more > text.size() - i - 1) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    const auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
      return false;
    i += more + 1;
  }
  return true;
}

std::string Value::print() const {
  std::string out;
  print_to(*this, out);
  return out;
}

}  // namespace hector::objects
