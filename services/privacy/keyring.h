// What: Keyring, all keysets and the keys of subjects: protects, reveals, signs, and forgets.
// Why: a ciphertext's prefix (0x01 ‖ key id) leads to one key of one keyset; ids are unique over
// all of them, and a subject's keys can be destroyed without touching anybody else's.
// Who: the trial of steps; the servant.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "keyset.h"

namespace hector::privacy {

inline constexpr std::size_t kNameOctetsMax = 500;
inline constexpr std::size_t kKeysMax = 10'000;
inline constexpr std::size_t kPrefixOctets = 5;

/// Of tests and of people who try things out: a key that is known. The service makes its own.
struct KnownKey {
  std::optional<Secret> key;
  std::optional<KeyId> id;
};

struct NewKeyset {
  std::string name, form;
  RotateAfter rotate_after;
};

/// A version as it is told.
struct VersionName {
  std::uint32_t number = 0;
  KeyId id = 0;
};

struct Protected {
  std::string octets;
  std::uint32_t version = 0;
};

struct DataKey {
  std::string wrapped;
  Secret key;
};

/// One subject's key under one version of one keyset, wrapped by that version: who has the store
/// and the keyset still cannot read what is of a subject whose key is gone.
struct SubjectKey {
  std::string subject;  ///< empty where it was shredded
  std::string keyset;
  std::uint32_t version = 0;
  KeyId id = 0;
  std::string wrapped;
  bool is_shredded = false;
};

/// What has to be made before the next message can be protected.
enum class Need : std::uint8_t { kNothing, kVersion, kSubjectKey };

/// What is protected or revealed, and where it belongs.
struct Place {
  std::string keyset;
  std::string aad;
  std::string subject = {};  ///< empty: the keyset's own key
};

/// One at a time, but for need_of(), protect(), open(), verify() and make_subject_key(), which any
/// thread may call meanwhile. Names of refusals are in refusals.h; KEY_UNKNOWN where there is no
/// such keyset.
class Keyring {
 public:
  Keyring();
  ~Keyring();
  /// EXISTS, INVALID_ARGUMENT.
  Result<VersionName> create(const NewKeyset& asked, KnownKey known = {});
  Result<VersionName> rotate(const std::string& keyset, KnownKey known = {});
  Result<Protected> encrypt(const Place& place, std::string_view text);
  /// AUTH_FAILED, KEY_UNKNOWN, VERSION_DISALLOWED, KEY_DESTROYED. `subject` may be left out.
  Result<Protected> decrypt(const Place& place, std::string_view ciphertext);
  /// The same text under the primary (of the same subject).
  Result<Protected> rewrap(const Place& place, std::string_view ciphertext);
  /// INVALID_ARGUMENT: not 128, 256 or 512 bits.
  static Result<Secret> new_data_key(std::int64_t bits);
  Result<DataKey> make_data_key(const std::string& keyset, std::int64_t bits);
  Result<std::string> sign(const std::string& keyset, std::string_view data);
  /// The version that signed.
  Result<std::uint32_t> verify(const std::string& keyset, std::string_view data,
                               std::string_view signature);
  /// Destroys every key of this subject. Idempotent.
  void shred(const std::string& subject);
  /// KEY_UNKNOWN.
  Result<Keyset*> keyset(const std::string& name);

  // For whoever keeps keys elsewhere, and makes what is needed there first.

  /// INVALID_ARGUMENT, EXISTS.
  Result<const KeyTemplate*> check_new(const NewKeyset& asked) const;
  /// Of the next encrypt() at this place, or of the next sign().
  Result<Need> need_of(const Place& place, Moment now);
  Result<Need> need_of_signature(const std::string& keyset, Moment now);
  /// As encrypt() and sign(), where nothing is needed.
  Result<Protected> protect(const Place& place, std::string_view text);
  Result<Protected> sign_only(const std::string& keyset, std::string_view data);
  struct Opened {
    std::string text;
    std::uint32_t version = 0;
    std::string subject;
  };
  Result<Opened> open(const Place& place, std::string_view ciphertext);
  /// For the primary; it is not in the ring yet.
  Result<SubjectKey> make_subject_key(const std::string& keyset, const std::string& subject);
  [[nodiscard]] KeyId free_id() const;
  [[nodiscard]] std::size_t size() const { return ids_.size(); }

  void clear();
  /// In place of the one of its name, whose counts it takes over, and keys where it has none.
  void put(Keyset keyset);
  void put(SubjectKey key);
  [[nodiscard]] const std::map<std::string, Keyset>& keysets() const { return keysets_; }
  [[nodiscard]] const std::map<KeyId, SubjectKey>& subject_keys() const { return subject_keys_; }

  [[nodiscard]] Moment now() const { return now_; }
  void set_now(Moment now);

 private:
  enum class Work : std::uint8_t { kEncrypts, kSigns };
  static Result<const KeyTemplate*> check_form(const NewKeyset& asked);
  [[nodiscard]] Status check_free(const std::string& name) const;
  Result<Keyset*> keyset_for(const std::string& name, Work work);
  Result<VersionName> add_version(Keyset& keyset, KnownKey known);
  /// The primary that takes one message more, after a rotation that is due.
  Result<KeyVersion*> next_version(Keyset& keyset);
  Status add_subject_key(const Place& place);
  SubjectKey* find_subject_key(const std::string& keyset, std::uint32_t version,
                               const std::string& subject);
  static Result<std::unique_ptr<Cipher>> cipher_of(const KeyVersion& version,
                                                   const KeyTemplate& form, const SubjectKey& key);
  Result<Opened> open_subject(Keyset& keyset, SubjectKey& key, const Place& place,
                              std::string_view body);
  KeyId new_id();

  Moment now_{};
  std::map<std::string, Keyset> keysets_;
  std::map<KeyId, SubjectKey> subject_keys_;
  /// By subject, keyset and version; without what was shredded.
  std::map<std::tuple<std::string, std::string, std::uint32_t>, KeyId> live_subject_keys_;
  std::set<KeyId> ids_;
};

}  // namespace hector::privacy
