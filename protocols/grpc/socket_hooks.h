// What: SocketHooks: what gRPC reads from chosen sockets is seen, and so is their end; where they
// are encrypted, gRPC reads and writes clear text.
// Why: gRPC has no seam between its sockets and its HTTP/2, and a relay before it costs every call
// two more hand-offs. gRPC's library imports recvmsg(), sendmsg() and close() from the C library;
// these imports of that one library lead through here.
// Who: connections.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hector/result.h"

namespace hector::grpcp {

class EncryptedSocket;

/// A socket that is watched. gRPC reads a socket on one thread at a time, and closes it when none
/// reads it.
class WatchedSocket {
 public:
  virtual ~WatchedSocket() = default;
  /// Octets that gRPC may read now. 0: as if none had come; whoever makes room calls wake_reader().
  virtual std::size_t room() noexcept = 0;
  /// gRPC is about to be given these octets. False: it is told that the connection is broken.
  virtual bool on_read(std::span<const std::uint8_t> octets) noexcept = 0;
  /// gRPC closes the socket after this; the watch has ended, and the watched one may go.
  virtual void on_close() noexcept = 0;
  /// The same from beginning to end. Null: octets are sent as they are.
  [[nodiscard]] virtual EncryptedSocket* encryption() noexcept = 0;
};

/// Any thread; idempotent. UNIMPLEMENTED where gRPC's library is another one than is expected here.
Status install_socket_hooks();
/// gRPC looks at the socket again, as if more had come.
void wake_reader(int descriptor) noexcept;
/// From now until on_close(). False where the descriptor is beyond what is watched.
bool watch_socket(int descriptor, WatchedSocket& socket) noexcept;

}  // namespace hector::grpcp
