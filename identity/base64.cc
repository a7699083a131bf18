#include "identity/base64.h"

namespace hector::identity {

namespace {

int digit_of(char c, Base64 form) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == (form == Base64::kUrl ? '-' : '+')) return 62;
  if (c == (form == Base64::kUrl ? '_' : '/')) return 63;
  return -1;
}

/// Without its padding; nothing where that is wrong.
std::optional<std::string_view> unpadded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::string> read_base64(std::string_view text, Base64 form) {
  if (form == Base64::kPadded) {
    const auto digits = unpadded(text);
    if (!digits) return std::nullopt;
    text = *digits;
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string octets;
  octets.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = digit_of(c, form);
    if (digit < 0) return std::nullopt;
    bits = (bits << 6U | static_cast<unsigned>(digit)) & 0xffffU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    octets += static_cast<char>(bits >> count & 0xffU);
  }
  const bool has_unused_bits = (bits & ((1U << count) - 1U)) != 0;
  if (form == Base64::kUrl && has_unused_bits) return std::nullopt;
  return octets;
}

std::string write_base64url(std::string_view octets) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  text.reserve(octets.size() * 4 / 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : octets) {
    bits = (bits << 8U | static_cast<unsigned char>(c)) & 0xffffU;
    for (count += 8; count >= 6; count -= 6) text += kDigits[bits >> (count - 6U) & 0x3fU];
  }
  if (count > 0) text += kDigits[bits << (6U - count) & 0x3fU];
  return text;
}

}  // namespace hector::identity
