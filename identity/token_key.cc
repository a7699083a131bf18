#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rand.h>

#include <boost/json/serialize.hpp>

#include "hector/check.h"
#include "hector/token.h"
#include "identity/base64.h"
#include "identity/issuing.h"
#include "identity/strict_json.h"
#include "identity/token_details.h"

namespace hector::identity {

namespace {

namespace json = boost::json;

constexpr std::size_t kCoordinate = 32;  // octets, of P-256

std::string coordinate_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  HECTOR_CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1, "a key of ours has no point");
  const NumberPtr owned(number);
  std::string octets(kCoordinate, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(octets.data()), kCoordinate);
  return write_base64url(octets);
}

/// r and s side by side (RFC 7518, 3.4) out of OpenSSL's DER.
std::string pair_of(const std::string& der) {
  const unsigned char* at = octets_of(der);
  const EcdsaPtr read(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  HECTOR_CHECK(read != nullptr, "OpenSSL's own signature is no pair");
  std::string pair(2 * kCoordinate, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(pair.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(read.get()), out, kCoordinate);
  BN_bn2binpad(ECDSA_SIG_get0_s(read.get()), out + kCoordinate, kCoordinate);
  return pair;
}

std::string signature_of(EVP_PKEY* key, const std::string& text) {
  const DigestContextPtr context(EVP_MD_CTX_new());
  std::size_t size = 0;
  const bool is_begun =
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &size, octets_of(text), text.size()) == 1;
  HECTOR_CHECK(is_begun, "a key of ours does not sign");
  std::string der(size, '\0');
  const int is_signed = EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()),
                                       &size, octets_of(text), text.size());
  HECTOR_CHECK(is_signed == 1, "a key of ours does not sign");
  der.resize(size);
  return pair_of(der);
}

}  // namespace

struct TokenKey::Secret {
  KeyPtr key;
};

TokenKey::TokenKey(std::string id, std::unique_ptr<Secret> secret)
    : id_(std::move(id)), secret_(std::move(secret)) {}
TokenKey::~TokenKey() = default;
TokenKey::TokenKey(TokenKey&&) noexcept = default;
TokenKey& TokenKey::operator=(TokenKey&&) noexcept = default;

TokenKey TokenKey::make() {
  std::string random(16, '\0');
  HECTOR_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), 16) == 1,
               "no random octets for a key's id");
  auto secret = std::make_unique<Secret>();
  secret->key = make_key(KeyKind::kP256);
  return {write_base64url(random), std::move(secret)};
}

std::string TokenKey::web_key() const {
  const EVP_PKEY* const key = secret_->key.get();
  const json::object entry{{"kty", "EC"},
                           {"crv", "P-256"},
                           {"alg", "ES256"},
                           {"use", "jwt-svid"},
                           {"kid", json::string(id_.data(), id_.size())},
                           {"x", coordinate_of(key, OSSL_PKEY_PARAM_EC_PUB_X).c_str()},
                           {"y", coordinate_of(key, OSSL_PKEY_PARAM_EC_PUB_Y).c_str()}};
  return json::serialize(entry);
}

std::string key_set_with(std::string_view key_set, const std::vector<std::string>& web_keys) {
  auto read = read_strict_json(key_set);
  json::object set = read && read->is_object() ? std::move(read->get_object()) : json::object();
  json::value& keys = set["keys"];
  if (!keys.is_array()) keys.emplace_array();
  for (const auto& each : web_keys) {
    if (auto entry = read_strict_json(each)) keys.get_array().push_back(std::move(*entry));
  }
  return json::serialize(set);
}

std::string TokenKey::sign(const TokenPlan& plan) const {
  const auto header = fmt::format(R"({{"alg":"ES256","kid":"{}","typ":"JWT"}})", id_);
  const std::string signed_text =
      write_base64url(header) + "." + write_base64url(json::serialize(claims_of(plan)));
  return signed_text + "." + write_base64url(signature_of(secret_->key.get(), signed_text));
}

}  // namespace hector::identity
