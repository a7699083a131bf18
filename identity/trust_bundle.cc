#include "identity/trust_bundle.h"

#include <fmt/format.h>

#include "identity/base64.h"
#include "identity/issuing.h"
#include "identity/pem.h"
#include "identity/strict_json.h"

namespace hector::identity {

namespace {

namespace json = boost::json;

Result<TrustBundle> read_pem_bundle(std::string_view text) {
  const auto blocks = read_pem_certificates(text);
  if (!blocks) return fail(Code::kInvalidArgument, fmt::format("no PEM: {}", blocks.error()));
  TrustBundle bundle;
  for (const auto& der : *blocks) {
    auto certificate = Certificate::read(der);
    if (!certificate) return fail(Code::kInvalidArgument, certificate.error().message);
    bundle.authorities.push_back(std::move(*certificate));
  }
  return bundle;
}

/// The first of x5c; null where it does not parse.
CertificatePtr authority_of(const json::object& entry) {
  const auto kind = text_member(entry, "kty");
  const auto* const chain = member(entry, "x5c");
  if ((kind != "RSA" && kind != "EC" && kind != "OKP") || chain == nullptr) return nullptr;
  if (!chain->is_array() || chain->get_array().empty()) return nullptr;
  const auto& first = chain->get_array().front();
  if (!first.is_string()) return nullptr;
  const auto der =
      read_base64({first.get_string().data(), first.get_string().size()}, Base64::kPadded);
  auto certificate = der ? Certificate::read(*der) : Judged<CertificatePtr>(nullptr);
  return certificate ? std::move(*certificate) : nullptr;
}

/// What is of another use, of an unknown kind or does not parse is left out (SPIFFE Trust Domain
/// and Bundle, 4.1.3 and 4.2.2).
void add_entry(const json::object& entry, TrustBundle& bundle) {
  const auto use = text_member(entry, "use");
  if (use == "x509-svid") {
    if (auto authority = authority_of(entry)) bundle.authorities.push_back(std::move(authority));
  } else if (use == "jwt-svid") {
    const auto id = text_member(entry, "kid");
    auto key = read_web_key(entry);
    if (id && key) bundle.token_keys.emplace(*id, std::move(*key));
  }
}

Result<TrustBundle> read_key_set(std::string_view text) {
  const auto read = read_strict_json(text);
  if (!read)
    return fail(Code::kInvalidArgument, "it begins with '{' and is no JSON, or has a name twice");
  const auto* const keys = read->is_object() ? member(read->get_object(), "keys") : nullptr;
  if (keys == nullptr || !keys->is_array())
    return fail(Code::kInvalidArgument, "it begins with '{' and is no JWKS: \"keys\" is no list");
  TrustBundle bundle;
  for (const auto& entry : keys->get_array()) {
    if (entry.is_object()) add_entry(entry.get_object(), bundle);
  }
  return bundle;
}

}  // namespace

Status TrustBundle::add(std::string_view text) {
  auto more = HECTOR_TRY(text.starts_with('{') ? read_key_set(text) : read_pem_bundle(text));
  for (auto& each : more.authorities) authorities.push_back(std::move(each));
  token_keys.merge(more.token_keys);
  return {};
}

TrustBundles::TrustBundles() : domains_(std::make_unique<Domains>()) {}
TrustBundles::~TrustBundles() = default;
TrustBundles::TrustBundles(TrustBundles&&) noexcept = default;
TrustBundles& TrustBundles::operator=(TrustBundles&&) noexcept = default;

Status TrustBundles::add(std::string_view trust_domain, std::string_view text) {
  if (!is_trust_domain(trust_domain))
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is no trust domain: 1 to 255 of small letters, digits, '.', '-' "
                            "and '_', as in spiffe://DOMAIN/…",
                            trust_domain));
  return domains_->by_name[std::string(trust_domain)].add(text);
}

void TrustBundles::revoke(std::string_view trust_domain,
                          const std::vector<std::string>& certificates) {
  auto& revoked = domains_->by_name[std::string(trust_domain)].revoked;
  revoked.insert(certificates.begin(), certificates.end());
}

std::vector<std::string> TrustBundles::authorities(std::string_view trust_domain) const {
  std::vector<std::string> ids;
  const auto* const bundle = domains_->find(trust_domain);
  if (bundle == nullptr) return ids;
  for (const auto& each : bundle->authorities) ids.push_back(key_id_of(each->handle()));
  return ids;
}

}  // namespace hector::identity
