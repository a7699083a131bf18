#include "audit/utf8.h"

namespace hector::audit {

namespace {

unsigned char at(std::string_view text, std::size_t place) {
  return place < text.size() ? static_cast<unsigned char>(text[place]) : 0;
}

bool is_between(unsigned char octet, unsigned char least, unsigned char most) {
  return octet >= least && octet <= most;
}

bool follows(std::string_view text, std::size_t place) {
  return is_between(at(text, place), 0x80, 0xbf);
}

/// What the second octet may be after a first one, in RFC 3629's table.
bool is_second(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xe0:
      return is_between(second, 0xa0, 0xbf);
    case 0xed:
      return is_between(second, 0x80, 0x9f);
    case 0xf0:
      return is_between(second, 0x90, 0xbf);
    case 0xf4:
      return is_between(second, 0x80, 0x8f);
    default:
      return is_between(second, 0x80, 0xbf);
  }
}

}  // namespace

std::size_t character_octets(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const unsigned char first = at(text, 0);
  if (first < 0x80) return 1;
  if (!is_between(first, 0xc2, 0xf4) || !is_second(first, at(text, 1))) return 0;
  if (first < 0xe0) return 2;
  if (!follows(text, 2)) return 0;
  if (first < 0xf0) return 3;
  return follows(text, 3) ? 4 : 0;
}

std::string as_utf8(std::string_view octets) {
  std::string text;
  text.reserve(octets.size());
  while (!octets.empty()) {
    const std::size_t length = character_octets(octets);
    if (length == 0)
      text += "\xef\xbf\xbd";
    else
      text += octets.substr(0, length);
    octets.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

}  // namespace hector::audit
