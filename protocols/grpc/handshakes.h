// What: Handshakes: connections that were accepted and have not proved who they are.
// Why: a stranger gets a bounded place and a bounded time, and reaches no HTTP/2.
// Who: acceptor.cc, whose thread drives them.
#pragma once

#include <poll.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "encrypted_socket.h"
#include "hector/clock.h"
#include "hector/descriptor.h"
#include "hector/log.h"

namespace hector::grpcp {

inline constexpr std::size_t kHandshakesMax = 256;  ///< beyond it the oldest goes
inline constexpr Duration kHandshakeWithin = std::chrono::seconds(5);

/// One thread at a time.
class Handshakes {
 public:
  struct Proved {
    Descriptor connection;
    std::string peer;
    std::unique_ptr<EncryptedSocket> socket;
  };
  Handshakes(const Credentials& credentials, const Clock& clock, Log& log);

  void add(Descriptor connection, std::string peer);
  /// What they wait for is appended.
  void wait_for(std::vector<pollfd>& polled) const;
  /// Goes on with those that poll() found ready, and ends those that took too long. Those that have
  /// proved who they are.
  std::vector<Proved> step(const std::vector<pollfd>& polled);
  [[nodiscard]] bool is_empty() const { return pending_.empty(); }

 private:
  struct Pending {
    Proved made;
    short waits_for;
    TimePoint until;
    bool is_refused = false;
  };
  /// One step; whether it is over.
  bool go_on(Pending& pending, std::vector<Proved>& proved);
  void refuse(Pending& pending, const Error& why);
  void say_refused(const Pending& pending, const Error& why);

  const Clock& clock_;
  Log& log_;
  tls::Tls tls_;
  std::list<Pending> pending_;  ///< the oldest first
  TimePoint said_{};
  std::size_t not_said_ = 0;
};

}  // namespace hector::grpcp
