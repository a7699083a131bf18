// What: Tls: connections of OpenSSL that prove the capsule's own identity and judge the peer's.
// Why: TLS over streams and DTLS over datagrams ask the same of both ends, and say the same where
// it is refused.
// Who: protocols whose plugins encrypt by themselves.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "hector/credentials.h"

namespace hector::tls {

struct FreeSsl {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;

/// TLS 1.3, and DTLS 1.2 (OpenSSL 3.0 has no later one) with ECDHE and AEAD ciphers only. No
/// renegotiation, compression, tickets or resumption: every connection is judged.
enum class Transport : std::uint8_t { kStream, kDatagram };

/// Makes both ends' connections. Any thread; the credentials outlive every handshake.
class Tls {
 public:
  struct Options {
    Transport transport = Transport::kStream;
    std::string alpn = {};  ///< the one protocol that is spoken inside ("h2"); empty: not said
    /// Called with each new context, for what one transport alone wants.
    void (*prepare)(SSL_CTX& context) = nullptr;
  };
  Tls(const Credentials& credentials, Options options)
      : credentials_(credentials), options_(std::move(options)) {}

  /// Without a transport (SSL_set_bio, SSL_set_fd) yet. FAILED_PRECONDITION: the own identity
  /// cannot be used.
  Result<SslPtr> accepting();
  /// `expected` is the principal that must answer; empty: anybody who is trusted.
  Result<SslPtr> connecting(const std::string& expected);

 private:
  /// Of the identity as it is now. An SSL keeps the context that it was made from.
  Result<SslPtr> make();
  Result<std::unique_ptr<SSL_CTX, FreeSsl>> make_context(const OwnIdentity& own);

  const Credentials& credentials_;
  const Options options_;
  std::mutex mutex_;
  std::shared_ptr<const OwnIdentity> own_;
  std::unique_ptr<SSL_CTX, FreeSsl> context_;  ///< of own_
};

/// Who the other end has proved to be. Null before the handshake is over.
const PeerIdentity* peer_of(const SSL& ssl) noexcept;
/// Whether its chain would be accepted now: after the trust, or the list of revocations, changed.
/// UNAUTHENTICATED as Credentials::examine().
Status examine_again(const SSL& ssl, const Credentials& credentials);
/// Why a handshake or a connection failed, after a function of OpenSSL has failed on this thread;
/// takes this thread's error queue. UNAUTHENTICATED where one end refused the other, with the fault
/// as its type; else UNAVAILABLE.
Error why_failed(const SSL& ssl);

/// "HOST:PORT" and "HOST:PORT/PRINCIPAL": an address, and who must answer there.
struct PeerAddress {
  std::string place, principal;
  static PeerAddress parse(const std::string& address);
  [[nodiscard]] std::string text() const;
};

}  // namespace hector::tls
