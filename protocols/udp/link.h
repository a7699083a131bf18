// What: Link, the way of one conversation's packets to its peer; PlainLink, straight over the
// socket.
// Why: a conversation works alike whether its packets travel as they are or inside DTLS.
// Who: Conversation; the client and the server choose which.
#pragma once

#include <string>

#include "hector/network.h"
#include "packet.h"

namespace hector::udp {

/// Any thread.
class Link {
 public:
  virtual ~Link() = default;
  /// One datagram; it may vanish.
  virtual void send(const std::string& packet) noexcept = 0;
  /// Whether packets are encrypted and the peer has proved who it is.
  [[nodiscard]] virtual bool is_secure() const noexcept = 0;
  /// Who the peer has proved to be; empty on a plain link, and before it has.
  [[nodiscard]] virtual const std::string& principal() const noexcept = 0;
  /// The connection over it has ended: the next packet is the first one of another.
  virtual void restart() noexcept {}
};

class PlainLink final : public Link {
 public:
  PlainLink(DatagramSocket& socket, const NetworkAddress& peer) : socket_(socket), peer_(peer) {}
  void send(const std::string& packet) noexcept override {
    const Octets part{reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()};
    socket_.send(peer_, {&part, 1});
  }
  [[nodiscard]] bool is_secure() const noexcept override { return false; }
  [[nodiscard]] const std::string& principal() const noexcept override { return nobody_; }

 private:
  DatagramSocket& socket_;
  const NetworkAddress peer_;
  const std::string nobody_;
};

}  // namespace hector::udp
