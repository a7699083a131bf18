#include "age_file.h"

#include <algorithm>

#include "base64.h"
#include "hkdf.h"
#include "hpke.h"
#include "refusals.h"

namespace hector::privacy {

namespace {

constexpr std::size_t kFileKey = 16;
constexpr std::string_view kX25519 = "X25519";
constexpr std::string_view kScrypt = "scrypt";
/// Each wrapping key is used once.
constexpr unsigned char kNoNonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = {};

Wiped<32> wrapping_key(const Wiped<32>& shared, std::string_view share,
                       std::string_view recipient) {
  return hkdf(shared.view(), std::string(share) + std::string(recipient),
              {"age-encryption.org/v1/X25519"});
}

Stanza wrap(const Wiped<kFileKey>& file_key, std::string_view recipient) {
  Wiped<kX25519Octets> ephemeral;
  randombytes_buf(ephemeral.data(), kX25519Octets);
  const std::string share = x25519_public(ephemeral.view());
  const auto shared = x25519(ephemeral.view(), recipient);
  const auto key = wrapping_key(*shared, share, recipient);
  std::string body(kFileKey + kChunkTag, '\0');
  crypto_aead_chacha20poly1305_ietf_encrypt(octets(body), nullptr, file_key.data(), kFileKey,
                                            nullptr, 0, nullptr, kNoNonce, key.data());
  return {{std::string(kX25519), base64_encode(share, Padding::kWithout)}, body};
}

/// The share of an X25519 stanza. MALFORMED.
Result<std::string> share_of(const Stanza& stanza) {
  if (stanza.arguments.size() != 2) return refuse_malformed("an X25519 stanza has one argument");
  auto share = base64_decode(stanza.arguments[1], Padding::kWithout);
  if (!share || share->size() != kX25519Octets)
    return refuse_malformed("the share of an X25519 stanza is not 32 octets");
  if (stanza.body.size() != kFileKey + kChunkTag)
    return refuse_malformed("the body of an X25519 stanza is not 32 octets");
  return std::move(*share);
}

/// False: the stanza is for another identity. MALFORMED: for nobody.
Result<bool> unwrap(const Stanza& stanza, const Secret& identity, Wiped<kFileKey>& file_key) {
  const auto share = HECTOR_TRY(share_of(stanza));
  const auto shared = x25519(identity.view(), share);
  if (!shared) return refuse_malformed("the share of an X25519 stanza protects nothing");
  const auto key = wrapping_key(*shared, share, x25519_public(identity.view()));
  return crypto_aead_chacha20poly1305_ietf_decrypt(
             file_key.data(), nullptr, nullptr, octets(std::string_view(stanza.body)),
             stanza.body.size(), nullptr, 0, kNoNonce, key.data()) == 0;
}

/// Every X25519 stanza is looked at, so that a file is well formed or not whoever opens it.
Result<Wiped<kFileKey>> find_file_key(const AgeHeader& header,
                                      const std::vector<Secret>& identities) {
  std::optional<Wiped<kFileKey>> found;
  for (const auto& stanza : header.stanzas) {
    if (stanza.arguments[0] == kScrypt && header.stanzas.size() > 1)
      return refuse_malformed("a scrypt stanza is not alone");
    if (stanza.arguments[0] != kX25519) continue;
    HECTOR_TRY(share_of(stanza));
    for (const auto& identity : identities) {
      Wiped<kFileKey> file_key;
      const bool is_ours = HECTOR_TRY(unwrap(stanza, identity, file_key));
      if (is_ours && !found) found = file_key;
    }
  }
  if (!found)
    return refuse(kNoIdentityMatched, "the file is sealed for none of these identities",
                  Code::kPermissionDenied);
  return *found;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Appends header and nonce; the key of the payload.
Wiped<32> begin_file(const std::vector<std::string>& recipients, std::string& out) {
  Wiped<kFileKey> file_key;
  randombytes_buf(file_key.data(), kFileKey);
  std::vector<Stanza> stanzas;
  for (const auto& recipient : recipients) stanzas.push_back(wrap(file_key, recipient));
  const std::string header = write_stanzas(stanzas);
  const std::string nonce = random_octets(kStreamNonce);
  out += header + write_mac_line(header_mac(file_key.view(), header)) + nonce;
  return stream_key(file_key.view(), nonce, {});
}

}  // namespace

AgeSealer::AgeSealer(const std::vector<std::string>& recipients, std::string& out)
    : chunks_(begin_file(recipients, out)) {}

std::string seal(const std::vector<std::string>& recipients, std::string_view text) {
  std::string out;
  AgeSealer sealer(recipients, out);
  sealer.add(text, out);
  sealer.finish(out);
  return out;
}

AgeOpener::AgeOpener(const std::vector<Secret>& identities, Sink sink)
    : identities_(identities), sink_(std::move(sink)) {}

Status AgeOpener::remember(Status done) {
  if (!done) broken_ = done.error();
  return done;
}

Status AgeOpener::add(std::string_view octets) {
  if (broken_) return fail(*broken_);
  return remember(take(octets));
}

Status AgeOpener::finish() {
  if (broken_) return fail(*broken_);
  if (form_ == Form::kArmor) {
    std::string binary;
    auto ended = armor_.finish(binary);
    if (auto taken = take_binary(binary); ended || !taken) ended = std::move(taken);
    if (!ended) return remember(std::move(ended));
  }
  if (!file_key_) return remember(refuse_malformed("the header has no end"));
  if (!chunks_) return remember(refuse_malformed("the payload's nonce is missing"));
  std::string text;
  const bool is_genuine = chunks_->finish(text);
  return remember(release(is_genuine, text));
}

/// An armor may have white space before it, a binary file has none.
Status AgeOpener::find_form() {
  const auto first = std::find_if_not(pending_.begin(), pending_.end(), is_space);
  if (first == pending_.end() && pending_.size() <= kArmorSpaceMax) return {};
  form_ = first != pending_.end() && *first == '-' ? Form::kArmor : Form::kBinary;
  const std::string all = std::exchange(pending_, {});
  return take(all);
}

Status AgeOpener::take(std::string_view octets) {
  if (form_ == Form::kUnknown) {
    pending_ += octets;
    return find_form();
  }
  if (form_ == Form::kBinary) return take_binary(octets);
  std::string binary;
  auto read = armor_.add(octets, binary);
  // What the armor had before its mistake has arrived all the same.
  HECTOR_TRY(take_binary(binary));
  return read;
}

Status AgeOpener::take_binary(std::string_view octets) {
  if (!chunks_) {
    pending_ += octets;
    octets = {};
    if (!file_key_) HECTOR_TRY(take_header());
    if (!file_key_ || pending_.size() < kStreamNonce) return {};
    const std::string_view nonce = std::string_view(pending_).substr(0, kStreamNonce);
    chunks_.emplace(stream_key(file_key_->view(), nonce, {}));
    octets = std::string_view(pending_).substr(kStreamNonce);
  }
  std::string text;
  const bool is_genuine = chunks_->add(octets, text);
  auto released = release(is_genuine, text);
  pending_.clear();
  return released;
}

Status AgeOpener::take_header() {
  const std::size_t end = find_header_end(pending_, searched_);
  if (end == 0) {
    if (pending_.size() > kHeaderOctetsMax) return refuse_malformed("the header is too long");
    searched_ = pending_.rfind('\n') == std::string::npos ? 0 : pending_.rfind('\n');
    return {};
  }
  const std::string_view text = std::string_view(pending_).substr(0, end);
  if (text.size() > kHeaderOctetsMax) return refuse_malformed("the header is too long");
  const auto header = HECTOR_TRY(read_header(text));
  const auto file_key = HECTOR_TRY(find_file_key(header, identities_));
  const auto mac = header_mac(file_key.view(), covered_by_mac(text));
  if (sodium_memcmp(mac.data(), header.mac.data(), header.mac.size()) != 0) return refuse_auth();
  file_key_ = file_key;
  pending_.erase(0, end);
  return {};
}

Status AgeOpener::release(bool is_genuine, std::string& text) {
  if (!text.empty()) sink_(text);
  released_ += text.size();
  sodium_memzero(text.data(), text.size());
  if (!is_genuine) return refuse_auth();
  return {};
}

}  // namespace hector::privacy
