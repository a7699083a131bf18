#include "trust_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "bounds.h"
#include "hector/sha256.h"
#include "refusals.h"
#include "replays.h"

namespace hector::authentication {

using state::erasing;
using state::putting;

namespace {

constexpr std::size_t kRealmOctetsMax = 255;
constexpr std::size_t kHexDigitsMax = 128;  ///< of a serial, of a key id
/// A serial without a key id is revoked at each authority of its domain, in one transaction.
constexpr std::size_t kAuthoritiesMax = 50;

static_assert(kBundleOctetsMax < StoreLimits{}.value_octets_max, "a bundle is one value");
static_assert(kAuthoritiesMax < StoreLimits{}.operations_max, "they are put in one transaction");

/// As OpenSSL prints a number: small letters, whole octets, none of them a leading zero. Empty: it
/// is no hexadecimal.
std::string hex_of(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c == ':') continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return {};
    digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (digits.size() > kHexDigitsMax) return {};
  if (digits.size() % 2 != 0) digits.insert(0, 1, '0');
  return digits;
}

std::string serial_of(const std::string& text) {
  auto digits = hex_of(text);
  while (digits.size() > 2 && digits.starts_with("00")) digits.erase(0, 2);
  return digits;
}

Status check_domain(const std::string& domain) {
  if (identity::is_domain(domain)) return {};
  return refuse_argument(
      fmt::format("'{}' is no trust domain: 1 to 255 of small letters, digits, '.', '-' and '_'",
                  domain.substr(0, kRealmOctetsMax)));
}

/// Something that could accept a chain or a token.
Status check_bundle(const v1::Bundle& bundle) {
  HECTOR_TRY(check_domain(bundle.domain()));
  if (bundle.x509().size() + bundle.jwks().size() > kBundleOctetsMax)
    return refuse_argument(fmt::format("a bundle has {} octets at most", kBundleOctetsMax));
  if (bundle.x509().empty() && bundle.jwks().empty())
    return refuse_argument("a bundle has x509 (PEM), jwks or both; `defederate` takes one away");
  if (!bundle.jwks().empty() && !bundle.jwks().starts_with('{'))
    return refuse_argument("jwks is no JSON object: certificates in PEM go into x509");
  if (bundle.x509().starts_with('{'))
    return refuse_argument("x509 is no PEM: a JWKS goes into jwks");
  identity::TrustBundles tried;
  for (const auto* text : {&bundle.x509(), &bundle.jwks()}) {
    if (text->empty()) continue;
    if (const auto added = tried.add(bundle.domain(), *text); !added)
      return refuse_argument(added.error().message);
  }
  return {};
}

/// The names that are meant.
Result<std::vector<std::string>> certificates_of(const TrustState& state,
                                                 const v1::Revocation& asked) {
  HECTOR_TRY(check_domain(asked.domain()));
  const auto serial = serial_of(asked.serial()), key_id = hex_of(asked.key_id());
  if (serial.empty() || (key_id.empty() && !asked.key_id().empty()))
    return refuse_argument("serial and key_id are hexadecimal, of 64 octets at most");
  std::vector<std::string> key_ids{key_id};
  if (key_id.empty()) key_ids = state.bundles()->authorities(asked.domain());
  if (key_ids.empty() || key_ids.size() > kAuthoritiesMax)
    return refuse_argument(fmt::format("'{}' has {} authorities: say by key_id whose serial it is",
                                       asked.domain(), key_ids.size()));
  std::vector<std::string> names;
  for (const auto& each : key_ids) names.push_back("certificate " + each + " " + serial);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::vector<std::string>> names_of(const TrustState& state, const v1::Revocation& asked) {
  const int given = static_cast<int>(!asked.serial().empty()) +
                    static_cast<int>(!asked.jti().empty()) +
                    static_cast<int>(!asked.principal().empty());
  if (given != 1 || asked.reason().size() > kReasonOctetsMax)
    return refuse_argument(
        fmt::format("one of serial, jti and principal is revoked at a time, for a reason of {} "
                    "octets at most",
                    kReasonOctetsMax));
  if (!asked.serial().empty()) return certificates_of(state, asked);
  if (!asked.jti().empty()) {
    HECTOR_TRY(check_domain(asked.domain()));
    if (asked.jti().size() > kTokenIdOctetsMax)
      return refuse_argument(fmt::format("a jti has {} octets at most", kTokenIdOctetsMax));
    return std::vector<std::string>{token_name(asked.domain(), asked.jti())};
  }
  const bool is_kerberos = asked.principal().starts_with("krb:");
  if (const auto checked = identity::check_id(asked.principal()); !checked && !is_kerberos)
    return refuse_argument("principal: " + checked.error().message);
  return std::vector<std::string>{"principal " + asked.principal()};
}

std::string revoked_key(const std::string& name) { return "revoked/" + sha256_hex(name); }

}  // namespace

Result<StoreTransaction> plan_federate(const TrustState& state, const v1::Bundle& bundle) {
  HECTOR_TRY(check_bundle(bundle));
  const auto domains = state.domains();
  if (!domains.contains(bundle.domain()) && domains.size() >= kDomainsMax)
    return refuse_room(fmt::format("{} domains are trusted, the limit", kDomainsMax));
  v1::Bundle kept;
  kept.set_x509(bundle.x509());
  kept.set_jwks(bundle.jwks());
  return putting("bundle/" + bundle.domain(), kept);
}

Result<StoreTransaction> plan_defederate(const TrustState& state, const v1::Domain& asked) {
  HECTOR_TRY(check_domain(asked.domain()));
  if (!state.domains().contains(asked.domain()))
    return refuse(kNoDomain, fmt::format("'{}' is not trusted", asked.domain()), Code::kNotFound);
  return erasing("bundle/" + asked.domain());
}

Result<StoreTransaction> plan_revoke(const TrustState& state, const v1::Revocation& asked) {
  const auto names = HECTOR_TRY(names_of(state, asked));
  if (state.revocations() + names.size() > kRevocationsMax)
    return refuse_room(fmt::format("{} revocations are kept, the limit", kRevocationsMax));
  StoreTransaction transaction;
  for (const auto& name : names) {
    v1::Revocation kept = asked;
    kept.set_is_lifted(false);
    kept.set_revision(0);
    kept.set_name(name);
    transaction.then.push_back(
        StoreOperation::put(revoked_key(name), Bytes::take(kept.SerializeAsString())));
  }
  return transaction;
}

Result<StoreTransaction> plan_reinstate(const TrustState& state, const v1::Revocation& asked) {
  const auto names = HECTOR_TRY(names_of(state, asked));
  if (asked.principal().empty())
    return refuse(
        "NOT_LIFTED",
        "only a principal can be reinstated: for a certificate or a token another one is issued",
        Code::kFailedPrecondition);
  if (!state.is_revoked(names.front()))
    return refuse("NOT_REVOKED", fmt::format("'{}' was not revoked", asked.principal()),
                  Code::kNotFound);
  v1::Revocation kept = *state.revocation(names.front());
  kept.set_is_lifted(true);
  kept.set_reason(asked.reason());
  kept.set_revision(0);
  return putting(revoked_key(names.front()), kept);
}

Result<StoreTransaction> plan_put_entry(const TrustState& state, const v1::Entry& entry) {
  const auto checked = identity::check_id(entry.id());
  if (!checked && !entry.id().starts_with("krb:"))
    return refuse_argument("id: " + checked.error().message);
  if (entry.ByteSizeLong() > kEntryOctetsMax)
    return refuse_argument(fmt::format("an entry has {} octets at most", kEntryOctetsMax));
  if (state.entry(entry.id()) == nullptr && state.entries() >= kEntriesMax)
    return refuse_room(fmt::format("{} principals have entries, the limit", kEntriesMax));
  return putting("entry/" + entry.id(), entry);
}

Result<StoreTransaction> plan_remove_entry(const TrustState& state, const v1::Entry& entry) {
  if (state.entry(entry.id()) != nullptr) return erasing("entry/" + entry.id());
  return refuse("NO_ENTRY", fmt::format("'{}' has no entry", entry.id().substr(0, 300)),
                Code::kNotFound);
}

Result<StoreTransaction> plan_map_realm(const TrustState& state, const v1::RealmMapping& mapping) {
  const auto& name = mapping.realm();
  const bool is_name = !name.empty() && name.size() <= kRealmOctetsMax &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return c > ' ' && c <= '~' && c != '@' && c != '/';
                       });
  if (!is_name)
    return refuse_argument(
        fmt::format("a realm of Kerberos is 1 to {} visible ASCII characters without '@' and '/'",
                    kRealmOctetsMax));
  if (!state.has_realm(name) && state.realms() >= kRealmsMax)
    return refuse_room(fmt::format("{} realms are mapped, the limit", kRealmsMax));
  return putting("realm/" + name, mapping);
}

Result<StoreTransaction> plan_unmap_realm(const TrustState& state,
                                          const v1::RealmMapping& mapping) {
  if (state.has_realm(mapping.realm())) return erasing("realm/" + mapping.realm());
  return refuse("NO_REALM", fmt::format("'{}' is not mapped", mapping.realm().substr(0, 300)),
                Code::kNotFound);
}

StoreTransaction plan_signing_key(const TrustState& state, const std::string& id,
                                  const v1::SigningKey& key, std::int64_t now_s) {
  StoreTransaction transaction = putting("key/" + id, key);
  std::vector<std::pair<std::int64_t, std::string>> kept;
  for (const auto& [other, signing] : state.signing_keys()) {
    if (signing.until_s() > now_s)
      kept.emplace_back(signing.until_s(), other);
    else if (transaction.then.size() < StoreLimits{}.operations_max / 2)
      transaction.then.push_back(StoreOperation::erase("key/" + other));
  }
  if (kept.size() >= kSigningKeysMax)
    transaction.then.push_back(
        StoreOperation::erase("key/" + std::min_element(kept.begin(), kept.end())->second));
  return transaction;
}

}  // namespace hector::authentication
