#include "identity/certificate.h"

#include <openssl/err.h>
#include <openssl/objects.h>

#include <ctime>
#include <optional>

#include "hector/check.h"
#include "identity/public_key.h"
#include "identity/verdict.h"

namespace hector::identity {

std::vector<std::string> alternative_names(X509* x509, int kind) {
  HECTOR_CHECK(kind == GEN_URI || kind == GEN_DNS, "only these are texts");
  std::vector<std::string> texts;
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != kind) continue;
    const ASN1_STRING* const text = name->d.ia5;
    texts.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return texts;
}

namespace {

constexpr int kSignatureBitsMin = 128;  // of SHA-256, as OpenSSL counts

/// DER writes a length in one way: a certificate has one outer octet string of 128 octets or more.
bool is_der_sequence(std::string_view der) {
  if (der.size() < 4 || static_cast<unsigned char>(der[0]) != 0x30) return false;
  const auto first = static_cast<unsigned char>(der[1]);
  if (first < 0x81 || first > 0x84) return false;
  std::size_t length = 0;
  const std::size_t count = first - 0x80U;
  if (der.size() < 2 + count || der[2] == 0) return false;
  for (std::size_t i = 0; i < count; ++i)
    length = length << 8U | static_cast<unsigned char>(der[2 + i]);
  return length >= 128 && length == der.size() - 2 - count;
}

std::optional<std::int64_t> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_check(time) != 1 || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return timegm(&parts);
}

bool has_extension_twice(const X509* x509) {
  const int count = X509_get_ext_count(x509);
  for (int i = 0; i < count; ++i) {
    const auto* const id = X509_EXTENSION_get_object(X509_get_ext(x509, i));
    if (X509_get_ext_by_OBJ(x509, id, i) >= 0) return true;
  }
  return false;
}

bool has_two_algorithms(const X509* x509) {
  const X509_ALGOR* outer = nullptr;
  X509_get0_signature(nullptr, &outer, x509);
  return X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(x509)) != 0;
}

/// What is wrong with the leaf's extensions but its names; empty: nothing.
std::string_view mistake_in_use(X509* x509) {
  const auto flags = X509_get_extension_flags(x509);
  if ((flags & EXFLAG_CA) != 0) return "the first certificate is a CA's (CA:TRUE), not a leaf";
  if ((flags & EXFLAG_KUSAGE) == 0) return "the leaf has no key usage";
  const auto usage = X509_get_key_usage(x509);
  if ((usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0)
    return "the leaf's key usage has keyCertSign or cRLSign";
  if ((usage & KU_DIGITAL_SIGNATURE) == 0) return "the leaf's key usage lacks digitalSignature";
  constexpr std::uint32_t kBoth = XKU_SSL_SERVER | XKU_SSL_CLIENT;
  if ((flags & EXFLAG_XKUSAGE) != 0 && (X509_get_extended_key_usage(x509) & kBoth) != kBoth)
    return "the leaf's extended key usage lacks serverAuth or clientAuth";
  return {};
}

/// Whether this build knows the certificate's signature algorithm.
bool knows_algorithm(const X509* x509) {
  int digest = NID_undef, key = NID_undef;
  if (OBJ_find_sigid_algs(X509_get_signature_nid(x509), &digest, &key) != 1) return false;
  if (digest == NID_undef) return true;
  const DigestPtr found(EVP_MD_fetch(nullptr, OBJ_nid2sn(digest), nullptr));
  return found != nullptr;
}

}  // namespace

Judged<CertificatePtr> Certificate::read(std::string_view der) {
  if (!is_der_sequence(der))
    return malformed("a block CERTIFICATE holds no DER, or octets after its end");
  const unsigned char* at = octets_of(der);
  X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!x509 || at != octets_of(der) + der.size())
    return malformed("a block CERTIFICATE holds no X.509 certificate");
  return std::make_shared<const Certificate>(std::string(der), std::move(x509));
}

Certificate::Certificate(std::string der, X509Ptr x509)
    : der_(std::move(der)), x509_(std::move(x509)), flaw_(find_flaw()) {
  ERR_clear_error();
}

bool Certificate::read_times() {
  const auto begin = seconds_of(X509_get0_notBefore(handle()));
  const auto end = seconds_of(X509_get0_notAfter(handle()));
  not_before_ = begin.value_or(0);
  not_after_ = end.value_or(0);
  return begin && end;
}

std::string Certificate::key_flaw() {
  const auto grade = grade_of_certificate_key(X509_get_X509_PUBKEY(handle()));
  has_accepted_key_ = grade == KeyGrade::kAccepted;
  return grade == KeyGrade::kBroken ? "its public key does not parse" : "";
}

std::string Certificate::find_flaw() {
  if (!read_times()) return "its validity is no time";
  if (auto flaw = key_flaw(); !flaw.empty()) return flaw;
  if (has_extension_twice(handle())) return "it has an extension twice";
  if (has_two_algorithms(handle())) return "its inner and outer signature algorithms differ";
  if ((X509_get_extension_flags(handle()) & EXFLAG_INVALID) != 0)
    return "one of its extensions does not parse";
  return {};
}

bool Certificate::is_version_3() const { return X509_get_version(handle()) == X509_VERSION_3; }

bool Certificate::has_unknown_critical_extension() const {
  return (X509_get_extension_flags(handle()) & EXFLAG_CRITICAL) != 0;
}

Judged<SpiffeId> Certificate::leaf_id() const {
  if (const auto mistake = mistake_in_use(handle()); !mistake.empty())
    return malformed(std::string(mistake));
  if (has_unknown_critical_extension())
    return malformed("the leaf has a critical extension that is not known here");
  const auto uris = alternative_names(handle(), GEN_URI);
  if (uris.empty()) return malformed("the leaf has no URI among its alternative names");
  if (uris.size() > 1) return malformed("the leaf has several URIs among its alternative names");
  return SpiffeId::read(uris.front());
}

bool Certificate::names_issuer(const Certificate& issuer) const {
  if (X509_NAME_cmp(X509_get_issuer_name(handle()), X509_get_subject_name(issuer.handle())) != 0)
    return false;
  const auto* const wanted = X509_get0_authority_key_id(handle());
  const auto* const there = X509_get0_subject_key_id(issuer.handle());
  return wanted == nullptr || there == nullptr || ASN1_OCTET_STRING_cmp(wanted, there) == 0;
}

Signature Certificate::signature_of(const Certificate& issuer) const {
  EVP_PKEY* const key = X509_get0_pubkey(issuer.handle());
  ERR_clear_error();
  if (key == nullptr || !knows_algorithm(handle())) return Signature::kUnjudged;
  const bool is_good = X509_verify(handle(), key) == 1;
  ERR_clear_error();
  return is_good ? Signature::kGood : Signature::kBad;
}

bool Certificate::may_sign() const {
  const auto flags = X509_get_extension_flags(handle());
  if ((flags & EXFLAG_CA) == 0) return false;
  return (flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(handle()) & KU_KEY_CERT_SIGN) != 0;
}

bool Certificate::has_accepted_signature() const {
  int bits = 0;
  std::uint32_t flags = 0;
  const int is_known = X509_get_signature_info(handle(), nullptr, nullptr, &bits, &flags);
  ERR_clear_error();
  return is_known == 1 && bits >= kSignatureBitsMin;
}

bool Certificate::is_same_authority(const Certificate& other) const {
  if (X509_NAME_cmp(X509_get_subject_name(handle()), X509_get_subject_name(other.handle())) != 0)
    return false;
  const auto* const mine = X509_get0_pubkey_bitstr(handle());
  const auto* const theirs = X509_get0_pubkey_bitstr(other.handle());
  return ASN1_STRING_cmp(mine, theirs) == 0;
}

}  // namespace hector::identity
