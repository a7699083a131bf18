#include "encrypted_socket.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>

#include "hector/check.h"

namespace hector::grpcp {

namespace {

constexpr std::size_t kRecordOctetsMax = 16 * 1024;  ///< of what is written at once (RFC 8446, 5.1)

int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

/// OpenSSL's own sockets raise SIGPIPE.
int write_socket(BIO* bio, const char* octets, std::size_t size, std::size_t* written) {
  const ssize_t done = ::send(descriptor_of(bio), octets, size, MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (done < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  *written = done < 0 ? 0 : static_cast<std::size_t>(done);
  return done > 0 ? 1 : 0;
}

int read_socket(BIO* bio, char* octets, std::size_t size, std::size_t* read) {
  const ssize_t done = ::recv(descriptor_of(bio), octets, size, 0);
  BIO_clear_retry_flags(bio);
  if (done < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  *read = done < 0 ? 0 : static_cast<std::size_t>(done);
  if (done == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return done > 0 ? 1 : 0;
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* bio_of(int descriptor) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "a socket without SIGPIPE");
    BIO_meth_set_write_ex(made, write_socket);
    BIO_meth_set_read_ex(made, read_socket);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  BIO* const made = BIO_new(method);
  BIO_set_data(made, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  BIO_set_init(made, 1);
  return made;
}

/// The message's octets as one piece of at most a record, from `at` on: a part of it where that is
/// long, else several parts put together in `room`.
std::span<const char> next_piece(const msghdr& message, std::size_t at,
                                 std::array<char, kRecordOctetsMax>& room) {
  std::size_t part = 0;
  while (part < message.msg_iovlen && at >= message.msg_iov[part].iov_len)
    at -= message.msg_iov[part++].iov_len;
  if (part == message.msg_iovlen) return {};
  const auto octets_of = [&](std::size_t i) {
    return std::span(static_cast<const char*>(message.msg_iov[i].iov_base),
                     message.msg_iov[i].iov_len);
  };
  const auto first = octets_of(part).subspan(at);
  if (first.size() >= room.size() || part + 1 == message.msg_iovlen)
    return first.first(std::min(first.size(), room.size()));
  std::size_t size = 0;
  for (auto each = first; size < room.size();) {
    const std::size_t here = std::min(each.size(), room.size() - size);
    std::memcpy(room.data() + size, each.data(), here);
    size += here;
    if (++part == message.msg_iovlen) break;
    each = octets_of(part);
  }
  return {room.data(), size};
}

}  // namespace

EncryptedSocket::EncryptedSocket(tls::SslPtr ssl, int descriptor) : ssl_(std::move(ssl)) {
  BIO* const bio = bio_of(descriptor);
  SSL_set_bio(ssl_.get(), bio, bio);
}

EncryptedSocket::Step EncryptedSocket::shake() {
  const std::lock_guard lock(mutex_);
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) return Step::kDone;
  switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return Step::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWantsWrite;
    default:
      failure_ = tls::why_failed(*ssl_);
      return Step::kFailed;
  }
}

ssize_t EncryptedSocket::cannot(int result) {
  const int why = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (why == SSL_ERROR_ZERO_RETURN) return 0;
  errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
  return -1;
}

ssize_t EncryptedSocket::receive(msghdr& message, std::size_t most) noexcept {
  const std::lock_guard lock(mutex_);
  message.msg_controllen = 0;
  message.msg_flags = 0;
  most = std::max(most, static_cast<std::size_t>(SSL_pending(ssl_.get())));
  if (most == 0) {
    errno = EAGAIN;
    return -1;
  }
  std::size_t total = 0;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
    auto* const base = static_cast<char*>(message.msg_iov[i].iov_base);
    for (std::size_t at = 0; at < message.msg_iov[i].iov_len;) {
      const std::size_t room = std::min(message.msg_iov[i].iov_len - at, most - total);
      if (room == 0) return static_cast<ssize_t>(total);
      std::size_t size = 0;
      ERR_clear_error();
      const int done = SSL_read_ex(ssl_.get(), base + at, room, &size);
      if (done != 1) return total != 0 ? static_cast<ssize_t>(total) : cannot(done);
      at += size;
      total += size;
    }
  }
  return static_cast<ssize_t>(total);
}

ssize_t EncryptedSocket::send(const msghdr& message) noexcept {
  std::array<char, kRecordOctetsMax> room;
  const std::lock_guard lock(mutex_);
  std::size_t total = 0;
  for (;;) {
    const auto piece = next_piece(message, total, room);
    if (piece.empty()) return static_cast<ssize_t>(total);
    std::size_t size = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &size);
    if (done != 1 && total != 0) return static_cast<ssize_t>(total);
    if (done != 1) {
      // After the peer's end a failed write looks like an end as well, and gRPC would try for ever
      // to send what 0 says was not sent.
      if (const ssize_t failed = cannot(done); failed != 0) return failed;
      errno = EPIPE;
      return -1;
    }
    HECTOR_CHECK(size != 0, "TLS has sent nothing, and says that it has");
    total += size;
  }
}

const PeerIdentity& EncryptedSocket::peer() const {
  const auto* const peer = tls::peer_of(*ssl_);
  HECTOR_CHECK(peer != nullptr, "a peer is asked for before its handshake is over");
  return *peer;
}

Status EncryptedSocket::examine_again(const Credentials& credentials) const {
  return tls::examine_again(*ssl_, credentials);
}

}  // namespace hector::grpcp
