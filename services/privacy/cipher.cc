#include "cipher.h"

#include "aes_gcm.h"
#include "aes_siv.h"
#include "chunks.h"
#include "hector/check.h"
#include "hkdf.h"
#include "hpke.h"
#include "nonce_source.h"

namespace hector::privacy {

namespace {

class AesGcmCipher final : public Cipher {
 public:
  explicit AesGcmCipher(Secret key) : key_(std::move(key)) {}
  void protect(std::string_view text, std::string_view aad, std::string& out) const override {
    const auto nonce = nonces_.next();
    out.reserve(out.size() + nonce.size() + text.size() + AesGcm::kTag);
    out.append(nonce.begin(), nonce.end());
    aead_.seal({key_.view(), {nonce.data(), nonce.size()}, aad}, text, out);
  }
  std::optional<std::string> reveal(std::string_view body, std::string_view aad) const override {
    if (body.size() < AesGcm::kNonce) return std::nullopt;
    return aead_.open({key_.view(), body.substr(0, AesGcm::kNonce), aad},
                      body.substr(AesGcm::kNonce));
  }

 private:
  AesGcm aead_;
  Secret key_;
  mutable NonceSource nonces_;
};

class XChaChaCipher final : public Cipher {
 public:
  explicit XChaChaCipher(Secret key) : key_(std::move(key)) {}
  void protect(std::string_view text, std::string_view aad, std::string& out) const override {
    const std::size_t at = out.size();
    out.resize(at + kNonce + text.size() + kTag);
    unsigned char* const nonce = octets(out) + at;
    randombytes_buf(nonce, kNonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + kNonce, nullptr, octets(text), text.size(),
                                               octets(aad), aad.size(), nullptr, nonce,
                                               key_.data());
  }
  std::optional<std::string> reveal(std::string_view body, std::string_view aad) const override {
    if (body.size() < kNonce + kTag) return std::nullopt;
    std::string text(body.size() - kNonce - kTag, '\0');
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            octets(text), nullptr, nullptr, octets(body) + kNonce, body.size() - kNonce,
            octets(aad), aad.size(), octets(body), key_.data()) != 0)
      return std::nullopt;
    return text;
  }

 private:
  static constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
  static constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
  Secret key_;
};

class AesSivCipher final : public Cipher {
 public:
  explicit AesSivCipher(Secret key) : key_(std::move(key)) {}
  void protect(std::string_view text, std::string_view aad, std::string& out) const override {
    out += siv_.seal(key_.view(), text, aad);
  }
  std::optional<std::string> reveal(std::string_view body, std::string_view aad) const override {
    return siv_.open(key_.view(), body, aad);
  }

 private:
  AesSiv siv_;
  Secret key_;
};

class StreamCipher final : public Cipher {
 public:
  explicit StreamCipher(Secret key) : key_(std::move(key)) {}
  void protect(std::string_view text, std::string_view aad, std::string& out) const override {
    const std::string nonce = random_octets(kStreamNonce);
    out += nonce;
    ChunkSealer sealer(stream_key(key_.view(), nonce, aad));
    sealer.add(text, out);
    sealer.finish(out);
  }
  std::optional<std::string> reveal(std::string_view body, std::string_view aad) const override {
    if (body.size() < kStreamNonce) return std::nullopt;
    ChunkOpener opener(stream_key(key_.view(), body.substr(0, kStreamNonce), aad));
    std::string text;
    if (!opener.add(body.substr(kStreamNonce), text) || !opener.finish(text)) return std::nullopt;
    return text;
  }

 private:
  Secret key_;
};

class HpkeCipher final : public Cipher {
 public:
  explicit HpkeCipher(Secret key) : key_(std::move(key)), public_key_(x25519_public(key_.view())) {}
  void protect(std::string_view text, std::string_view aad, std::string& out) const override {
    Wiped<kX25519Octets> ephemeral;
    randombytes_buf(ephemeral.data(), kX25519Octets);
    const auto secret = hpke_encapsulate(public_key_, ephemeral.view());
    HECTOR_CHECK(secret.has_value(), "a public key made of a private one is a point");
    const auto keys = hpke_schedule(secret->shared, aad);
    out += secret->encapsulated;
    aead_.seal({keys.key.view(), keys.nonce.view(), {}}, text, out);
  }
  std::optional<std::string> reveal(std::string_view body, std::string_view aad) const override {
    if (body.size() < kX25519Octets) return std::nullopt;
    const auto shared = hpke_decapsulate(key_.view(), body.substr(0, kX25519Octets));
    if (!shared) return std::nullopt;
    const auto keys = hpke_schedule(*shared, aad);
    return aead_.open({keys.key.view(), keys.nonce.view(), {}}, body.substr(kX25519Octets));
  }

 private:
  AesGcm aead_;
  Secret key_;
  std::string public_key_;
};

class Ed25519Signer final : public Signer {
 public:
  explicit Ed25519Signer(const Secret& seed)
      : key_(Secret::copy(std::string(crypto_sign_SECRETKEYBYTES, '\0'))),
        public_key_(crypto_sign_PUBLICKEYBYTES, '\0') {
    crypto_sign_seed_keypair(octets(public_key_), key_.writable(), seed.data());
  }
  std::string sign(std::string_view data) const override {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(octets(signature), nullptr, octets(data), data.size(), key_.data());
    return signature;
  }
  bool verify(std::string_view data, std::string_view signature) const override {
    return signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(octets(signature), octets(data), data.size(),
                                       octets(std::string_view(public_key_))) == 0;
  }

 private:
  Secret key_;
  std::string public_key_;
};

class HmacSigner final : public Signer {
 public:
  explicit HmacSigner(Secret key) : key_(std::move(key)) {}
  std::string sign(std::string_view data) const override {
    return std::string(hmac_sha256(key_.view(), {data}).view());
  }
  bool verify(std::string_view data, std::string_view signature) const override {
    const auto tag = hmac_sha256(key_.view(), {data});
    return signature.size() == 32 && sodium_memcmp(tag.data(), signature.data(), 32) == 0;
  }

 private:
  Secret key_;
};

}  // namespace

std::unique_ptr<Cipher> make_cipher(TemplateId id, Secret key) {
  switch (id) {
    case TemplateId::kAes256Gcm:
      return std::make_unique<AesGcmCipher>(std::move(key));
    case TemplateId::kXChaCha20:
      return std::make_unique<XChaChaCipher>(std::move(key));
    case TemplateId::kAesSivDet:
      return std::make_unique<AesSivCipher>(std::move(key));
    case TemplateId::kStream64K:
      return std::make_unique<StreamCipher>(std::move(key));
    default:
      HECTOR_CHECK(id == TemplateId::kHpkeX25519, "the template encrypts");
      return std::make_unique<HpkeCipher>(std::move(key));
  }
}

std::unique_ptr<Signer> make_signer(TemplateId id, Secret key) {
  if (id == TemplateId::kHmac) return std::make_unique<HmacSigner>(std::move(key));
  HECTOR_CHECK(id == TemplateId::kEd25519, "the template signs");
  return std::make_unique<Ed25519Signer>(key);
}

}  // namespace hector::privacy
