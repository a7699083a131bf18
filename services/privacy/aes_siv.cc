#include "aes_siv.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "hector/check.h"
#include "secret.h"

namespace hector::privacy {

namespace {

constexpr const char* kBroken = "OpenSSL cannot do AES-256-SIV";
constexpr std::size_t kBlock = 16;

/// Multiplication by x in GF(2^128), big endian.
std::string doubled(const std::string& block) {
  std::string out(kBlock, '\0');
  unsigned carry = 0;
  for (std::size_t i = kBlock; i-- > 0;) {
    const unsigned octet = static_cast<unsigned char>(block[i]);
    out[i] = static_cast<char>(octet << 1U | carry);
    carry = octet >> 7U;
  }
  out[kBlock - 1] = static_cast<char>(out[kBlock - 1] ^ (carry != 0 ? 0x87 : 0));
  return out;
}

std::string exclusive_or(std::string a, const std::string& b) {
  for (std::size_t i = 0; i < kBlock; ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
  return a;
}

}  // namespace

AesSiv::AesSiv(Size size)
    : size_(size),
      cipher_(
          EVP_CIPHER_fetch(nullptr, size == Size::k256 ? "AES-256-SIV" : "AES-128-SIV", nullptr)),
      cmac_(EVP_MAC_fetch(nullptr, "CMAC", nullptr)) {
  HECTOR_CHECK(cipher_ != nullptr && cmac_ != nullptr, kBroken);
}

std::string AesSiv::cmac(std::string_view key, std::string_view text) const {
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_new(cmac_.get()));
  char cipher[] = "AES-256-CBC";
  if (size_ == Size::k128) cipher[4] = '1', cipher[5] = '2', cipher[6] = '8';
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
      OSSL_PARAM_construct_end()};
  std::string tag(kBlock, '\0');
  std::size_t size = 0;
  const bool is_done = context &&
                       EVP_MAC_init(context.get(), octets(key), key.size(), parameters) == 1 &&
                       EVP_MAC_update(context.get(), octets(text), text.size()) == 1 &&
                       EVP_MAC_final(context.get(), octets(tag), &size, tag.size()) == 1;
  HECTOR_CHECK(is_done, kBroken);
  return tag;
}

std::string AesSiv::iv_of_empty(std::string_view key, std::string_view aad) const {
  const std::string_view mac_key = key.substr(0, key.size() / 2);
  std::string d = cmac(mac_key, std::string(kBlock, '\0'));
  if (!aad.empty()) d = exclusive_or(doubled(d), cmac(mac_key, aad));
  std::string padded(kBlock, '\0');
  padded[0] = static_cast<char>(0x80);
  return cmac(mac_key, exclusive_or(doubled(d), padded));
}

std::string AesSiv::seal(std::string_view key, std::string_view text, std::string_view aad) const {
  if (text.empty()) return iv_of_empty(key, aad);
  const EvpContext context(EVP_CIPHER_CTX_new());
  std::string out(kIv + text.size(), '\0');
  int done = 0;
  bool is_done = context && EVP_EncryptInit_ex2(context.get(), cipher_.get(), octets(key), nullptr,
                                                nullptr) == 1;
  if (is_done && !aad.empty())
    is_done = EVP_EncryptUpdate(context.get(), nullptr, &done, octets(aad),
                                static_cast<int>(aad.size())) == 1;
  is_done = is_done &&
            EVP_EncryptUpdate(context.get(), octets(out) + kIv, &done, octets(text),
                              static_cast<int>(text.size())) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kIv, out.data()) == 1;
  HECTOR_CHECK(is_done, kBroken);
  return out;
}

std::optional<std::string> AesSiv::open(std::string_view key, std::string_view body,
                                        std::string_view aad) const {
  if (body.size() < kIv) return std::nullopt;
  std::string iv(body.substr(0, kIv));
  const std::string_view sealed = body.substr(kIv);
  if (sealed.empty()) {
    const std::string wanted = iv_of_empty(key, aad);
    return sodium_memcmp(wanted.data(), iv.data(), kIv) == 0 ? std::optional<std::string>("")
                                                             : std::nullopt;
  }
  const EvpContext context(EVP_CIPHER_CTX_new());
  std::string text(sealed.size(), '\0');
  int done = 0;
  bool is_done =
      context &&
      EVP_DecryptInit_ex2(context.get(), cipher_.get(), octets(key), nullptr, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kIv, iv.data()) == 1;
  if (is_done && !aad.empty())
    is_done = EVP_DecryptUpdate(context.get(), nullptr, &done, octets(aad),
                                static_cast<int>(aad.size())) == 1;
  HECTOR_CHECK(is_done, kBroken);
  if (EVP_DecryptUpdate(context.get(), octets(text), &done, octets(sealed),
                        static_cast<int>(sealed.size())) != 1) {
    sodium_memzero(text.data(), text.size());
    return std::nullopt;
  }
  return text;
}

}  // namespace hector::privacy
