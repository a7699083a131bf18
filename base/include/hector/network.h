// What: Network, what a capsule's protocols use instead of sockets.
// Why: the same protocol code runs on the machine's UDP and on a simulated network with loss, by
// seed.
// Who: protocols that stand on datagrams; kernel/testing implements the simulated one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hector/clock.h"
#include "hector/executor.h"
#include "hector/result.h"

namespace hector {

/// An IPv4 or IPv6 address with a port, in a fixed form that compares and hashes fast.
struct NetworkAddress {
  std::uint8_t octets[16] = {};  ///< IPv4 as ::ffff:a.b.c.d
  std::uint16_t port = 0;        ///< host byte order
  bool operator==(const NetworkAddress&) const noexcept = default;

  /// "127.0.0.1:7300", "[::1]:7300"; the port may be 0. Names are not looked up.
  static Result<NetworkAddress> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_ipv4() const noexcept;
  [[nodiscard]] bool is_multicast() const noexcept;
};

struct NetworkAddressHash {
  std::size_t operator()(const NetworkAddress& address) const noexcept;
};

/// Any thread may send. Destroying the socket ends reception: no receiver runs afterwards.
class DatagramSocket {
 public:
  /// Runs on the network's thread, or inside receive_here(); the span is valid during the call.
  using Receiver =
      std::function<void(const NetworkAddress& from, std::span<const std::uint8_t> datagram)>;
  virtual ~DatagramSocket() = default;
  /// One datagram out of several parts. False: dropped here (buffer full, unreachable); datagrams
  /// may vanish anyway.
  virtual bool send(const NetworkAddress& to,
                    std::span<const std::span<const std::uint8_t>> parts) noexcept = 0;
  [[nodiscard]] virtual NetworkAddress local() const = 0;
  /// The direct path: receives on this thread until a datagram was handled or the deadline passed.
  /// True if one was handled; false at the deadline, or at once where another thread reads or the
  /// network cannot do it.
  virtual bool receive_here(TimePoint until) noexcept = 0;
  /// Joins an IP multicast group on this socket's interface.
  virtual Status join(const NetworkAddress& group) = 0;
};

/// Whether the reading of a socket may move to a thread that waits for an answer.
enum class Reading { kNetworkThread, kMayMove };

struct SocketOptions {
  NetworkAddress local;
  /// The only peer: datagrams of others are dropped, and sending needs no route look-up.
  std::optional<NetworkAddress> peer;
  Reading reading = Reading::kNetworkThread;
};

class Network {
 public:
  virtual ~Network() = default;
  /// ALREADY_EXISTS if the address is in use, INVALID_ARGUMENT if it is not this machine's.
  virtual Result<std::unique_ptr<DatagramSocket>> open(const SocketOptions& options,
                                                       DatagramSocket::Receiver receiver) = 0;
};

}  // namespace hector
