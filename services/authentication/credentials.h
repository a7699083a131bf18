// What: one credential that was shown: whose it is, what limits it, and whether it still counts.
// Why: every operation that is shown one judges it by the same rules, in the same order.
// Who: the Authentication servant.
#pragma once

#include <optional>

#include "hector/token.h"
#include "refusals.h"
#include "replays.h"
#include "trust_state.h"

namespace hector::authentication {

/// What a credential is judged by.
struct Situation {
  std::shared_ptr<const identity::TrustBundles> bundles;  ///< as of when it was shown
  identity::Instant now;
  std::string own_domain;  ///< whose tokens are made here; its tokens may name actors of any domain
  std::string audience;
};

/// A credential whose signatures and times are good.
struct Shown {
  identity::Accepted accepted;
  identity::TokenDetails details;  ///< of a token
  std::string method;              ///< "x509", "jwt", "gss", "channel"
  std::optional<Use> proof;        ///< of a chain that was shown with one
};

/// Of a SPIFFE id.
std::string_view domain_of(std::string_view id);

/// INVALID_ARGUMENT: it is none, or several.
Status check_form(const v1::Credential& credential);
/// Without the state, of a chain or a token: MALFORMED, UNTRUSTED_DOMAIN, BAD_SIGNATURE,
/// ALG_REFUSED, NOT_YET_VALID, EXPIRED, WRONG_AUDIENCE, DELEGATION_REFUSED (a chain of too many).
/// INVALID_ARGUMENT: it is none, or several, or a ticket.
Result<Shown> examine_credential(const v1::Credential& credential, const Situation& situation);
/// REVOKED: a certificate, the token or one that it was made from, the principal or an actor.
Status check_revocations(const TrustState& state, const Shown& shown);
/// UNTRUSTED_DOMAIN: the realm of a ticket is not mapped.
Status check_realm(const TrustState& state, const Shown& ticket);
/// BINDING_MISMATCH: it is another channel's.
Status check_binding(const Shown& shown, std::string_view channel_binding);
/// The id of a token that is accepted once. MALFORMED: it has none.
Result<Use> use_of(const Shown& shown);

/// The names by which it, and all that it stands on, can be revoked.
std::vector<std::string> names_of(const Shown& shown);
v1::Principal principal_of(const TrustState& state, const Shown& shown);

}  // namespace hector::authentication
