// What: KeyFile, the file with the key that wraps all others, sealed with a passphrase or with its
// mode alone; and the ids of keys that are gone for good.
// Why: who has the store alone has no key; and a store that is restored from a backup brings no key
// back that was destroyed since.
// Who: the vault; fuzzed.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cipher.h"
#include "hector/result.h"

namespace hector::privacy {

inline constexpr std::size_t kKeyFileOctetsMax = std::size_t{1} << 20U;

/// A key file's content.
struct KeyFileText {
  std::optional<std::string> salt;  ///< of Argon2id; none: the key stands there as it is
  std::string key;                  ///< sealed, or 32 octets
  std::set<std::uint32_t> gone;
};
/// INVALID_ARGUMENT, without a word of the text.
Result<KeyFileText> read_key_file(std::string_view text);
std::string write_key_file(const KeyFileText& content);

/// Any thread.
class KeyFile {
 public:
  struct Place {
    std::string path;
    std::string passphrase_path;  ///< empty: not sealed
  };
  /// Makes one with a random key. ALREADY_EXISTS, UNAVAILABLE; errors of the passphrase's file.
  static Result<std::unique_ptr<KeyFile>> make(const Place& place);
  /// NOT_FOUND: there is none. FAILED_PRECONDITION: others can read it or its passphrase, or the
  /// passphrase is another one. INVALID_ARGUMENT: it is no key file. Takes a tenth of a second
  /// where there is a passphrase. Blocks.
  static Result<std::unique_ptr<KeyFile>> open(const Place& place);

  [[nodiscard]] std::string wrap(const Secret& key, std::string_view where) const {
    return cipher_->protect(key.view(), where);
  }
  /// None: wrapped by another key, or for another place.
  [[nodiscard]] std::optional<Secret> unwrap(std::string_view wrapped,
                                             std::string_view where) const;
  /// Tells this key from others, and says nothing of it.
  [[nodiscard]] const std::string& id() const { return id_; }

  [[nodiscard]] bool is_gone(std::uint32_t id) const;
  /// On the disk when it returns. Blocks. UNAVAILABLE.
  Status add_gone(const std::vector<std::uint32_t>& ids);

 private:
  KeyFile(std::string path, KeyFileText content, Secret key);
  const std::string path_;
  mutable std::mutex mutex_;  ///< of the content
  KeyFileText content_;       ///< a key that is not sealed is left out
  Secret key_;
  std::string id_;
  std::unique_ptr<Cipher> cipher_;
};

}  // namespace hector::privacy
