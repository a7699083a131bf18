#include "identity/public_key.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <string>

namespace hector::identity {

namespace {

using Family = TokenAlgorithm::Family;

constexpr std::array<TokenAlgorithm, 9> kAlgorithms{{
    {"RS256", Family::kRsa, "SHA256", nullptr, 0},
    {"RS384", Family::kRsa, "SHA384", nullptr, 0},
    {"RS512", Family::kRsa, "SHA512", nullptr, 0},
    {"PS256", Family::kRsaPss, "SHA256", nullptr, 0},
    {"PS384", Family::kRsaPss, "SHA384", nullptr, 0},
    {"PS512", Family::kRsaPss, "SHA512", nullptr, 0},
    {"ES256", Family::kEcdsa, "SHA256", "prime256v1", 32},
    {"ES384", Family::kEcdsa, "SHA384", "secp384r1", 48},
    {"ES512", Family::kEcdsa, "SHA512", "secp521r1", 66},
}};

bool is_accepted_curve(int nid) {
  return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 || nid == NID_secp521r1;
}

/// Whether a key of this algorithm would be accepted if it parsed and was long enough.
bool is_accepted_kind(X509_PUBKEY* key) {
  X509_ALGOR* algorithm = nullptr;
  X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &algorithm, key);
  const ASN1_OBJECT* kind = nullptr;
  int type = V_ASN1_UNDEF;
  const void* parameters = nullptr;
  X509_ALGOR_get0(&kind, &type, &parameters, algorithm);
  switch (OBJ_obj2nid(kind)) {
    case NID_rsaEncryption:
    case NID_rsassaPss:
    case NID_ED25519:
      return true;
    case NID_X9_62_id_ecPublicKey:  // explicit parameters are no named curve
      return type == V_ASN1_OBJECT &&
             is_accepted_curve(OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(parameters)));
    default:
      return false;
  }
}

bool is_rsa(EVP_PKEY* key) { return EVP_PKEY_is_a(key, "RSA") != 0; }

/// r and s side by side as the DER that OpenSSL takes; empty where the length is another.
std::string der_of(std::string_view signature, std::size_t coordinate) {
  if (signature.size() != 2 * coordinate) return {};
  const EcdsaPtr pair(ECDSA_SIG_new());
  const auto number = [&](std::size_t at) {
    return BN_bin2bn(octets_of(signature) + at, static_cast<int>(coordinate), nullptr);
  };
  ECDSA_SIG_set0(pair.get(), number(0), number(coordinate));
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  if (length <= 0) return {};
  std::string octets(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return octets;
}

bool set_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

KeyGrade grade_of_certificate_key(X509_PUBKEY* key) {
  EVP_PKEY* const parsed = X509_PUBKEY_get0(key);
  ERR_clear_error();
  if (!is_accepted_kind(key)) return KeyGrade::kRefused;
  if (parsed == nullptr) return KeyGrade::kBroken;
  const int kind = EVP_PKEY_get_base_id(parsed);
  const bool is_short =
      (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS) && EVP_PKEY_get_bits(parsed) < kRsaBitsMin;
  return is_short ? KeyGrade::kRefused : KeyGrade::kAccepted;
}

const TokenAlgorithm* token_algorithm(std::string_view name) {
  const auto found = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                  [&](const auto& each) { return each.name == name; });
  return found == kAlgorithms.end() ? nullptr : &*found;
}

bool fits(EVP_PKEY* key, const TokenAlgorithm& algorithm) {
  if (algorithm.family != Family::kEcdsa)
    return is_rsa(key) && EVP_PKEY_get_bits(key) >= kRsaBitsMin;
  char curve[64];
  std::size_t length = 0;
  return EVP_PKEY_is_a(key, "EC") != 0 &&
         EVP_PKEY_get_group_name(key, curve, sizeof curve, &length) == 1 &&
         std::string_view(curve, length) == algorithm.curve;
}

bool verifies(EVP_PKEY* key, const TokenAlgorithm& algorithm, std::string_view signed_text,
              std::string_view signature) {
  std::string der;
  if (algorithm.family == Family::kEcdsa) {
    der = der_of(signature, algorithm.coordinate);
    signature = der;
  }
  if (signature.empty()) return false;
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* of_key = nullptr;
  const bool is_good = EVP_DigestVerifyInit_ex(context.get(), &of_key, algorithm.digest, nullptr,
                                               nullptr, key, nullptr) == 1 &&
                       (algorithm.family != Family::kRsaPss || set_pss(of_key)) &&
                       EVP_DigestVerify(context.get(), octets_of(signature), signature.size(),
                                        octets_of(signed_text), signed_text.size()) == 1;
  ERR_clear_error();
  return is_good;
}

}  // namespace hector::identity
