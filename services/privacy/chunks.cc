#include "chunks.h"

#include <array>

#include "hkdf.h"

namespace hector::privacy {

namespace {

/// 11 octets of number, big endian, and one that says whether it is the last.
std::array<unsigned char, 12> nonce_of(std::uint64_t number, bool is_last) {
  std::array<unsigned char, 12> nonce{};
  for (std::size_t i = 0; i < 8; ++i)
    nonce[10 - i] = static_cast<unsigned char>(number >> (8 * i) & 0xff);
  nonce[11] = is_last ? 1 : 0;
  return nonce;
}

}  // namespace

Wiped<32> stream_key(std::string_view key, std::string_view nonce, std::string_view aad) {
  return hkdf(key, nonce, {"payload", aad});
}

void ChunkSealer::add(std::string_view text, std::string& out) {
  while (!text.empty()) {
    // A full chunk is sealed once it is known not to be the last.
    if (pending_.size() == kChunkOctets) {
      seal(pending_, false, out);
      pending_.clear();
    }
    const auto part = text.substr(0, kChunkOctets - pending_.size());
    pending_ += part;
    text.remove_prefix(part.size());
  }
}

void ChunkSealer::finish(std::string& out) {
  const WipedText wiped(pending_);
  seal(pending_, true, out);
}

void ChunkSealer::seal(std::string_view chunk, bool is_last, std::string& out) {
  const auto nonce = nonce_of(number_++, is_last);
  const std::size_t at = out.size();
  out.resize(at + chunk.size() + kChunkTag);
  crypto_aead_chacha20poly1305_ietf_encrypt(octets(out) + at, nullptr, octets(chunk), chunk.size(),
                                            nullptr, 0, nullptr, nonce.data(), key_.data());
}

bool ChunkOpener::add(std::string_view sealed, std::string& out) {
  constexpr std::size_t kFull = kChunkOctets + kChunkTag;
  while (!sealed.empty() && !is_broken_) {
    if (pending_.size() == kFull) {
      is_broken_ = !open(pending_, false, out);
      pending_.clear();
      continue;
    }
    const auto part = sealed.substr(0, kFull - pending_.size());
    pending_ += part;
    sealed.remove_prefix(part.size());
  }
  return !is_broken_;
}

bool ChunkOpener::finish(std::string& out) {
  // An empty last chunk stands alone: behind another one it would be a second form of one text.
  const bool is_second_form = number_ > 0 && pending_.size() == kChunkTag;
  is_broken_ = is_broken_ || is_second_form || !open(pending_, true, out);
  return !is_broken_;
}

bool ChunkOpener::open(std::string_view chunk, bool is_last, std::string& out) {
  if (chunk.size() < kChunkTag) return false;
  const auto nonce = nonce_of(number_++, is_last);
  const std::size_t at = out.size();
  out.resize(at + chunk.size() - kChunkTag);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(octets(out) + at, nullptr, nullptr, octets(chunk),
                                                chunk.size(), nullptr, 0, nonce.data(),
                                                key_.data()) == 0)
    return true;
  out.resize(at);
  return false;
}

}  // namespace hector::privacy
