#include "minting.h"

#include <fmt/format.h>

#include <algorithm>

#include "bounds.h"
#include "rights.h"

namespace hector::authentication {

namespace {

using identity::TokenPlan;

constexpr std::size_t kBoundOctets = 32;  // SHA-256

/// What is made of a credential is signed by this domain, so its principal has to be of it.
Status check_domain(const Shown& holder, const MintTerms& terms) {
  if (terms.domain.empty())
    return refuse(kNoDomain,
                  "this service makes no tokens: it has no domain of its own (settings: "
                  "trust_domain)",
                  Code::kFailedPrecondition);
  if (holder.accepted.trust_domain == terms.domain) return {};
  return refuse_credential(kUntrustedDomain,
                           fmt::format("tokens are made here for principals of '{}' alone; the "
                                       "credential is of '{}'",
                                       terms.domain, holder.accepted.trust_domain));
}

/// A token that was delegated is its delegate's only once it is exchanged.
Status check_not_delegated(const Shown& holder) {
  if (!holder.details.may_act) return {};
  return refuse_delegation(
      fmt::format("the token was delegated to '{}': exchange it, with that principal as the actor",
                  *holder.details.may_act));
}

Status check_audiences(const google::protobuf::RepeatedPtrField<std::string>& audiences) {
  const auto is_wrong = [](const std::string& each) {
    return each.empty() || each.size() > kAudienceOctetsMax;
  };
  const auto count = static_cast<std::size_t>(audiences.size());
  if (count >= 1 && count <= kAudiencesMax &&
      std::none_of(audiences.begin(), audiences.end(), is_wrong))
    return {};
  return refuse_argument(fmt::format("a token is for 1 to {} audiences of 1 to {} octets each",
                                     kAudiencesMax, kAudienceOctetsMax));
}

Status check_bound(const std::string& bound_to) {
  if (bound_to.empty() || bound_to.size() == kBoundOctets) return {};
  return refuse_argument("bound_to is the SHA-256 of a certificate: 32 octets");
}

Status check_lifetime(std::int64_t asked_s) {
  if (asked_s <= kLifetimeSecondsMax) return {};
  return refuse_argument(
      fmt::format("a token lives for {} s at most, not {}", kLifetimeSecondsMax, asked_s));
}

/// What is left of a credential. EXPIRED: only the clocks' difference keeps it alive.
Result<std::int64_t> rest_of(const Shown& shown, const MintTerms& terms) {
  const auto rest = shown.accepted.not_after.seconds - terms.now_s;
  if (rest > 0) return rest;
  return refuse_credential(kExpired, "the credential has ended, and no token outlives it");
}

/// Of a delegation: what is asked, and no more than there is.
Result<std::int64_t> shrunk_lifetime(std::int64_t asked_s, std::int64_t rest_s) {
  HECTOR_TRY(check_lifetime(asked_s));
  if (asked_s == 0) return std::min(kLifetimeSecondsMax, rest_s);
  if (asked_s <= rest_s) return asked_s;
  return refuse_delegation(fmt::format(
      "{} s are asked for, and {} s are left of what it is made from", asked_s, rest_s));
}

Status check_shrunk(const std::optional<Rights>& held, const Rights& wanted) {
  HECTOR_TRY(check_rights(wanted));
  if (!held) return {};
  const auto missing = missing_right(*held, wanted);
  if (missing.empty()) return {};
  return refuse_delegation(
      fmt::format("the right '{}' is none of those that the holder has", missing));
}

/// The principals' own names stay in sub and act.
Result<std::vector<std::string>> origins_of(const std::vector<const Shown*>& all) {
  std::vector<std::string> origins;
  for (const auto* each : all) {
    for (auto& name : names_of(*each)) {
      if (!name.starts_with("principal ")) origins.push_back(std::move(name));
    }
  }
  if (origins.size() <= kOriginsMax) return origins;
  return refuse_delegation(
      fmt::format("it would stand on {} credentials, {} may be", origins.size(), kOriginsMax));
}

TokenPlan plan_until(const Shown& subject, const MintTerms& terms, std::int64_t lifetime_s) {
  TokenPlan plan{subject.accepted.id, {}, terms.now_s, terms.now_s + lifetime_s};
  plan.details.token_id = terms.token_id;
  plan.details.actors = subject.details.actors;
  plan.details.rights = subject.details.rights;
  return plan;
}

Status check_room_in_chain(const Shown& holder) {
  if (holder.details.actors.size() < kDelegationsMax) return {};
  return refuse_delegation(
      fmt::format("the chain has {} delegations already, the limit", kDelegationsMax));
}

Status check_delegate(const v1::Delegation& asked, const Shown& holder) {
  if (const auto checked = identity::check_id(asked.principal()); !checked)
    return refuse_argument("the delegate: " + checked.error().message);
  const auto& actors = holder.details.actors;
  const auto& bearer = actors.empty() ? holder.accepted.id : actors.front();
  if (asked.principal() != bearer) return {};
  return refuse_delegation("a principal cannot delegate to itself");
}

/// Who acts shows a credential of its own: not one that was lent to it.
Status check_actor(const Shown& subject, const Shown& actor) {
  if (!subject.details.may_act)
    return refuse_delegation(
        "the subject's token was not delegated: its principal has to `delegate` to the actor");
  if (*subject.details.may_act != actor.accepted.id)
    return refuse_delegation(fmt::format("the token was delegated to '{}', and '{}' wants to act",
                                         *subject.details.may_act, actor.accepted.id));
  if (!actor.details.actors.empty() || actor.details.rights || actor.details.may_act)
    return refuse_delegation("the actor's credential is itself delegated: it shows its own one");
  return {};
}

}  // namespace

Result<TokenPlan> plan_mint(const v1::Mint& asked, const Shown& holder, const MintTerms& terms) {
  HECTOR_TRY(check_domain(holder, terms));
  HECTOR_TRY(check_not_delegated(holder));
  HECTOR_TRY(check_audiences(asked.audiences()));
  HECTOR_TRY(check_bound(asked.bound_to()));
  HECTOR_TRY(check_lifetime(asked.ttl_s()));
  const auto rest = HECTOR_TRY(rest_of(holder, terms));
  const auto lifetime = asked.ttl_s() == 0 ? kLifetimeSecondsMax : std::int64_t{asked.ttl_s()};
  auto plan = plan_until(holder, terms, std::min(lifetime, rest));
  plan.audiences = {asked.audiences().begin(), asked.audiences().end()};
  plan.details.bound_to = asked.bound_to();
  plan.details.origins = HECTOR_TRY(origins_of({&holder}));
  return plan;
}

Result<TokenPlan> plan_delegation(const v1::Delegation& asked, const Shown& holder,
                                  const MintTerms& terms) {
  HECTOR_TRY(check_domain(holder, terms));
  HECTOR_TRY(check_not_delegated(holder));
  HECTOR_TRY(check_delegate(asked, holder));
  HECTOR_TRY(check_room_in_chain(holder));
  const Rights rights{asked.rights().begin(), asked.rights().end()};
  HECTOR_TRY(check_shrunk(holder.details.rights, rights));
  const auto rest = HECTOR_TRY(rest_of(holder, terms));
  const auto lifetime = HECTOR_TRY(shrunk_lifetime(asked.ttl_s(), rest));
  auto plan = plan_until(holder, terms, lifetime);
  plan.audiences = {terms.audience};
  plan.details.may_act = asked.principal();
  plan.details.rights = rights;
  plan.details.origins = HECTOR_TRY(origins_of({&holder}));
  return plan;
}

Result<TokenPlan> plan_exchange(const v1::Exchange& asked, const Shown& subject, const Shown& actor,
                                const MintTerms& terms) {
  HECTOR_TRY(check_domain(subject, terms));
  HECTOR_TRY(check_actor(subject, actor));
  HECTOR_TRY(check_room_in_chain(subject));
  HECTOR_TRY(check_audiences(asked.audiences()));
  HECTOR_TRY(check_bound(asked.bound_to()));
  const auto rest = HECTOR_TRY(rest_of(subject, terms));
  const auto rest_of_actor = HECTOR_TRY(rest_of(actor, terms));
  const auto lifetime = HECTOR_TRY(shrunk_lifetime(asked.ttl_s(), std::min(rest, rest_of_actor)));
  auto plan = plan_until(subject, terms, lifetime);
  if (asked.rights_size() != 0) {
    const Rights rights{asked.rights().begin(), asked.rights().end()};
    HECTOR_TRY(check_shrunk(subject.details.rights, rights));
    plan.details.rights = rights;
  }
  plan.audiences = {asked.audiences().begin(), asked.audiences().end()};
  plan.details.bound_to = asked.bound_to();
  plan.details.actors.insert(plan.details.actors.begin(), actor.accepted.id);
  plan.details.origins = HECTOR_TRY(origins_of({&subject, &actor}));
  return plan;
}

}  // namespace hector::authentication
