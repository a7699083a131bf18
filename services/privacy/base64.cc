#include "base64.h"

#include <algorithm>

#include "secret.h"

namespace hector::privacy {

namespace {

int variant_of(Padding padding) {
  return padding == Padding::kWith ? sodium_base64_VARIANT_ORIGINAL
                                   : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
}

}  // namespace

std::string base64_encode(std::string_view octets_in, Padding padding) {
  std::string text(sodium_base64_encoded_len(octets_in.size(), variant_of(padding)), '\0');
  sodium_bin2base64(text.data(), text.size(), octets(octets_in), octets_in.size(),
                    variant_of(padding));
  text.pop_back();  // the end that C wants
  return text;
}

std::optional<std::string> base64_decode(std::string_view text, Padding padding) {
  // libsodium 1.0.18 takes some octets above 127 for '/'.
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (!std::all_of(text.begin(), text.end(), is_ascii)) return std::nullopt;
  std::string out(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  if (sodium_base642bin(octets(out), out.size(), text.data(), text.size(), nullptr, &size, nullptr,
                        variant_of(padding)) != 0)
    return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace hector::privacy
