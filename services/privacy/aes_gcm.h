// What: AES-256-GCM with a nonce of 12 octets and a tag of 16, by OpenSSL.
// Why: AES256_GCM and HPKE_X25519 end in it, each with a nonce of its own making.
// Who: cipher.cc.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hector::privacy {

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using EvpCipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;
using EvpContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

/// Any thread: a context lives as long as one operation, and is wiped with it.
class AesGcm {
 public:
  static constexpr std::size_t kNonce = 12, kTag = 16;
  struct Use {
    std::string_view key;  ///< 32 octets
    std::string_view nonce;
    std::string_view aad;
  };
  AesGcm();
  /// Appends text and tag.
  void seal(const Use& use, std::string_view text, std::string& out) const;
  /// None where the tag is another one.
  [[nodiscard]] std::optional<std::string> open(const Use& use, std::string_view sealed) const;

 private:
  EvpCipher cipher_;
};

}  // namespace hector::privacy
