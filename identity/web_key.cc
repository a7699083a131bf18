#include "identity/web_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <array>

#include "identity/base64.h"
#include "identity/strict_json.h"

namespace hector::identity {

namespace {

struct Curve {
  std::string_view name;  ///< in a JWK
  const char* group;      ///< in OpenSSL
  std::size_t octets;     ///< of a coordinate
};
constexpr std::array<Curve, 3> kCurves{
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};

std::optional<std::string> octets_member(const boost::json::object& object, std::string_view name) {
  const auto text = text_member(object, name);
  if (!text || text->empty()) return std::nullopt;
  return read_base64(*text, Base64::kUrl);
}

KeyPtr made_key(const char* kind, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    key = nullptr;
  ERR_clear_error();
  return KeyPtr(key);
}

NumberPtr number_of(const std::string& octets) {
  return NumberPtr(BN_bin2bn(octets_of(octets), static_cast<int>(octets.size()), nullptr));
}

KeyPtr rsa_key(const boost::json::object& entry) {
  const auto modulus = octets_member(entry, "n");
  const auto exponent = octets_member(entry, "e");
  if (!modulus || !exponent) return {};
  const auto n = number_of(*modulus), e = number_of(*exponent);
  if (BN_is_zero(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get())) return {};
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return made_key("RSA", builder.get());
}

KeyPtr curve_key(const boost::json::object& entry) {
  const auto name = text_member(entry, "crv");
  const auto x = octets_member(entry, "x"), y = octets_member(entry, "y");
  if (!name || !x || !y) return {};
  for (const auto& curve : kCurves) {
    if (curve.name != *name) continue;
    if (x->size() != curve.octets || y->size() != curve.octets) return {};
    const std::string point = '\x04' + *x + *y;
    const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    return made_key("EC", builder.get());
  }
  return {};
}

KeyPtr edwards_key(const boost::json::object& entry) {
  const auto x = octets_member(entry, "x");
  if (text_member(entry, "crv") != "Ed25519" || !x) return {};
  KeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets_of(*x), x->size()));
  ERR_clear_error();
  return key;
}

}  // namespace

std::optional<std::string> text_member(const boost::json::object& object, std::string_view name) {
  const auto* const found = member(object, name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  const auto& text = found->get_string();
  return std::string(text.data(), text.size());
}

std::optional<WebKey> read_web_key(const boost::json::object& entry) {
  const auto kind = text_member(entry, "kty");
  WebKey read{nullptr, text_member(entry, "alg")};
  if (!read.algorithm && member(entry, "alg") != nullptr) return std::nullopt;
  if (kind == "RSA") read.key = rsa_key(entry);
  if (kind == "EC") read.key = curve_key(entry);
  if (kind == "OKP") read.key = edwards_key(entry);
  if (!read.key) return std::nullopt;
  return read;
}

}  // namespace hector::identity
