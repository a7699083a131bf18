// What: Keyset, the versions of one key: which one protects, which may still reveal, which are on
// their way to destruction.
// Why: keys change while ciphertexts stay; every ciphertext names its version by a key id, and what
// a version may still be used for is decided here alone.
// Who: Keyring.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cipher.h"
#include "refusals.h"

namespace hector::privacy {

using KeyId = std::uint32_t;
/// Since any epoch; the keyring's owner says what time it is.
using Moment = std::chrono::seconds;

/// The shortest time in which a destruction can be taken back.
inline constexpr std::chrono::seconds kDestructionDelayMin = std::chrono::hours(24);
/// Where time ends: no sum of times overflows.
inline constexpr std::int64_t kTimeMaxSeconds = 1'000'000'000'000;

enum class VersionState : std::uint8_t { kEnabled, kDisabled, kWaiting, kDestroyed };

/// What of a version outlives a process, without its key.
struct KeptVersion {
  std::uint32_t number = 0;
  KeyId id = 0;
  VersionState state = VersionState::kEnabled;
  Moment made_at{};
  Moment destroyed_at{};  ///< while it waits
};

struct KeyVersion : KeptVersion {
  std::atomic<std::uint64_t> messages{0};
  /// One of the two; none once it is destroyed, and where its key is not known.
  std::unique_ptr<Cipher> cipher;
  std::unique_ptr<Signer> signer;

  [[nodiscard]] bool has_key() const { return cipher != nullptr || signer != nullptr; }
};

struct RotateAfter {
  std::uint64_t messages = 0;  ///< 0: the template's own limit alone
  std::uint64_t seconds = 0;   ///< 0: never by time
};

/// A keyset without its keys.
struct KeptKeyset {
  std::string name;
  const KeyTemplate* form = nullptr;
  RotateAfter rotate_after;
  std::uint32_t primary = 0, min_decrypt = 1, min_encrypt = 1;
  std::vector<KeptVersion> versions;
};

/// One at a time, but for to_protect() and to_reveal…(), which any thread may call meanwhile.
class Keyset {
 public:
  Keyset(std::string name, const KeyTemplate& form, RotateAfter rotate_after);
  /// Its versions have no keys until they are given.
  explicit Keyset(const KeptKeyset& kept);
  [[nodiscard]] KeptKeyset kept() const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const KeyTemplate& form() const { return form_; }
  /// A new version, the primary from now on. The key has the template's length.
  KeyVersion& add(KeyId id, Secret key, Moment now);
  /// The same, without its key.
  KeyVersion& add(KeyId id, Moment now);
  void give_key(KeyVersion& version, Secret key) const;
  [[nodiscard]] std::map<std::uint32_t, KeyVersion>& versions() { return versions_; }
  [[nodiscard]] const std::map<std::uint32_t, KeyVersion>& versions() const { return versions_; }
  [[nodiscard]] std::uint32_t primary() const { return primary_; }

  // Each: INVALID_ARGUMENT where there is no such version.
  Status set_primary(std::int64_t number);
  Status set_min_decrypt(std::int64_t number);
  Status set_min_encrypt(std::int64_t number);
  Status disable(std::int64_t number);
  /// Takes back a destruction that has not come yet.
  Status enable(std::int64_t number);
  struct Destruction {
    std::int64_t number = 0;
    std::int64_t delay_s = 0;
    bool is_forced = false;  ///< the primary too
  };
  Status destroy(const Destruction& asked, Moment now);

  /// Whether the next message is for a version that is not there yet.
  [[nodiscard]] bool is_rotation_due(Moment now) const;
  /// The primary, if it may protect. VERSION_DISALLOWED, KEY_DESTROYED, KEY_UNKNOWN.
  Result<KeyVersion*> to_protect();
  /// The version of this id, if it may reveal. KEY_UNKNOWN, VERSION_DISALLOWED, KEY_DESTROYED.
  Result<KeyVersion*> to_reveal(KeyId id);
  Result<KeyVersion*> to_reveal_version(std::uint32_t number);
  /// Wipes what the time has come for.
  void destroy_due(Moment now);

 private:
  Result<KeyVersion*> find(std::int64_t number);
  Result<KeyVersion*> find_usable(std::int64_t number);
  /// As the least version: it is there, and not above the primary. INVALID_ARGUMENT.
  Result<std::int64_t> least_from(std::int64_t number);
  [[nodiscard]] Status may_use(const KeyVersion& version, std::uint32_t least) const;
  Result<KeyVersion*> with_key(KeyVersion& version) const;
  std::string name_;
  const KeyTemplate& form_;
  RotateAfter rotate_after_;
  std::map<std::uint32_t, KeyVersion> versions_;
  std::map<KeyId, std::uint32_t> numbers_;
  std::uint32_t primary_ = 0, min_decrypt_ = 1, min_encrypt_ = 1;
};

}  // namespace hector::privacy
