// What: AES-SIV with two keys of 32 octets (RFC 5297), by OpenSSL: iv ‖ text.
// Why: the same text gives the same ciphertext, so that an index can find it; nothing else does.
// Who: cipher.cc.
#pragma once

#include <openssl/evp.h>

#include <cstdint>

#include "aes_gcm.h"

namespace hector::privacy {

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

/// Any thread.
class AesSiv {
 public:
  static constexpr std::size_t kIv = 16;
  /// The published vectors are of AES-128 with half the key.
  enum class Size : std::uint8_t { k256, k128 };
  explicit AesSiv(Size size = Size::k256);
  /// Empty associated data is none: no string takes part.
  [[nodiscard]] std::string seal(std::string_view key, std::string_view text,
                                 std::string_view aad) const;
  [[nodiscard]] std::optional<std::string> open(std::string_view key, std::string_view body,
                                                std::string_view aad) const;

 private:
  /// OpenSSL 3.0 makes no iv of an empty text; this is S2V (RFC 5297, 2.4) of it.
  [[nodiscard]] std::string iv_of_empty(std::string_view key, std::string_view aad) const;
  [[nodiscard]] std::string cmac(std::string_view key, std::string_view text) const;
  Size size_;
  EvpCipher cipher_;
  std::unique_ptr<EVP_MAC, FreeMac> cmac_;
};

}  // namespace hector::privacy
