// What: Value, what expressions are about: a boolean, a number, a text, octets, or a list of those,
// or nothing.
// Why: sixteen octets that own nothing, so that evaluating copies and allocates nothing.
// Who: the expression engine; services that keep properties.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hector::expression {

enum class Kind : std::uint8_t { kUndefined, kBoolean, kInteger, kReal, kText, kOctets, kList };
std::string_view kind_name(Kind kind) noexcept;

/// Texts, octets and items belong to whoever made the value, and outlive it.
struct Value {
  Kind kind = Kind::kUndefined;
  std::uint32_t size = 0;  ///< of kText, kOctets, kList
  union {
    bool boolean;
    std::int64_t integer = 0;
    double real;
    const char* octets;
    const Value* items;
  };
  static Value of(bool value) noexcept {
    Value made;
    made.kind = Kind::kBoolean;
    made.boolean = value;
    return made;
  }
  static Value of(std::int64_t value) noexcept {
    Value made;
    made.kind = Kind::kInteger;
    made.integer = value;
    return made;
  }
  static Value of(double value) noexcept {
    Value made;
    made.kind = Kind::kReal;
    made.real = value;
    return made;
  }
  static Value of(std::string_view text, Kind kind = Kind::kText) noexcept {
    Value made;
    made.kind = kind;
    made.size = static_cast<std::uint32_t>(text.size());
    made.octets = text.data();
    return made;
  }
  static Value of(const Value* items, std::size_t count) noexcept {
    Value made;
    made.kind = Kind::kList;
    made.size = static_cast<std::uint32_t>(count);
    made.items = items;
    return made;
  }
  [[nodiscard]] bool is_defined() const noexcept { return kind != Kind::kUndefined; }
  [[nodiscard]] bool is_true() const noexcept { return kind == Kind::kBoolean && boolean; }
  [[nodiscard]] bool is_number() const noexcept {
    return kind == Kind::kInteger || kind == Kind::kReal;
  }
  [[nodiscard]] double number() const noexcept {
    return kind == Kind::kInteger ? static_cast<double>(integer) : real;
  }
  [[nodiscard]] std::string_view text() const noexcept { return {octets, size}; }
};

/// Below 0, 0, above 0, or kIncomparable: of different kinds (numbers are one), lists, and a NaN.
inline constexpr int kIncomparable = 2;
int compare(const Value& left, const Value& right) noexcept;
/// A total order over all values, for indexes: by kind (numbers are one), then by value; a NaN is
/// above all numbers.
bool sorts_before(const Value& left, const Value& right) noexcept;
/// For messages: 'text', 12, TRUE, [a, b].
std::string print(const Value& value);

}  // namespace hector::expression
