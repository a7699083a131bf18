// What: CapsuleCredentials: a process's identity and whom it trusts, out of a realm's folder or of
// files, kept as they are there.
// Why: certificates are short-lived and revocations count at once, and neither may need a restart.
// Who: hector-capsule; the command line.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hector/clock.h"
#include "hector/credentials.h"
#include "hector/identity.h"
#include "hector/log.h"
#include "hector/realm.h"
#include "hector/thread.h"

namespace hector {

/// What is done where the realm has issued nothing of the name, and could: its authority is here.
enum class IfMissing : std::uint8_t { kIssue, kRefuse };

struct IdentitySettings {
  std::string realm;  ///< a folder; empty: no identity
  std::string name;   ///< "capsule/north"
  /// Chain and key, PEM, 0600; empty: the realm's of that name.
  std::string file;
  /// Other trust domains, each with a file of its authorities (PEM or JWKS).
  std::map<std::string, std::string> trust;
  IfMissing if_missing = IfMissing::kIssue;
  bool operator==(const IdentitySettings&) const = default;
};

/// As Credentials. A thread looks at the files twice a second. Where the realm's authority is in
/// its folder, the identity is issued if there is none (IfMissing), and renewed at half of its
/// life.
class CapsuleCredentials final : public Credentials {
 public:
  /// NOT_FOUND, FAILED_PRECONDITION: a file is not there, or not what it should be; the identity is
  /// not accepted by what is trusted.
  static Result<std::unique_ptr<CapsuleCredentials>> open(const IdentitySettings& settings,
                                                          Log& log);
  ~CapsuleCredentials() override;

  std::shared_ptr<const OwnIdentity> own() const override;
  const std::string& principal() const noexcept override { return principal_; }
  std::string authorities() const override;
  Result<PeerIdentity> examine(std::string_view chain) const override;
  void on_change(const void* owner, std::function<void()> changed) override;

 private:
  using Bundles = std::shared_ptr<const identity::TrustBundles>;
  /// What a file was when it was read: it has changed where this has.
  using Stamp = std::vector<std::string>;

  CapsuleCredentials(const IdentitySettings& settings, identity::Realm realm, Log& log);
  Status load();
  [[nodiscard]] Stamp stamp() const;
  [[nodiscard]] Result<Bundles> read_trust() const;
  /// With the realm's lock; one of another process may have come first.
  Status issue(identity::Instant now);
  void watch();
  void look();
  void renew(identity::Instant now);
  void warn_of_end(identity::Instant now);
  void tell_owners();

  const IdentitySettings settings_;
  identity::Realm realm_;
  Log& log_;
  std::string principal_;

  mutable std::mutex mutex_;
  std::shared_ptr<const OwnIdentity> own_;
  Bundles bundles_;
  std::string authorities_;

  // The watching thread's, after open().
  identity::Instant not_after_;
  std::int64_t lifetime_seconds_ = 0;
  Stamp seen_;
  std::string said_;
  std::int64_t warned_at_ = 0;  ///< which of the warnings
  std::int64_t renew_after_ = 0;

  std::mutex owners_mutex_;  ///< held while none of them is told
  std::condition_variable told_;
  std::map<const void*, std::function<void()>> owners_;
  const void* telling_ = nullptr;  ///< which owner is told just now

  std::mutex stop_mutex_;
  std::condition_variable stopped_;
  bool stops_ = false;
  Thread thread_;
};

/// "capsule:north" for spiffe://DOMAIN/capsule/north of this domain, else the id.
std::string principal_of(const std::string& id, const std::string& own_domain);

}  // namespace hector
