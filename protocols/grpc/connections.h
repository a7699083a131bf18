// What: Connections: the connections of one endpoint, what each has done so far, and the end of
// those that take more than they may.
// Why: gRPC neither counts its connections nor lets one be closed; what a peer never finishes must
// cost a stated amount and be given back.
// Who: acceptor.cc, which brings them; grpc_server.cc, which ends them.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "encrypted_socket.h"
#include "frame_watch.h"
#include "hector/clock.h"
#include "hector/log.h"
#include "socket_hooks.h"

namespace hector::grpcp {

/// Header blocks of all connections that have begun and have not ended.
inline constexpr std::size_t kOpenHeadersOctetsMax = 32 * 1024 * 1024;
/// From a header block's first octet to its last.
inline constexpr Duration kHeaderWithin = std::chrono::seconds(5);
/// Pings and settings after which the peer must have taken the answers to those before.
inline constexpr std::uint64_t kQuestionsMax = 1'000;

/// Answered calls of one connection that gRPC has not finished. Beyond this nothing is read from it
/// until they are fewer by the gap: gRPC may be late, and what it reads meanwhile would be more of
/// them. They end without anything being read, so a connection does not stand still for ever.
inline constexpr std::size_t kBacklogMax = 2'048;
inline constexpr std::size_t kBacklogGap = 256;
/// What gRPC reads at once; and where half of the backlog is there: some hundred calls.
inline constexpr std::size_t kReadOctets = 64 * 1024, kReadOctetsOfMany = 4 * 1024;

/// The answered calls of one connection that gRPC has not finished. Any thread.
class Backlog {
 public:
  void add() { count_.fetch_add(1); }
  enum class Then : std::uint8_t { kNothing, kResume };
  /// kResume: the connection stands still, and may go on.
  [[nodiscard]] Then remove();
  /// Octets that may be read now. 0: the connection stands still.
  [[nodiscard]] std::size_t room();

 private:
  std::atomic<std::size_t> count_{0};
  std::atomic<bool> is_paused_{false};
};

/// The other end of one connection. Any thread. Owners: the connection, and the endpoint while it
/// has calls of it.
struct Remote {
  explicit Remote(std::string proved) : principal(std::move(proved)) {}
  const std::string principal;  ///< that it has proved; empty: the connection is plain
  Backlog backlog;
};

/// How often the chains of connections are examined again: they expire.
inline constexpr Duration kExamineEvery = std::chrono::seconds(30);

/// Any thread. Owners: the endpoint, and each connection that gRPC has not closed yet.
class Connections : public std::enable_shared_from_this<Connections> {
 public:
  /// `log` is used until close().
  Connections(const Clock& clock, Log& log, std::size_t count_max);
  ~Connections();
  /// Makes room where there are too many: the oldest goes that has called nothing. `encryption` is
  /// null where it is plain. False: there is no room, or the descriptor cannot be watched, or it is
  /// encrypted and another one has the same peer's address, which is all that gRPC tells of a call;
  /// it stays the caller's.
  bool add(int descriptor, std::string peer, std::unique_ptr<EncryptedSocket> encryption = {});
  /// Ends those that began a header long ago, and now and then those whose chain is accepted no
  /// longer.
  void look(const Credentials* credentials);
  /// Ends those whose chain is accepted no longer.
  void examine_again(const Credentials& credentials);
  /// Ends the oldest that has called nothing. False: there is none.
  bool end_idle();
  /// Of the connection of this peer, as gRPC writes it. Nothing: it has ended.
  [[nodiscard]] std::shared_ptr<Remote> remote(std::string_view peer) const;
  /// gRPC reads on from the connection of this one, if it is still there.
  void resume(const Remote& remote);
  /// Whether the socket of this peer takes no more, because the peer takes nothing.
  [[nodiscard]] bool is_stuck(std::string_view peer) const;
  /// Ends the one of this peer, as gRPC writes it (`ipv6:%5B::1%5D:5000`), if it is still there.
  void end_peer(std::string_view peer, const char* why);
  /// Ends all. Their peers see a connection that was closed. Nothing is logged any more.
  void close();
  [[nodiscard]] std::size_t count() const;

 private:
  class Connection;
  using Order = std::list<std::unique_ptr<Connection>>;

  using Peers = std::unordered_multimap<std::string, Connection*>;

  bool end_idle_locked();
  void end(Connection& connection, const char* why);
  /// With the lock held; once or again.
  void shut_down(Connection& connection);
  void remove(Connection& connection);
  void forget(Connection& connection);
  void log_offence(const Connection& connection, std::string_view why);

  const Clock& clock_;
  mutable std::mutex mutex_;
  Log* log_;
  const std::size_t count_max_;
  Order all_;  ///< the oldest first
  /// By host and port. Two may have come from one port to two addresses of ours.
  Peers by_peer_;
  std::size_t ending_ = 0;
  std::atomic<std::size_t> open_headers_{0};
  TimePoint logged_{}, examined_{};
  std::size_t not_logged_ = 0;
};

}  // namespace hector::grpcp
