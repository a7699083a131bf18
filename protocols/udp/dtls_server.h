// What: DtlsServer, the accepting side of DTLS for all peers of one socket.
// Why: no state and no work for whoever has not shown that it receives at its address; after that
// few and for a short time, until it has proved who it is.
// Who: the udp endpoint of a capsule that has credentials.
#pragma once

#include <list>
#include <unordered_map>
#include <vector>

#include "association.h"
#include "cookies.h"
#include "hector/guarded_self.h"
#include "notice.h"

namespace hector::udp {

class DtlsServer {
 public:
  /// Half-open handshakes; the oldest goes for the next. Each takes about 92 KiB (README.md).
  static constexpr std::size_t kShakingMax = 256;
  /// Peers that have proved who they are; those that were silent longest go for others.
  static constexpr std::size_t kOpenMax = 4'096;
  /// A peer's chain is examined again at least so often: it may have expired meanwhile.
  static constexpr Duration kExamineEvery = std::chrono::seconds(30);

  /// What the endpoint does with what comes.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// On the thread that called on_datagram().
    virtual void on_packet(const std::shared_ptr<Association>& from, Octets packet) = 0;
    /// Nothing comes from it any more, and it can still be sent to. Any thread.
    virtual void on_over(const std::shared_ptr<Association>& association,
                         const std::string& why) = 0;
  };
  /// `tls` and `owner` outlive it.
  DtlsServer(const ProtocolContext& context, tls::Tls& tls, const Cookies& cookies, Owner& owner);
  ~DtlsServer();
  /// Before this, datagrams are dropped.
  void begin(DatagramSocket& socket);
  /// On one thread at a time.
  void on_datagram(const NetworkAddress& from, Octets datagram);
  /// Ends every association.
  void close();

  struct Counts {
    std::size_t shaking, open;
    std::uint64_t plain;    ///< packets that are no DTLS
    std::uint64_t refused;  ///< handshakes
    std::uint64_t dropped;  ///< datagrams that were repeated, too late or not the peer's
  };
  [[nodiscard]] Counts counts();

 private:
  /// What a hello of a client begins with: a repeated one has the same.
  using HelloRandom = std::string;
  struct Slot {
    std::shared_ptr<Association> open, shaking;
    HelloRandom open_random, shaking_random;
  };
  void on_hello(const NetworkAddress& from, Octets datagram);
  /// Whether the address has sent the cookie back; then the SSL knows the hello.
  bool listen(const NetworkAddress& from, Octets datagram);
  bool prepare_listener();
  void admit(const NetworkAddress& from, HelloRandom random);
  /// Nothing is known of it: its sender shall not wait for an answer.
  void say_unknown(const NetworkAddress& from, Octets datagram);
  std::shared_ptr<Association> find(const NetworkAddress& from, Octets datagram);
  /// False: another handshake was begun meanwhile.
  bool opened(const std::shared_ptr<Association>& association);
  /// A handshake has failed.
  void failed(const std::shared_ptr<Association>& association);
  void drop(const std::shared_ptr<Association>& association, const std::string& why);
  void late(const NetworkAddress& from);
  void examine_all();
  void examine_some(std::vector<std::shared_ptr<Association>> left);
  void examine_later();
  // With the lock held:
  void forget_shaking(Slot& slot, const NetworkAddress& from);
  std::vector<std::shared_ptr<Association>> silent_longest();

  const ProtocolContext& context_;
  tls::Tls& tls_;
  const Cookies& cookies_;
  Owner& owner_;
  Notice plain_, refused_, dropped_;
  std::mutex mutex_;
  DatagramSocket* socket_ = nullptr;
  std::unordered_map<NetworkAddress, Slot, NetworkAddressHash> peers_;
  std::list<NetworkAddress> shaking_;  ///< the oldest first
  std::size_t open_ = 0;
  std::uint64_t changes_ = 0;  ///< of the credentials
  bool has_changed_ = false;   ///< the listener proves an earlier identity
  TimerId timer_ = 0;
  // The reading thread's:
  std::unique_ptr<DtlsWire> wire_;
  tls::SslPtr listener_;  ///< answers hellos without a cookie
  std::shared_ptr<Association> latest_;
  std::uint64_t datagrams_ = 0;
  GuardedSelf<DtlsServer> guard_{*this};
};

}  // namespace hector::udp
