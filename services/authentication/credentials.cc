#include "credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "bounds.h"

namespace hector::authentication {

namespace {

/// A proof is made for one call.
constexpr std::int64_t kProofSecondsMax = kLifetimeSecondsMax;

identity::Question question_of(const Situation& situation) {
  identity::Question question{situation.now, {}};
  if (!situation.audience.empty()) question.audience = situation.audience;
  return question;
}

/// One domain's keys speak for its own principals only, so a token of another domain names actors
/// of that domain only.
Status check_actors(const Shown& shown, const Situation& situation) {
  const auto& actors = shown.details.actors;
  if (actors.size() > kDelegationsMax)
    return refuse_delegation(
        fmt::format("the token names {} actors, {} may be; let a principal "
                    "that is nearer to its subject act",
                    actors.size(), kDelegationsMax));
  if (shown.accepted.trust_domain == situation.own_domain) return {};
  const bool is_own = std::all_of(actors.begin(), actors.end(), [&](const auto& each) {
    return domain_of(each) == shown.accepted.trust_domain;
  });
  if (is_own) return {};
  return refuse_credential(kUntrustedDomain,
                           fmt::format("the token of the domain '{}' names an actor of another one",
                                       shown.accepted.trust_domain));
}

Result<Shown> examine_token(const std::string& token, const Situation& situation) {
  auto accepted = identity::examine(token, *situation.bundles, question_of(situation));
  if (!accepted) return refuse_credential(accepted.error());
  if (accepted->credential != identity::Credential::kToken)
    return refuse_credential(kMalformed, "jwt holds a chain of certificates: give it as x509");
  auto details = identity::read_token_details(accepted->claims);
  if (!details) return refuse_credential(details.error());
  if (details->token_id.size() > kTokenIdOctetsMax)
    return refuse_credential(
        kMalformed, fmt::format("the token's jti has more than {} octets", kTokenIdOctetsMax));
  Shown shown{std::move(*accepted), std::move(*details), "jwt", {}};
  HECTOR_TRY(check_actors(shown, situation));
  return shown;
}

Result<Use> examine_proof(const v1::Credential& credential, const Shown& shown,
                          const Situation& situation) {
  const auto proved =
      identity::judge_possession(credential.x509(), credential.proof(), question_of(situation));
  if (!proved) return refuse_credential(proved.error());
  const auto details = identity::read_token_details(proved->claims);
  if (!details) return refuse_credential(details.error());
  if (details->token_id.empty() || details->token_id.size() > kTokenIdOctetsMax)
    return refuse_credential(kMalformed,
                             fmt::format("a proof has a jti of 1 to {} octets", kTokenIdOctetsMax));
  if (proved->not_after.seconds > situation.now.seconds + kProofSecondsMax + kSkewSeconds)
    return refuse_credential(
        kMalformed, fmt::format("a proof ends {} s after it is made at most", kProofSecondsMax));
  return Use{use_key("proof " + shown.accepted.id, details->token_id),
             proved->not_after.seconds + kSkewSeconds};
}

Result<Shown> examine_chain(const v1::Credential& credential, const Situation& situation) {
  auto accepted = identity::examine(credential.x509(), *situation.bundles, question_of(situation));
  if (!accepted) return refuse_credential(accepted.error());
  if (accepted->credential != identity::Credential::kChain)
    return refuse_credential(kMalformed, "x509 holds no PEM: give a token as jwt");
  Shown shown{std::move(*accepted), {}, "x509", {}};
  if (!credential.proof().empty())
    shown.proof = HECTOR_TRY(examine_proof(credential, shown, situation));
  return shown;
}

}  // namespace

std::string_view domain_of(std::string_view id) {
  id.remove_prefix(std::string_view("spiffe://").size());
  return id.substr(0, id.find('/'));
}

Status check_form(const v1::Credential& credential) {
  const int given = static_cast<int>(!credential.x509().empty()) +
                    static_cast<int>(!credential.jwt().empty()) +
                    static_cast<int>(!credential.gss().empty());
  if (given != 1)
    return refuse_argument(
        fmt::format("a credential is one of x509, jwt and gss; {} were given", given));
  if (!credential.proof().empty() && credential.x509().empty())
    return refuse_argument("a proof goes with x509: a token is shown by itself");
  return {};
}

Result<Shown> examine_credential(const v1::Credential& credential, const Situation& situation) {
  HECTOR_TRY(check_form(credential));
  if (!credential.jwt().empty()) return examine_token(credential.jwt(), situation);
  if (!credential.x509().empty()) return examine_chain(credential, situation);
  return refuse_argument("a ticket is shown to `authenticate` only: nothing is made from it");
}

std::vector<std::string> names_of(const Shown& shown) {
  auto names = shown.details.origins;
  for (const auto& each : shown.accepted.certificates) names.push_back("certificate " + each);
  if (!shown.details.token_id.empty())
    names.push_back(token_name(shown.accepted.trust_domain, shown.details.token_id));
  names.push_back("principal " + shown.accepted.id);
  for (const auto& each : shown.details.actors) names.push_back("principal " + each);
  return names;
}

Status check_revocations(const TrustState& state, const Shown& shown) {
  for (const auto& name : names_of(shown)) {
    const auto* const found = state.revocation(name);
    if (found == nullptr || found->is_lifted()) continue;
    return refuse_credential(kRevoked,
                             fmt::format("'{}' was revoked{}{}", name.substr(0, 300),
                                         found->reason().empty() ? "" : ": ", found->reason()));
  }
  return {};
}

Status check_realm(const TrustState& state, const Shown& ticket) {
  const auto& realm = ticket.accepted.trust_domain;
  if (state.has_realm(realm)) return {};
  return refuse_credential(
      kUntrustedDomain,
      fmt::format("the ticket is of the realm '{}', which is not mapped here (map_realm)", realm));
}

Status check_binding(const Shown& shown, std::string_view channel_binding) {
  const auto& bound = shown.method == "x509" ? shown.accepted.leaf_sha256 : shown.details.bound_to;
  // A chain that is judged without a channel is bound to none.
  if (bound.empty() || (shown.method == "x509" && channel_binding.empty())) return {};
  if (bound == channel_binding) return {};
  return refuse_credential(
      kBindingMismatch,
      channel_binding.empty()
          ? "the token is bound to a certificate, and the channel has proved none"
          : "the credential is bound to another certificate than the channel has proved");
}

Result<Use> use_of(const Shown& shown) {
  if (shown.proof) return *shown.proof;
  if (shown.method != "jwt")
    return refuse_argument("only a token, or a chain with a proof, can be accepted once");
  if (shown.details.token_id.empty())
    return refuse_credential(kMalformed,
                             "a bind token has a jti, by which it is known when it comes again");
  return Use{use_key(shown.accepted.trust_domain, shown.details.token_id),
             shown.accepted.not_after.seconds + kSkewSeconds};
}

v1::Principal principal_of(const TrustState& state, const Shown& shown) {
  v1::Principal principal;
  const auto& details = shown.details;
  principal.set_id(shown.accepted.id);
  principal.set_trust_domain(shown.accepted.trust_domain);
  if (const auto* const entry = state.entry(shown.accepted.id)) {
    *principal.mutable_groups() = entry->groups();
    *principal.mutable_attributes() = entry->attributes();
  }
  principal.set_not_after_s(shown.accepted.not_after.seconds);
  principal.set_method(shown.method);
  principal.set_strength(static_cast<std::uint32_t>(shown.accepted.strength_bits));
  principal.set_caller(details.actors.empty() ? shown.accepted.id : details.actors.front());
  for (const auto& each : details.actors) principal.add_actors(each);
  principal.set_is_attenuated(details.rights.has_value());
  if (details.rights)
    for (const auto& each : *details.rights) principal.add_rights(each);
  principal.set_token_id(details.token_id);
  for (const auto& each : shown.accepted.certificates) principal.add_certificates(each);
  return principal;
}

}  // namespace hector::authentication
