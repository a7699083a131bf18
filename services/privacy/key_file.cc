#include "key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base64.h"
#include "hector/check.h"
#include "hector/descriptor.h"
#include "refusals.h"

namespace hector::privacy {

namespace {

constexpr std::size_t kKeyOctets = 32;
constexpr std::string_view kHead = "hector-privacy-key-file 1";
constexpr std::string_view kPlain = "sealed-by mode";
constexpr std::string_view kArgon2 = "sealed-by argon2id 3 65536 ";  // passes, KiB: RFC 9106, 4.
constexpr std::string_view kKey = "key ";
constexpr std::string_view kGone = "gone ";
constexpr unsigned long long kPasses = 3;
constexpr std::size_t kMemoryOctets = std::size_t{65'536} * 1024;
constexpr std::string_view kSealedWhere = "hector.privacy.key_file";
constexpr std::size_t kPassphraseOctetsMax = 4096;

tl::unexpected<Error> no_key_file(const std::string& why) {
  return fail(Code::kInvalidArgument, "this is no key file: " + why);
}

tl::unexpected<Error> failed(const std::string& path, const char* what) {
  const int why = errno;
  return fail(why == ENOENT ? Code::kNotFound : Code::kUnavailable,
              fmt::format("'{}' cannot be {}: {}", path, what, std::strerror(why)));
}

/// Its owner's alone.
Result<std::string> read_private(const std::string& path, std::size_t octets_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) return failed(path, "read");
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0)
    return fail(Code::kFailedPrecondition,
                fmt::format("'{0}' can be read or changed by others than its owner, or is another "
                            "user's: keys that it guards may be known; say `chmod 600 {0}`, and "
                            "rotate the keysets",
                            path));
  std::string text(octets_max + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    const auto count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(path, "read");
    if (count == 0 || size == text.size()) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  if (size > octets_max)
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is longer than {} octets", path, octets_max));
  return text;
}

Status sync_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::fsync(opened.get()) != 0) return failed(path, "written");
  return {};
}

enum class Where : std::uint8_t { kNew, kInPlace };

/// Whole or not at all, with mode 0600.
Status write_private(const std::string& path, std::string_view text, Where where) {
  std::string made = path + ".XXXXXX";
  const Descriptor file(::mkstemp(made.data()));
  if (!file.is_open()) return failed(path, "written");
  const bool is_there = write_all(file.get(), text) && ::fsync(file.get()) == 0 &&
                        (where == Where::kNew ? ::link(made.c_str(), path.c_str())
                                              : ::rename(made.c_str(), path.c_str())) == 0;
  const int why = errno;
  if (!is_there || where == Where::kNew) ::unlink(made.c_str());
  errno = why;
  if (!is_there && why == EEXIST)
    return fail(Code::kAlreadyExists, fmt::format("'{}' is there already", path));
  if (!is_there) return failed(path, "written");
  return sync_folder(path);
}

Result<Secret> read_passphrase(const std::string& path) {
  auto text = HECTOR_TRY(read_private(path, kPassphraseOctetsMax));
  const WipedText wiped(text);
  if (text.ends_with('\n')) text.pop_back();
  if (!text.empty()) return Secret::copy(text);
  return fail(Code::kInvalidArgument, fmt::format("'{}' has no passphrase in it", path));
}

/// The key that seals the key.
Result<Secret> sealing_key(const Secret& passphrase, const std::string& salt) {
  Secret key = Secret::copy(std::string(kKeyOctets, '\0'));
  if (crypto_pwhash(key.writable(), kKeyOctets, passphrase.view().data(), passphrase.size(),
                    octets(std::string_view(salt)), kPasses, kMemoryOctets,
                    crypto_pwhash_ALG_ARGON2ID13) == 0)
    return key;
  return fail(Code::kResourceExhausted,
              "Argon2id found no 64 MiB of memory for the passphrase of the key file");
}

std::unique_ptr<Cipher> cipher_of(Secret key) {
  return make_cipher(TemplateId::kXChaCha20, std::move(key));
}

/// Of `gone 1,2,3`.
bool read_ids(std::string_view text, std::set<std::uint32_t>& ids) {
  while (!text.empty()) {
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    ids.insert(id);
    if (text.empty()) return true;
    if (text.front() != ',') return false;
    text.remove_prefix(1);
  }
  return ids.empty();
}

/// The rest of a line that begins with this.
std::optional<std::string_view> after(std::string_view line, std::string_view begin) {
  if (!line.starts_with(begin)) return std::nullopt;
  return line.substr(begin.size());
}

std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

Result<KeyFileText> read_key_file(std::string_view text) {
  KeyFileText content;
  if (next_line(text) != kHead)
    return no_key_file(fmt::format("its first line is not '{}'", kHead));
  const auto seal = next_line(text);
  if (const auto salt = after(seal, kArgon2)) {
    content.salt = base64_decode(*salt, Padding::kWith);
    if (!content.salt || content.salt->size() != crypto_pwhash_SALTBYTES)
      return no_key_file("its salt is not 16 octets");
  } else if (seal != kPlain) {
    return no_key_file("its second line does not say how it is sealed");
  }
  const auto key = after(next_line(text), kKey);
  auto octets = key ? base64_decode(*key, Padding::kWith) : std::nullopt;
  const std::size_t sealed = content.salt ? kKeyOctets + 40 : kKeyOctets;  // nonce 24, tag 16
  if (!octets || octets->size() != sealed)
    return no_key_file("its third line has no key of the right length");
  content.key = std::move(*octets);
  const auto gone = after(next_line(text), kGone);
  if (!gone || !read_ids(*gone, content.gone) || !text.empty())
    return no_key_file("its fourth line does not list keys that are gone, or is not the last");
  return content;
}

std::string write_key_file(const KeyFileText& content) {
  std::string text = std::string(kHead) + "\n";
  if (content.salt)
    text += std::string(kArgon2) + base64_encode(*content.salt, Padding::kWith) + "\n";
  else
    text += std::string(kPlain) + "\n";
  text +=
      std::string(kKey) + base64_encode(content.key, Padding::kWith) + "\n" + std::string(kGone);
  for (const auto id : content.gone) {
    if (!text.ends_with(' ')) text += ',';
    text += std::to_string(id);
  }
  return text + "\n";
}

KeyFile::KeyFile(std::string path, KeyFileText content, Secret key)
    : path_(std::move(path)), content_(std::move(content)), key_(Secret::copy(key.view())) {
  if (!content_.salt) {
    sodium_memzero(content_.key.data(), content_.key.size());
    content_.key.clear();
  }
  unsigned char hash[crypto_generichash_BYTES_MIN];
  crypto_generichash(hash, sizeof hash, octets(kSealedWhere), kSealedWhere.size(), key.data(),
                     key.size());
  for (const unsigned char octet : hash) id_ += fmt::format("{:02x}", octet);
  cipher_ = cipher_of(std::move(key));
}

Result<std::unique_ptr<KeyFile>> KeyFile::make(const Place& place) {
  Secret key = Secret::random(kKeyOctets);
  KeyFileText content;
  content.key = std::string(key.view());
  const WipedText wiped(content.key);
  if (!place.passphrase_path.empty()) {
    const Secret passphrase = HECTOR_TRY(read_passphrase(place.passphrase_path));
    content.salt = random_octets(crypto_pwhash_SALTBYTES);
    auto seal = HECTOR_TRY(sealing_key(passphrase, *content.salt));
    content.key = cipher_of(std::move(seal))->protect(key.view(), kSealedWhere);
  }
  auto text = write_key_file(content);
  const WipedText wiped_text(text);
  HECTOR_TRY(write_private(place.path, text, Where::kNew));
  return std::unique_ptr<KeyFile>(new KeyFile(place.path, content, std::move(key)));
}

Result<std::unique_ptr<KeyFile>> KeyFile::open(const Place& place) {
  auto text = HECTOR_TRY(read_private(place.path, kKeyFileOctetsMax));
  const WipedText wiped(text);
  auto read = read_key_file(text);
  if (!read)
    return fail(read.error().code, fmt::format("'{}': {}; bring it back from its backup",
                                               place.path, read.error().message));
  const WipedText wiped_key(read->key);
  if (!read->salt)
    return std::unique_ptr<KeyFile>(new KeyFile(place.path, *read, Secret::copy(read->key)));
  if (place.passphrase_path.empty())
    return fail(Code::kFailedPrecondition,
                fmt::format("'{}' is sealed with a passphrase: name its file in the service's "
                            "setting `passphrase_file`",
                            place.path));
  const Secret passphrase = HECTOR_TRY(read_passphrase(place.passphrase_path));
  auto seal = HECTOR_TRY(sealing_key(passphrase, *read->salt));
  auto opened = cipher_of(std::move(seal))->reveal(read->key, kSealedWhere);
  if (!opened)
    return fail(Code::kFailedPrecondition,
                fmt::format("the passphrase in '{}' does not open '{}', or that file was changed",
                            place.passphrase_path, place.path));
  const WipedText wiped_opened(*opened);
  return std::unique_ptr<KeyFile>(new KeyFile(place.path, *read, Secret::copy(*opened)));
}

std::optional<Secret> KeyFile::unwrap(std::string_view wrapped, std::string_view where) const {
  auto key = cipher_->reveal(wrapped, where);
  if (!key) return std::nullopt;
  const WipedText wiped(*key);
  return Secret::copy(*key);
}

bool KeyFile::is_gone(std::uint32_t id) const {
  const std::lock_guard lock(mutex_);
  return content_.gone.contains(id);
}

Status KeyFile::add_gone(const std::vector<std::uint32_t>& ids) {
  const std::lock_guard lock(mutex_);
  KeyFileText changed = content_;
  changed.gone.insert(ids.begin(), ids.end());
  if (changed.gone.size() == content_.gone.size()) return {};
  if (const auto there = read_private(path_, kKeyFileOctetsMax)) {  // another capsule may share it
    if (const auto read = read_key_file(*there))
      changed.gone.insert(read->gone.begin(), read->gone.end());
  }
  if (!changed.salt) changed.key = std::string(key_.view());
  const WipedText wiped(changed.key);
  auto text = write_key_file(changed);
  const WipedText wiped_text(text);
  HECTOR_TRY(write_private(path_, text, Where::kInPlace));
  content_.gone.swap(changed.gone);
  return {};
}

}  // namespace hector::privacy
