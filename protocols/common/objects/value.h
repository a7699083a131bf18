// What: Value, a value without a declared type, as CBOR and JSON have it.
// Why: HEROS, Hermes and ROC carry values; Hector's Objects take messages. This is what both are
// translated to and from.
// Who: heros, zeromq and the embedded capsule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hector::objects {

struct Value {
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kInteger,
    kReal,
    kText,
    kOctets,
    kList,
    kMap,
    kTagged
  };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::int64_t integer = 0;
  std::uint64_t tag = 0;
  double real = 0;
  std::string text;          ///< also octets
  std::vector<Value> items;  ///< a list's; a map's keys and values alternately; the tagged value

  static Value null() { return {}; }
  static Value of(bool value);
  static Value of(std::int64_t value);
  static Value of(int value) { return of(std::int64_t{value}); }
  static Value of(double value);
  static Value of(std::string_view text);
  static Value of(const char* text) { return of(std::string_view(text)); }
  /// A tagged one if it does not fit `integer`.
  static Value of_unsigned(std::uint64_t value);
  static Value octets(std::string_view octets);
  static Value list(std::vector<Value> items = {});
  static Value map() { return with_kind(Kind::kMap); }
  static Value tagged(std::uint64_t tag, Value value);

  [[nodiscard]] bool is(Kind asked) const noexcept { return kind == asked; }
  [[nodiscard]] bool is_null() const noexcept { return kind == Kind::kNull; }
  /// The value of a map's text key; null if there is none, or this is no map.
  [[nodiscard]] const Value* find(std::string_view key) const noexcept;
  Value& put(std::string_view key, Value value);
  /// The items of a list, or of a list tagged as a set (258); none if this is neither.
  [[nodiscard]] const std::vector<Value>& elements() const noexcept;
  friend bool operator==(const Value&, const Value&);
  /// For logs and errors: cut at about 200 characters.
  [[nodiscard]] std::string print() const;

 private:
  static Value with_kind(Kind kind) {
    Value made;
    made.kind = kind;
    return made;
  }
};

bool is_utf8(std::string_view text) noexcept;

/// CBOR's tag of a set; JSON's values have none.
inline constexpr std::uint64_t kSetTag = 258;
/// CBOR's tags (RFC 8949, 3.4.3) of an integer that does not fit 64 bits with a sign: octets,
/// highest first, of n or of -1 - n. JSON's large integers are the same value.
inline constexpr std::uint64_t kPositiveBignum = 2, kNegativeBignum = 3;
/// Whether it is such an integer.
[[nodiscard]] bool is_bignum(const Value& value) noexcept;
/// Its nearest real.
[[nodiscard]] double real_of_bignum(const Value& value) noexcept;
/// Nothing if it is negative or does not fit.
[[nodiscard]] std::optional<std::uint64_t> unsigned_of_bignum(const Value& value) noexcept;

}  // namespace hector::objects
