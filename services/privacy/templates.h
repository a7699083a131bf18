// What: the key templates by name, with the length of their keys.
// Why: a keyset has one template, and what may be done with it follows from it.
// Who: keysets, the step reader.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hector::privacy {

enum class TemplateId : std::uint8_t {
  kAes256Gcm,
  kXChaCha20,
  kAesSivDet,
  kStream64K,
  kHpkeX25519,
  kEd25519,
  kHmac,
};

struct KeyTemplate {
  TemplateId id;
  std::string_view name;
  std::size_t key_octets;
  bool signs;  ///< it signs; the others encrypt
};

inline constexpr std::array<KeyTemplate, 7> kTemplates{{
    {TemplateId::kAes256Gcm, "AES256_GCM", 32, false},
    {TemplateId::kXChaCha20, "XCHACHA20", 32, false},
    {TemplateId::kAesSivDet, "AES_SIV_DET", 64, false},
    {TemplateId::kStream64K, "STREAM_64K", 32, false},
    {TemplateId::kHpkeX25519, "HPKE_X25519", 32, false},
    {TemplateId::kEd25519, "ED25519", 32, true},
    {TemplateId::kHmac, "HMAC", 32, true},
}};

inline const KeyTemplate* find_template(std::string_view name) {
  for (const auto& each : kTemplates) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

/// Messages under one key before the next version is made, whatever the keyset says: with a random
/// nonce of 96 bits, 2^32 of them keep the chance that two are the same below 2^-32.
inline constexpr std::uint64_t kMessagesMax = std::uint64_t{1} << 32;

}  // namespace hector::privacy
