// What: Vault, the keysets of a store as a state machine: records wrapped by the key file's key
// become a Keyring; changes are planned as transactions.
// Why: a version protects only after it is stored, since the ring knows what the store's events
// say and nothing else; and a plan is tested without a store.
// Who: the servant.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hector/log.h"
#include "key_file.h"
#include "keyring.h"
#include "privacy_messages.pb.h"
#include "state/replica.h"

namespace hector::privacy {

inline constexpr std::size_t kVersionsMax = 1'000;  ///< of one keyset: it is one value of a store
inline constexpr std::size_t kShreddedAtOnce = 90;  ///< keys: they are one transaction of a store
inline constexpr const char* kOtherKeyFile = "OTHER_KEY_FILE";

/// Machine and plans as Replica has them.
class Vault final : public state::Machine {
 public:
  struct Options {
    std::string capsule;
    Log* log = nullptr;
    KeyFile* key_file = nullptr;  ///< outlives it
  };
  explicit Vault(const Options& options) : options_(options) {}

  void clear() override;
  void apply(const StoreEvent& event) override;
  void applied(Revision) override { is_loading_ = false; }
  void published(Revision) override {
    if (has_new_gone_.exchange(false) && on_gone) on_gone();
  }
  /// Without the lock: gone() has more than before.
  std::function<void()> on_gone;

  [[nodiscard]] Keyring& ring() { return ring_; }
  /// Ids of keys that were destroyed and that the key file does not say so of.
  [[nodiscard]] std::vector<KeyId> gone() const;
  /// Of every capsule, as it was stored.
  [[nodiscard]] const std::map<std::string, v1::Uses>& uses() const { return uses_; }
  [[nodiscard]] Result<v1::Keysets> describe(const std::string& name) const;

  // Plans. Each: OTHER_KEY_FILE where the store's keys are wrapped by another file's key.

  /// EXISTS, INVALID_ARGUMENT, TOO_LARGE.
  Result<StoreTransaction> plan_create(const v1::NewKeyset& asked, Moment now, v1::Version& made);
  /// KEY_UNKNOWN, TOO_LARGE.
  Result<StoreTransaction> plan_rotate(const std::string& name, Moment now, v1::Version& made);
  /// Nothing to change where it is not due any more.
  Result<StoreTransaction> plan_due_rotation(const std::string& name, Moment now);
  using Change = std::function<Status(Keyset& keyset)>;
  Result<StoreTransaction> plan_change(const std::string& name, const Change& change);
  /// Nothing to change where it is there.
  Result<StoreTransaction> plan_subject_key(const Place& place, Moment now);
  /// Of as many keys as one transaction takes; `keys` says how many.
  Result<StoreTransaction> plan_shred(const std::string& subject, std::uint32_t& keys);
  /// Of the first keyset with a version whose time has come; else nothing to change.
  Result<StoreTransaction> plan_destroy_due(Moment now);
  [[nodiscard]] StoreTransaction plan_uses(const v1::Uses& uses) const;

 private:
  struct Kept {
    std::map<std::uint32_t, std::string> wrapped;  ///< by the version's number
    Revision modified = 0;
  };
  void note_gone(KeyId id);
  void put_keyset(const StoreEntry& entry);
  void put_subject_key(const StoreEntry& entry);
  void put_uses(const std::string& capsule, const StoreEntry& entry);
  void complain(const std::string& key, const std::string& why) const;
  [[nodiscard]] Result<StoreTransaction> begin() const;
  [[nodiscard]] Result<KeyId> next_id(const Keyset& keyset) const;
  /// Puts the keyset, with a new version's wrapped key if there is one.
  Result<StoreTransaction> plan_put(const Keyset& keyset, StoreCompare compare,
                                    const std::map<std::uint32_t, std::string>& wrapped) const;
  Result<StoreTransaction> plan_version(Keyset keyset, Moment now, v1::Version& made,
                                        StoreCompare compare);

  const Options options_;
  Keyring ring_;
  std::map<std::string, Kept> kept_;
  std::map<std::string, v1::Uses> uses_;
  std::string key_file_id_;  ///< whose key wraps this store's keys; empty: there are none yet
  bool is_loading_ = true;
  std::atomic<bool> has_new_gone_{false};
};

}  // namespace hector::privacy
