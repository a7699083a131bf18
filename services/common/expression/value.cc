#include "expression/value.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "hector/check.h"

namespace hector::expression {

std::string_view kind_name(Kind kind) noexcept {
  constexpr std::string_view kNames[] = {"undefined", "boolean", "integer", "real",
                                         "text",      "octets",  "list"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Kind::kList) + 1);
  return kNames[static_cast<int>(kind)];
}

namespace {

int sign(auto left, auto right) { return left < right ? -1 : left > right ? 1 : 0; }

/// Exact: a 64-bit integer has more digits than a double.
int compare_numbers(const Value& left, const Value& right) noexcept {
  if (left.kind == Kind::kInteger && right.kind == Kind::kInteger)
    return sign(left.integer, right.integer);
  const auto widest = [](const Value& value) {
    return value.kind == Kind::kInteger ? static_cast<long double>(value.integer)
                                        : static_cast<long double>(value.real);
  };
  const long double l = widest(left), r = widest(right);
  return std::isnan(l) || std::isnan(r) ? kIncomparable : sign(l, r);
}

int class_of(const Value& value) noexcept {
  return value.kind == Kind::kReal ? static_cast<int>(Kind::kInteger)
                                   : static_cast<int>(value.kind);
}

}  // namespace

int compare(const Value& left, const Value& right) noexcept {
  if (left.is_number() && right.is_number()) return compare_numbers(left, right);
  if (left.kind != right.kind) return kIncomparable;
  switch (left.kind) {
    case Kind::kBoolean:
      return sign(left.boolean, right.boolean);
    case Kind::kText:
    case Kind::kOctets:
      return sign(left.text().compare(right.text()), 0);
    default:
      return kIncomparable;
  }
}

bool sorts_before(const Value& left, const Value& right) noexcept {
  if (class_of(left) != class_of(right)) return class_of(left) < class_of(right);
  const int order = compare(left, right);
  if (order != kIncomparable) return order < 0;
  if (left.is_number()) return !std::isnan(left.number()) && std::isnan(right.number());
  for (std::uint32_t i = 0; i < std::min(left.size, right.size) && left.kind == Kind::kList; ++i) {
    if (sorts_before(left.items[i], right.items[i])) return true;
    if (sorts_before(right.items[i], left.items[i])) return false;
  }
  return left.kind == Kind::kList && left.size < right.size;
}

std::string print(const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
      return "nothing";
    case Kind::kBoolean:
      return value.boolean ? "TRUE" : "FALSE";
    case Kind::kInteger:
      return std::to_string(value.integer);
    case Kind::kReal:
      return fmt::format("{}", value.real);
    case Kind::kText:
      return fmt::format("'{}'", value.text());
    case Kind::kOctets:
      return fmt::format("{} octets", value.size);
    case Kind::kList:
      break;
  }
  std::string out = "[";
  for (std::uint32_t i = 0; i < value.size; ++i)
    out += (i == 0 ? "" : ", ") + print(value.items[i]);
  return out + "]";
}

}  // namespace hector::expression
