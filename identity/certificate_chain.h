// What: the judgement of a chain of certificates: X509-SVIDs (SPIFFE) by RFC 5280's paths.
// Why: the bundle is chosen by the leaf's trust domain before anything is verified, so that one
// domain's authority cannot speak for another's.
// Who: judge().
#pragma once

#include <string_view>
#include <vector>

#include "identity/certificate_path.h"
#include "identity/trust_bundle.h"

namespace hector::identity {

/// What was sent: the leaf, and certificates that may stand between it and an authority.
struct Chain {
  CertificatePtr leaf;
  SpiffeId id;
  std::vector<CertificatePtr> others;  ///< in any order, unrelated ones too; each once

  /// MALFORMED.
  static Judged<Chain> read(std::string_view pem);
};

/// Every path to one of the bundle's authorities is tried; the first good one accepts and is
/// returned. Else the error of the path that came furthest. UNTRUSTED_DOMAIN, BAD_SIGNATURE,
/// ALG_REFUSED, MALFORMED (an authority on the way has an unknown critical extension),
/// NOT_YET_VALID, EXPIRED, REVOKED.
Judged<Path> judge_chain(const Chain& chain, const TrustBundle& bundle, Instant at);

}  // namespace hector::identity
