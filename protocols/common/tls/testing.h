// What: TestCredentials: credentials of a realm that a test makes.
// Why: tests of protocols prove real identities, and revoke and replace them, without a capsule's
// process.
// Who: tests of protocols.
#pragma once

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

#include "hector/check.h"
#include "hector/credentials.h"
#include "hector/identity.h"
#include "hector/realm.h"

namespace hector::tls {

inline identity::Instant test_now() { return {static_cast<std::int64_t>(std::time(nullptr)), 0}; }

/// A realm in a folder that goes with it.
class TestRealm {
 public:
  explicit TestRealm(const std::string& domain = "test.example") {
    std::string folder = "/tmp/hector-tls-XXXXXX";
    HECTOR_CHECK(mkdtemp(folder.data()) != nullptr, "no folder can be made");
    folder_ = folder;
    auto made = identity::Realm::make({folder_ + "/realm", domain}, test_now());
    HECTOR_CHECK(made.has_value(), "no realm can be made");
    realm_ = std::make_unique<identity::Realm>(std::move(*made));
  }
  ~TestRealm() { std::filesystem::remove_all(folder_); }
  identity::Realm& operator*() { return *realm_; }
  identity::Realm* operator->() { return realm_.get(); }
  /// Chain and key of this name, issued where there is none.
  OwnIdentity identity(const std::string& name, std::int64_t lifetime_seconds = 3600) {
    const auto issued = realm_->issue({name, lifetime_seconds}, test_now());
    HECTOR_CHECK(issued.has_value(), "no identity can be issued");
    std::stringstream text;
    text << std::ifstream(issued->file).rdbuf();
    return {text.str(), text.str()};
  }

  /// PEM.
  [[nodiscard]] std::string authorities() const {
    std::stringstream text;
    text << std::ifstream(folder_ + "/realm/bundle.pem").rdbuf();
    return text.str();
  }

 private:
  std::string folder_;
  std::unique_ptr<identity::Realm> realm_;
};

/// Of one name of a realm, as the realm is at this moment or at the last refresh().
class TestCredentials final : public Credentials {
 public:
  TestCredentials(TestRealm& realm, const std::string& name)
      : realm_(realm), principal_(principal_of("spiffe://" + realm->trust_domain() + "/" + name)) {
    own_ = std::make_shared<OwnIdentity>(realm.identity(name));
    refresh();
  }
  std::shared_ptr<const OwnIdentity> own() const override {
    const std::lock_guard lock(mutex_);
    return own_;
  }
  const std::string& principal() const noexcept override { return principal_; }
  std::string authorities() const override { return realm_.authorities(); }
  Result<PeerIdentity> examine(std::string_view chain) const override {
    const std::lock_guard lock(mutex_);
    identity::Instant now = test_now();
    now.seconds += ahead_;
    const auto id = identity::judge(chain, bundles_, {now, {}});
    if (!id)
      return fail(Error{Code::kUnauthenticated, id.error().message}.with_type(
          identity::fault_name(id.error().fault)));
    return PeerIdentity{*id, principal_of(*id)};
  }
  void on_change(const void* owner, std::function<void()> changed) override {
    const std::lock_guard lock(mutex_);
    if (changed)
      changed_[owner] = std::move(changed);
    else
      changed_.erase(owner);
  }
  /// Chains are examined as of so many seconds from now.
  void set_ahead(std::int64_t seconds) {
    const std::lock_guard lock(mutex_);
    ahead_ = seconds;
  }
  /// Reads the realm's trust and revocations again, and takes this identity if it is given.
  void refresh(std::shared_ptr<const OwnIdentity> own = nullptr) {
    std::map<const void*, std::function<void()>> changed;
    {
      const std::lock_guard lock(mutex_);
      bundles_ = identity::TrustBundles();
      HECTOR_CHECK(realm_->trust(bundles_).has_value(), "a realm's trust cannot be read");
      if (own) own_ = std::move(own);
      changed = changed_;
    }
    for (const auto& [owner, each] : changed) each();
  }

 private:
  [[nodiscard]] std::string principal_of(const std::string& id) const {
    const std::string own_domain = "spiffe://" + realm_->trust_domain() + "/";
    if (!id.starts_with(own_domain)) return id;
    std::string path = id.substr(own_domain.size());
    if (const auto slash = path.find('/'); slash != std::string::npos) path[slash] = ':';
    return path;
  }

  TestRealm& realm_;
  const std::string principal_;
  mutable std::mutex mutex_;
  std::shared_ptr<const OwnIdentity> own_;
  identity::TrustBundles bundles_;
  std::int64_t ahead_ = 0;
  std::map<const void*, std::function<void()>> changed_;
};

}  // namespace hector::tls
