#include "bech32.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace hector::privacy {

namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksum = 6;
using Groups = std::vector<std::uint8_t>;

std::uint32_t checksum_of(const Groups& values) {
  constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
  std::uint32_t sum = 1;
  for (const std::uint8_t value : values) {
    const std::uint32_t top = sum >> 25U;
    sum = (sum & 0x1ffffffU) << 5U ^ value;
    for (std::size_t i = 0; i < 5; ++i) sum ^= (top >> i & 1U) != 0 ? kGenerator[i] : 0;
  }
  return sum;
}

/// What the checksum is of, in front of the data.
Groups expanded(std::string_view name) {
  Groups out;
  for (const char c : name)
    out.push_back(static_cast<std::uint8_t>(static_cast<unsigned char>(c) >> 5U));
  out.push_back(0);
  for (const char c : name) out.push_back(static_cast<std::uint8_t>(c & 31));
  return out;
}

Groups groups_of(std::string_view octets) {
  Groups groups;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : octets) {
    bits = (bits << 8U | static_cast<unsigned char>(c)) & 0xfffU;
    for (count += 8; count >= 5; count -= 5)
      groups.push_back(static_cast<std::uint8_t>(bits >> (count - 5) & 31U));
  }
  if (count > 0) groups.push_back(static_cast<std::uint8_t>(bits << (5 - count) & 31U));
  return groups;
}

/// None: more padding than needed, or padding that is not zero.
std::optional<std::string> octets_of(const Groups& groups) {
  std::string octets;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t group : groups) {
    bits = (bits << 5U | group) & 0xfffU;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    octets += static_cast<char>(bits >> count & 0xffU);
  }
  if (count >= 5 || (bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return octets;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

/// None: both cases, or what is no visible character.
std::optional<std::string> lowered(std::string_view text) {
  const bool has_upper = std::any_of(text.begin(), text.end(), is_upper);
  if (has_upper && std::any_of(text.begin(), text.end(), is_lower)) return std::nullopt;
  std::string out(text);
  for (char& c : out) {
    if (c < '!' || c > '~') return std::nullopt;
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::string bech32_encode(std::string_view name, std::string_view octets) {
  Groups groups = groups_of(octets);
  Groups all = expanded(name);
  all.insert(all.end(), groups.begin(), groups.end());
  all.insert(all.end(), kChecksum, 0);
  const std::uint32_t sum = checksum_of(all) ^ 1U;
  for (std::size_t i = 0; i < kChecksum; ++i)
    groups.push_back(static_cast<std::uint8_t>(sum >> (5 * (kChecksum - 1 - i)) & 31U));
  std::string out(name);
  out += '1';
  for (const std::uint8_t group : groups) out += kAlphabet[group];
  return out;
}

std::optional<Bech32> bech32_decode(std::string_view text) {
  const auto lower = lowered(text);
  if (!lower) return std::nullopt;
  const auto one = lower->rfind('1');
  if (one == std::string::npos || one == 0 || lower->size() - one - 1 < kChecksum)
    return std::nullopt;
  Groups groups;
  for (const char c : std::string_view(*lower).substr(one + 1)) {
    const auto at = kAlphabet.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    groups.push_back(static_cast<std::uint8_t>(at));
  }
  Groups all = expanded(std::string_view(*lower).substr(0, one));
  all.insert(all.end(), groups.begin(), groups.end());
  if (checksum_of(all) != 1) return std::nullopt;
  groups.resize(groups.size() - kChecksum);
  auto octets = octets_of(groups);
  if (!octets) return std::nullopt;
  return Bech32{lower->substr(0, one), std::move(*octets)};
}

}  // namespace hector::privacy
