// What: TrustState, what Authentication knows: bundles, its own keys for tokens, revocations,
// entries of principals, ids of tokens that were accepted once.
// Why: only the store's events change it, so that it is the same after kill -9 and in every capsule
// that shares the store.
// Who: the Authentication servant. Keys of the store: "bundle/DOMAIN", "key/KID",
// "revoked/SHA-256", "entry/ID", "realm/NAME", "used/SHA-256", "floor".
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "authentication_messages.pb.h"
#include "hector/identity.h"
#include "state/replica.h"

namespace hector::authentication {

/// Reads hold Replica::read(), or nothing else changes it.
class TrustState final : public state::Machine {
 public:
  void clear() override;
  void apply(const StoreEvent& event) override;
  void applied(Revision revision) override;
  void published(Revision revision) override {
    if (on_change) on_change(revision);
  }
  /// Called without a lock after each change.
  std::function<void(Revision)> on_change;

  /// What credentials are judged against, as of now. Owners: this, and who judges meanwhile.
  [[nodiscard]] std::shared_ptr<const identity::TrustBundles> bundles() const { return trusted_; }
  /// With the domain's own keys for tokens; empty texts where there is none.
  [[nodiscard]] v1::Bundle bundle(const std::string& domain) const;
  [[nodiscard]] std::set<std::string> domains() const;

  [[nodiscard]] bool is_revoked(const std::string& name) const;
  /// Those that were put after the revision, lifted ones too, the first one first.
  [[nodiscard]] std::vector<v1::Revocation> revocations_after(Revision revision) const;
  [[nodiscard]] std::size_t revocations() const { return revoked_.size(); }
  [[nodiscard]] const v1::Revocation* revocation(const std::string& name) const;

  [[nodiscard]] const v1::Entry* entry(const std::string& id) const;
  [[nodiscard]] std::size_t entries() const { return entries_.size(); }
  [[nodiscard]] bool has_realm(const std::string& name) const { return realms_.contains(name); }
  [[nodiscard]] std::size_t realms() const { return realms_.size(); }
  [[nodiscard]] const std::map<std::string, v1::SigningKey>& signing_keys() const { return keys_; }

  /// An id of a token by its key in the store.
  [[nodiscard]] bool is_used(const std::string& key) const { return used_.contains(key); }
  [[nodiscard]] std::size_t used() const { return used_.size(); }
  /// Keys whose tokens have ended before `now_s`, the earliest first, `most` of them.
  [[nodiscard]] std::vector<std::string> ended(std::int64_t now_s, std::size_t most) const;
  /// When the last token ended whose id was forgotten; of tokens that ended before, nobody can say
  /// whether they were used.
  [[nodiscard]] std::int64_t floor_s() const { return floor_s_; }
  [[nodiscard]] Revision floor_modified() const { return floor_modified_; }
  [[nodiscard]] std::int64_t used_until(const std::string& key) const;

 private:
  struct Revoked {
    v1::Revocation what;
    Revision modified = 0;
  };
  void apply_revoked(const StoreEvent& event);
  void apply_used(const std::string& name, const StoreEvent& event);
  void apply_floor(const StoreEvent& event);
  void rebuild();

  std::map<std::string, v1::Bundle> bundles_;
  std::map<std::string, v1::SigningKey> keys_;
  std::map<std::string, Revoked> revoked_;                  ///< by name
  std::set<std::pair<Revision, std::string>> by_revision_;  ///< of revoked_
  std::map<std::string, v1::Entry> entries_;
  std::map<std::string, v1::RealmMapping> realms_;
  std::map<std::string, std::int64_t> used_;               ///< when its token has ended
  std::set<std::pair<std::int64_t, std::string>> by_end_;  ///< of used_
  std::int64_t floor_s_ = 0;
  Revision floor_modified_ = 0;
  bool is_trust_new_ = true;
  std::shared_ptr<const identity::TrustBundles> trusted_ =
      std::make_shared<const identity::TrustBundles>();
};

}  // namespace hector::authentication
