// What: EncryptedSocket: TLS on a socket that gRPC reads and writes as if it were plain.
// Why: gRPC's own TLS would hide the HTTP/2 frames from the watch on them, and lets a stranger
// speak HTTP/2 before its identity is judged.
// Who: handshakes.cc makes it; the connection's reads and writes go through it.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <mutex>
#include <string>

#include "tls/tls.h"

namespace hector::grpcp {

/// Any thread; a read and a write may run at once.
class EncryptedSocket {
 public:
  /// `descriptor` is the caller's, does not block, and outlives the reads and writes.
  EncryptedSocket(tls::SslPtr ssl, int descriptor);

  enum class Step : std::uint8_t { kDone, kWantsRead, kWantsWrite, kFailed };
  /// One step of the handshake. kFailed: why_failed() says it.
  Step shake();
  [[nodiscard]] const Error& why_failed() const { return failure_; }

  /// As recvmsg(), and not more than this. What has been decrypted already comes whatever `most`
  /// is: the socket would not become readable for it again.
  ssize_t receive(msghdr& message, std::size_t most) noexcept;
  /// As sendmsg(). Where it says EAGAIN the next one begins with the same octets.
  ssize_t send(const msghdr& message) noexcept;

  /// Who the other end is, after the handshake.
  [[nodiscard]] const PeerIdentity& peer() const;
  /// As tls::examine_again().
  [[nodiscard]] Status examine_again(const Credentials& credentials) const;

 private:
  /// -1 with errno.
  ssize_t cannot(int result);

  mutable std::mutex mutex_;  ///< OpenSSL lets one thread at a time use a connection
  const tls::SslPtr ssl_;
  Error failure_;
};

}  // namespace hector::grpcp
