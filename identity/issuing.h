// What: keys and certificates that are made here.
// Why: what a realm issues is an X509-SVID that judge() accepts, by construction.
// Who: realms, tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hector/realm.h"
#include "identity/openssl.h"

namespace hector::identity {

KeyPtr make_key(KeyKind kind);
std::string key_pem(EVP_PKEY* key);
/// Null where it holds no key without a password.
KeyPtr read_key_pem(std::string_view pem);

struct CertificatePlan {
  enum class Use : std::uint8_t { kLeaf, kAuthority };

  Use use = Use::kLeaf;
  std::string uri;
  std::vector<std::string> hosts;
  std::int64_t not_before = 0, not_after = 0;  ///< seconds since 1970
};
/// Who signs; its own certificate is null where a key signs for itself.
struct Signer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};
/// With a random serial. INVALID_ARGUMENT: a host that cannot stand in a certificate.
Result<X509Ptr> make_certificate(const CertificatePlan& plan, EVP_PKEY* key, const Signer& signer);

std::string certificate_pem(X509* certificate);
/// Lower-case hexadecimal.
std::string serial_of(const X509* certificate);
/// Of the authority's key: its subject key id, else the SHA-1 of its key; hexadecimal.
std::string key_id_of(X509* authority);

}  // namespace hector::identity
