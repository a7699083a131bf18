// What: Credentials, who this capsule is to its peers, and whom of them it trusts.
// Why: every protocol proves and checks the same identities, which change while it runs; where they
// come from (files, a realm, a workload API) is not the protocols' business.
// Who: protocols; the capsule's process and the command line implement it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hector/result.h"

namespace hector {

/// A certificate chain, leaf first, and the leaf's key (PKCS#8), both PEM. It is a secret.
struct OwnIdentity {
  std::string chain, key;
};

/// Whose a chain is that was accepted.
struct PeerIdentity {
  std::string id;  ///< SPIFFE id
  /// As policies write it: "capsule:north" for spiffe://OWN-DOMAIN/capsule/north, else the id.
  std::string principal;
};

/// Any thread, but what on_change() says. Nothing of it blocks.
class Credentials {
 public:
  virtual ~Credentials() = default;
  /// As of now; never null.
  [[nodiscard]] virtual std::shared_ptr<const OwnIdentity> own() const = 0;
  /// This capsule's own principal.
  [[nodiscard]] virtual const std::string& principal() const noexcept = 0;
  /// The authorities of the own trust domain as of now, PEM: for libraries that judge by
  /// themselves.
  [[nodiscard]] virtual std::string authorities() const = 0;
  /// Whose chain this is (PEM, leaf first), as of now. UNAUTHENTICATED; Error::type is the fault:
  /// "EXPIRED", "REVOKED", "UNTRUSTED_DOMAIN", …
  [[nodiscard]] virtual Result<PeerIdentity> examine(std::string_view chain) const = 0;
  /// `changed` runs on a thread that may block after own() has become another, or examine() may say
  /// something else of a chain than before (trust, revocations); one at a time. An empty one ends
  /// that, and none runs any more afterwards. One for each owner.
  virtual void on_change(const void* owner, std::function<void()> changed) = 0;
};

/// Whether the holder of `principal` may speak as `claimed`: as itself ("capsule:north") or as one
/// of its Objects ("capsule:north/ana").
inline bool may_speak_as(std::string_view principal, std::string_view claimed) {
  return claimed.starts_with(principal) &&
         (claimed.size() == principal.size() || claimed[principal.size()] == '/');
}

}  // namespace hector
