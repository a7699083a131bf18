// What: Acceptor: where an endpoint listens, and the thread that accepts.
// Why: gRPC's own acceptor accepts nothing for ever once there was no descriptor left, bounds
// nothing, and goes on while a server is shut down.
// Who: grpc_server.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connections.h"
#include "handshakes.h"
#include "hector/descriptor.h"
#include "hector/host_port.h"
#include "hector/thread.h"

namespace hector::grpcp {

class Acceptor {
 public:
  struct Options {
    const Clock& clock;
    Log& log;
    /// Whom connections have to prove to be, encrypted. Null: they are plain.
    const Credentials* credentials;
    /// Takes a socket that is connected and does not block, and owns it.
    std::function<void(int descriptor)> accepted;
    /// Runs now and then while there are connections.
    std::function<void()> look;
  };
  /// Connections wait until start(). ALREADY_EXISTS: the address is in use, or not of this machine.
  static Result<std::unique_ptr<Acceptor>> listen(const HostPort& place, Options options);
  ~Acceptor() { stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void start();
  /// Nothing is accepted any more, and nothing listens. Idempotent.
  void stop();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Shared with the connections, which end after their endpoint.
  [[nodiscard]] Connections& connections() { return *connections_; }

 private:
  explicit Acceptor(Options options);
  Status open(const HostPort& place);
  void run();
  /// False: there was none, or it could not be accepted just now.
  bool accept_one(int listener);
  void admit(Descriptor connection, std::string peer, std::unique_ptr<EncryptedSocket> encryption);
  /// There is no descriptor for a connection: it is closed by means of the spare one.
  bool refuse_one(int listener, int why);
  void say_refused(const char* why);

  const Options options_;
  const std::shared_ptr<Connections> connections_;
  std::vector<Descriptor> listeners_;
  std::unique_ptr<Handshakes> handshakes_;  ///< null: connections are plain
  Descriptor wake_, spare_;
  std::uint16_t port_ = 0;
  bool is_pausing_ = false;
  TimePoint said_{};
  Thread thread_;
};

}  // namespace hector::grpcp
