// What: NonceSource, random nonces of 96 bits of which many are drawn from the system at once.
// Why: a draw for each message costs as much as 2 KiB of AES-GCM. A child process must not use the
// nonces of its parent, so what was drawn and not used is wiped there by the system.
// Who: cipher.cc.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

namespace hector::privacy {

/// Any thread.
class NonceSource {
 public:
  using Nonce = std::array<char, 12>;
  NonceSource() = default;
  NonceSource(const NonceSource&) = delete;
  NonceSource& operator=(const NonceSource&) = delete;
  ~NonceSource();
  [[nodiscard]] Nonce next();

 private:
  static constexpr std::size_t kDrawn = 340;
  struct Page {
    std::uint32_t left;  ///< 0 in a child, which draws its own
    Nonce nonces[kDrawn];
  };
  std::mutex mutex_;
  bool is_used_ = false;  ///< the first one is drawn alone: many keys protect one message
  Page* page_ = nullptr;
};

}  // namespace hector::privacy
