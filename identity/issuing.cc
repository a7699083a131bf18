#include "identity/issuing.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>

#include "hector/check.h"

namespace hector::identity {

namespace {

using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

std::string hex(const unsigned char* octets, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", octets[i]);
  return text;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

bool is_host(const std::string& host) {
  return !host.empty() && host.size() <= 253 &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '*';
         });
}

/// OpenSSL's own notation for extensions.
void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  HECTOR_CHECK(extension != nullptr, "an extension of ours is not OpenSSL's");
  X509_add_ext(certificate, extension.get(), -1);
}

void set_serial(X509* certificate) {
  unsigned char octets[16];
  HECTOR_CHECK(RAND_bytes(octets, sizeof octets) == 1, "no random octets for a serial");
  octets[0] = static_cast<unsigned char>((octets[0] & 0x7fU) | 0x40U);  // positive, 16 octets
  const NumberPtr number(BN_bin2bn(octets, sizeof octets, nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

void set_names(X509* certificate, const X509* issuer, const CertificatePlan& plan) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  const char* const organisation =
      plan.use == CertificatePlan::Use::kAuthority ? "Hector authority" : "Hector";
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, octets_of(organisation), -1, -1, 0);
  if (plan.use == CertificatePlan::Use::kAuthority) {
    const auto domain = plan.uri.substr(std::string_view("spiffe://").size()).substr(0, 64);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, octets_of(domain), -1, -1, 0);
  }
  X509_set_issuer_name(certificate, issuer == nullptr ? name : X509_get_subject_name(issuer));
}

void set_extensions(X509* certificate, X509* issuer, const CertificatePlan& plan) {
  const bool is_authority = plan.use == CertificatePlan::Use::kAuthority;
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
  add_extension(certificate, issuer, NID_basic_constraints,
                is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
  add_extension(certificate, issuer, NID_key_usage,
                is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!is_authority) add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  std::string names = "URI:" + plan.uri;
  for (const auto& host : plan.hosts) names += ",DNS:" + host;
  add_extension(certificate, issuer, NID_subject_alt_name, names);
}

}  // namespace

KeyPtr make_key(KeyKind kind) {
  KeyPtr key(kind == KeyKind::kEd25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                       : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  HECTOR_CHECK(key != nullptr, "OpenSSL makes no key");
  return key;
}

std::string key_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

KeyPtr read_key_pem(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto no_password = [](char*, int, int, void*) { return -1; };
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

Result<X509Ptr> make_certificate(const CertificatePlan& plan, EVP_PKEY* key, const Signer& signer) {
  for (const auto& host : plan.hosts) {
    if (!is_host(host))
      return fail(Code::kInvalidArgument,
                  fmt::format("'{}' is no host's name: letters, digits, '.' and '-'", host));
  }
  X509Ptr made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  set_serial(made.get());
  set_names(made.get(), signer.certificate, plan);
  ASN1_TIME_set(X509_getm_notBefore(made.get()), plan.not_before);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), plan.not_after);
  X509_set_pubkey(made.get(), key);
  X509* const issuer = signer.certificate == nullptr ? made.get() : signer.certificate;
  set_extensions(made.get(), issuer, plan);
  const bool is_edwards = EVP_PKEY_is_a(signer.key, "ED25519") == 1;
  const int octets = X509_sign(made.get(), signer.key, is_edwards ? nullptr : EVP_sha256());
  HECTOR_CHECK(octets > 0, "a certificate of ours cannot be signed");
  return made;
}

std::string certificate_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

std::string serial_of(const X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  return hex(ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial)));
}

std::string key_id_of(X509* authority) {
  const ASN1_OCTET_STRING* const id = X509_get0_subject_key_id(authority);
  if (id != nullptr)
    return hex(ASN1_STRING_get0_data(id), static_cast<std::size_t>(ASN1_STRING_length(id)));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_pubkey_digest(authority, EVP_sha1(), digest, &size);
  return hex(digest, size);
}

}  // namespace hector::identity
