// What: one X.509 certificate: what it says, and what is wrong with it by itself.
// Why: a path is built and judged from facts that were read once.
// Who: chains and bundles.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "identity/openssl.h"
#include "identity/spiffe_id.h"

namespace hector::identity {

/// The subject's alternative names of a kind: GEN_URI or GEN_DNS.
std::vector<std::string> alternative_names(X509* x509, int kind);

class Certificate;
using CertificatePtr = std::shared_ptr<const Certificate>;  // of its bundle and of paths through it

/// How a signature was found.
enum class Signature : std::uint8_t {
  kGood,
  kBad,
  kUnjudged,  ///< algorithm or key is none that this build knows
};

/// Immutable; any thread.
class Certificate {
 public:
  /// MALFORMED where `der` is no X.509 certificate, or goes on after it.
  static Judged<CertificatePtr> read(std::string_view der);

  /// What no certificate may have: an extension twice or unreadable, two signature algorithms, a
  /// broken key or time. Empty: nothing.
  [[nodiscard]] const std::string& flaw() const { return flaw_; }
  [[nodiscard]] bool is_version_3() const;
  [[nodiscard]] bool has_unknown_critical_extension() const;
  /// The principal, where this is an X509-SVID of a workload. MALFORMED.
  [[nodiscard]] Judged<SpiffeId> leaf_id() const;

  /// By subject and issuer, and by key ids where both have one.
  [[nodiscard]] bool names_issuer(const Certificate& issuer) const;
  [[nodiscard]] Signature signature_of(const Certificate& issuer) const;
  /// A CA that may sign certificates.
  [[nodiscard]] bool may_sign() const;
  /// RSA of 2,048 bits at least, P-256, P-384, P-521 or Ed25519.
  [[nodiscard]] bool has_accepted_key() const { return has_accepted_key_; }
  /// Made with SHA-256 or better.
  [[nodiscard]] bool has_accepted_signature() const;
  /// The same subject and key: a second one on a path leads nowhere.
  [[nodiscard]] bool is_same_authority(const Certificate& other) const;

  [[nodiscard]] std::int64_t not_before() const { return not_before_; }  ///< seconds since 1970
  [[nodiscard]] std::int64_t not_after() const { return not_after_; }    ///< inclusive
  [[nodiscard]] const std::string& der() const { return der_; }
  [[nodiscard]] X509* handle() const { return x509_.get(); }

  Certificate(std::string der, X509Ptr x509);

 private:
  [[nodiscard]] std::string find_flaw();
  [[nodiscard]] std::string key_flaw();
  bool read_times();

  std::string der_;
  X509Ptr x509_;
  std::int64_t not_before_ = 0, not_after_ = 0;
  bool has_accepted_key_ = false;
  std::string flaw_;
};

}  // namespace hector::identity
