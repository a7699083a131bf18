#include "aes_gcm.h"

#include "hector/check.h"
#include "secret.h"

namespace hector::privacy {

namespace {

constexpr const char* kBroken = "OpenSSL cannot do AES-256-GCM";

int length(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

AesGcm::AesGcm() : cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)) {
  HECTOR_CHECK(cipher_ != nullptr, kBroken);
}

void AesGcm::seal(const Use& use, std::string_view text, std::string& out) const {
  const EvpContext context(EVP_CIPHER_CTX_new());
  const std::size_t at = out.size();
  out.resize(at + text.size() + kTag);
  int done = 0;
  bool is_done = context && EVP_EncryptInit_ex2(context.get(), cipher_.get(), octets(use.key),
                                                octets(use.nonce), nullptr) == 1;
  if (is_done && !use.aad.empty())
    is_done =
        EVP_EncryptUpdate(context.get(), nullptr, &done, octets(use.aad), length(use.aad)) == 1;
  if (is_done && !text.empty())
    is_done =
        EVP_EncryptUpdate(context.get(), octets(out) + at, &done, octets(text), length(text)) == 1;
  unsigned char* const tag = octets(out) + at + text.size();
  is_done = is_done && EVP_EncryptFinal_ex(context.get(), tag, &done) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, tag) == 1;
  HECTOR_CHECK(is_done, kBroken);
}

std::optional<std::string> AesGcm::open(const Use& use, std::string_view sealed) const {
  if (sealed.size() < kTag) return std::nullopt;
  const std::string_view body = sealed.substr(0, sealed.size() - kTag);
  std::string tag(sealed.substr(body.size()));
  const EvpContext context(EVP_CIPHER_CTX_new());
  std::string text(body.size(), '\0');
  int done = 0;
  bool is_done = context && EVP_DecryptInit_ex2(context.get(), cipher_.get(), octets(use.key),
                                                octets(use.nonce), nullptr) == 1;
  if (is_done && !use.aad.empty())
    is_done =
        EVP_DecryptUpdate(context.get(), nullptr, &done, octets(use.aad), length(use.aad)) == 1;
  if (is_done && !body.empty())
    is_done =
        EVP_DecryptUpdate(context.get(), octets(text), &done, octets(body), length(body)) == 1;
  is_done =
      is_done && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) == 1;
  HECTOR_CHECK(is_done, kBroken);
  unsigned char rest[kTag];
  if (EVP_DecryptFinal_ex(context.get(), rest, &done) != 1) {
    sodium_memzero(text.data(), text.size());  // it was not authenticated
    return std::nullopt;
  }
  return text;
}

}  // namespace hector::privacy
