// What: a realm: one trust domain's authority, the identities that it issued, and those it revoked,
// in a folder.
// Why: capsules and people get short-lived identities with one command and no server.
// Who: `hector init`, `hector identity …`.
#pragma once

#include <string>
#include <vector>

#include "hector/identity.h"

namespace hector::identity {

/// One certificate that the realm issued.
struct Issued {
  std::string name;    ///< the id's path without its first '/': "capsule/north"
  std::string id;      ///< spiffe://…
  std::string serial;  ///< hexadecimal
  Instant not_after;
  bool is_revoked = false;
  std::string file;  ///< chain and key, PEM, 0600; empty where a later one took its place
};

enum class KeyKind : std::uint8_t { kP256, kEd25519 };

inline constexpr std::int64_t kLifetimeSecondsMax = 90LL * 24 * 3600;
inline constexpr std::int64_t kAuthorityLifetimeSeconds = 365LL * 24 * 3600;

struct IssuePlan {
  std::string name;
  std::int64_t lifetime_seconds = 24LL * 3600;
  std::vector<std::string> hosts = {};  ///< DNS names beside the id
};

struct RealmPlan {
  std::string folder;
  std::string trust_domain;
  KeyKind authority_key = KeyKind::kP256;
  std::vector<IssuePlan> first = {};  ///< what it issues as it is made
};

/// Its operations change the folder whole or not at all, one process at a time. Each blocks for as
/// long as its files take. UNAVAILABLE: a file cannot be read or written. One thread at a time.
class Realm {
 public:
  /// Makes the folder with a new authority. ALREADY_EXISTS; INVALID_ARGUMENT: no trust domain.
  static Result<Realm> make(const RealmPlan& plan, Instant now);
  /// NOT_FOUND: it is no realm.
  static Result<Realm> open(const std::string& folder);

  [[nodiscard]] const std::string& trust_domain() const { return trust_domain_; }

  /// A new key and a certificate. ALREADY_EXISTS: it has an identity that can be renewed.
  /// INVALID_ARGUMENT: no name, or a lifetime that is not within 1 s and 90 days.
  /// FAILED_PRECONDITION: the authority has expired, or others can read its key.
  Result<Issued> issue(const IssuePlan& plan, Instant now);
  /// Another key and certificate in place of the last one, which stays valid to its end. No hosts,
  /// and a lifetime of 0: as the last one has them. NOT_FOUND.
  Result<Issued> renew(const IssuePlan& plan, Instant now);
  /// Every certificate of this name that has not expired, or the one with this serial; those that
  /// were revoked now. NOT_FOUND: none was issued.
  Result<std::vector<Issued>> revoke(const std::string& name_or_serial, Instant now);
  /// Another authority that is trusted beside the present one, and issues nothing yet: whoever
  /// reads the bundle trusts what it will issue. ALREADY_EXISTS: one is prepared.
  Status prepare_authority(KeyKind kind, Instant now);
  /// The prepared one issues from now on; the one before stays trusted. FAILED_PRECONDITION: none
  /// is prepared.
  Status activate_authority(Instant now);
  enum class Retire : std::uint8_t { kAfterTheirLast, kNow };
  /// Those before the present one are trusted no more. FAILED_PRECONDITION: something that they
  /// issued is valid still, and it is to be after their last.
  Status retire_authorities(Retire when, Instant now);
  /// By name, then age; with those that have expired.
  [[nodiscard]] Result<std::vector<Issued>> list() const;

  /// Adds the realm's bundle and what it revoked.
  Status trust(TrustBundles& bundles) const;
  /// Where the identity of this name is, or would be.
  [[nodiscard]] std::string identity_file(const std::string& name) const;
  /// Whether this process can issue: the authority's key is here, and is its own.
  [[nodiscard]] bool can_issue() const;

 private:
  Realm(std::string folder, std::string trust_domain)
      : folder_(std::move(folder)), trust_domain_(std::move(trust_domain)) {}

  Result<Issued> write_identity(const IssuePlan& plan, Instant now);
  [[nodiscard]] std::string path(const std::string& name) const;

  std::string folder_;
  std::string trust_domain_;
};

/// A chain, leaf first, and its leaf's key, both PEM.
struct IdentityText {
  std::string chain, key;
  std::int64_t lifetime_seconds = 0;  ///< the leaf's, from its beginning
};
/// Out of one file, in any order. NOT_FOUND. FAILED_PRECONDITION: others than its owner can read
/// it, it holds no certificate, or no key, or one that is not the leaf's.
Result<IdentityText> read_identity_file(const std::string& path);

}  // namespace hector::identity
