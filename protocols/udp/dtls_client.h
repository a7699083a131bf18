// What: DtlsClient, the connecting side of DTLS: a link whose first packet makes the handshake.
// Why: a channel comes to be without blocking, and begins again after its peer was gone.
// Who: the udp channel of a capsule that has credentials.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "association.h"

namespace hector::udp {

class DtlsClient final : public Link, public std::enable_shared_from_this<DtlsClient> {
 public:
  /// Whose packets they are.
  class User {
   public:
    virtual ~User() = default;
    virtual void on_packet(Octets packet) = 0;
    /// The handshake has failed; nothing was sent.
    virtual void on_refused(const Error& why) = 0;
    /// It was there, and is over.
    virtual void on_gone(const std::string& why) = 0;
  };
  struct Peer {
    NetworkAddress address;
    std::string principal;  ///< who must answer; empty: anybody who is trusted
  };
  /// `tls` outlives it, and the socket until stop().
  static std::shared_ptr<DtlsClient> make(const ProtocolContext& context, tls::Tls& tls,
                                          DatagramSocket& socket, Peer peer);
  ~DtlsClient() override;
  /// Before the first packet.
  void serve(std::weak_ptr<User> user);
  void on_datagram(Octets datagram);
  /// Where no handshake is over yet, it begins and the latest packet waits for its end.
  void send(const std::string& packet) noexcept override;
  [[nodiscard]] bool is_secure() const noexcept override { return true; }
  [[nodiscard]] const std::string& principal() const noexcept override { return peer_.principal; }
  void restart() noexcept override;
  /// Nothing is sent any more.
  void stop() noexcept;

  /// The peer's chain is examined again so often: it may have expired meanwhile.
  static constexpr Duration kExamineEvery = std::chrono::seconds(30);

 private:
  DtlsClient(const ProtocolContext& context, tls::Tls& tls, DatagramSocket& socket, Peer peer)
      : context_(context), tls_(tls), socket_(socket), peer_(std::move(peer)) {}
  /// With the lock held.
  Status begin();
  std::shared_ptr<Association> association();
  /// The peer does not know the association; it says so of a record that only it has seen.
  static bool is_unknown(Association& association, Octets datagram);
  void opened(const std::shared_ptr<Association>& association);
  /// Tells the user, once for each association.
  void over(const std::shared_ptr<Association>& association, Association::Phase before);
  void refuse_later(Error why);
  void examine();
  void examine_later();

  const ProtocolContext& context_;
  tls::Tls& tls_;
  DatagramSocket& socket_;
  const Peer peer_;
  std::weak_ptr<User> user_;  ///< has this as its link
  std::mutex mutex_;
  std::shared_ptr<Association> association_;  ///< shared with the threads that use it now
  std::string waiting_;                       ///< the packet that the handshake is for
  TimerId timer_ = 0;
  bool is_stopped_ = false;
};

}  // namespace hector::udp
