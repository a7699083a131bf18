#include "state/signature.h"

#include <openssl/evp.h>

#include "hector/sha256.h"

namespace hector::state {

std::string from_base64(const std::string& text) {
  std::string out(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  while (text.ends_with('=') && out.size() > 32) out.pop_back();
  return out;
}

bool is_signed_by(const std::string& key, std::string_view text, std::string_view signature) {
  EVP_PKEY* const public_key = EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(key.data()), key.size());
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  const bool is_good =
      public_key != nullptr &&
      EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, public_key) == 1 &&
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(public_key);
  return is_good;
}

std::string digest_of(std::string_view content) { return sha256_hex(content); }

}  // namespace hector::state
