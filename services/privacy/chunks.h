// What: ChunkSealer and ChunkOpener, the payload of an age file: chunks of 64 KiB under
// ChaCha20-Poly1305, each with its number and whether it is the last in its nonce.
// Why: a stream of any length is sealed and opened in the memory of one chunk, and nothing of a
// chunk is given on that was changed, cut off, left out or put elsewhere.
// Who: STREAM_64K, age files.
#pragma once

#include <string>
#include <string_view>

#include "secret.h"

namespace hector::privacy {

inline constexpr std::size_t kStreamNonce = 16;
inline constexpr std::size_t kChunkOctets = 65'536;
inline constexpr std::size_t kChunkTag = crypto_aead_chacha20poly1305_ietf_ABYTES;

/// Of a payload whose nonce this is; `aad` binds it to a place (an age file has none).
Wiped<32> stream_key(std::string_view key, std::string_view nonce, std::string_view aad);

/// One at a time. What is sealed is appended to `out`.
class ChunkSealer {
 public:
  explicit ChunkSealer(const Wiped<32>& key) : key_(key) {}
  void add(std::string_view text, std::string& out);
  void finish(std::string& out);

 private:
  void seal(std::string_view chunk, bool is_last, std::string& out);
  Wiped<32> key_;
  std::string pending_;
  std::uint64_t number_ = 0;
};

/// One at a time. What is opened is appended to `out`; after the first false nothing more is.
class ChunkOpener {
 public:
  explicit ChunkOpener(const Wiped<32>& key) : key_(key) {}
  [[nodiscard]] bool add(std::string_view sealed, std::string& out);
  /// The stream ends here.
  [[nodiscard]] bool finish(std::string& out);

 private:
  [[nodiscard]] bool open(std::string_view chunk, bool is_last, std::string& out);
  Wiped<32> key_;
  std::string pending_;
  std::uint64_t number_ = 0;
  bool is_broken_ = false;
};

}  // namespace hector::privacy
