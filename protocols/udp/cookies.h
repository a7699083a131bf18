// What: Cookies, what an address sends back to show that it receives what is sent to it.
// Why: nothing is kept for an address before, and a forged one makes nobody work.
// Who: the server's plain hello and its DTLS handshake.
#pragma once

#include <cstdint>
#include <string>

#include "hector/clock.h"
#include "hector/network.h"

namespace hector::udp {

/// HMAC-SHA-256 of address, port, an initiator's number and a bucket of time, under a secret of its
/// own. A cookie is valid for the bucket that it was made in and the next: 30 to 60 s (README.md).
/// Any thread.
class Cookies {
 public:
  Cookies(Random& random, const Clock& clock);
  [[nodiscard]] std::string make(const NetworkAddress& from, std::uint64_t initiator) const;
  [[nodiscard]] bool is_valid(std::string_view cookie, const NetworkAddress& from,
                              std::uint64_t initiator) const;

 private:
  [[nodiscard]] std::string of_bucket(const NetworkAddress& from, std::uint64_t initiator,
                                      std::uint64_t bucket) const;
  [[nodiscard]] std::uint64_t bucket() const;
  std::uint64_t secret_[4];
  const Clock& clock_;
};

}  // namespace hector::udp
