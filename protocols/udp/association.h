// What: Association, DTLS with one peer: its SSL, the lock around it, its handshake's timer.
// Why: OpenSSL admits one thread at a time for each peer; those that send, that read and that keep
// the time are different ones.
// Who: DtlsClient has one, DtlsServer one for each address.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "dtls_wire.h"
#include "hector/protocol.h"
#include "link.h"
#include "tls/tls.h"

namespace hector::udp {

/// Any thread.
class Association final : public Link, public std::enable_shared_from_this<Association> {
 public:
  enum class Phase : std::uint8_t { kShaking, kOpen, kOver };
  /// An SSL and what it sends by.
  struct Parts {
    tls::SslPtr ssl;  ///< goes before the wire
    std::unique_ptr<DtlsWire> wire;
  };
  /// `late` runs on the executor where the handshake is not over within kHandshakeFor.
  Association(const ProtocolContext& context, Parts parts, std::function<void()> late);
  ~Association() override;

  /// The first step of the handshake.
  void begin();
  struct Taken {
    Phase before, after;
    /// In this thread's memory until it takes another datagram of any association.
    std::optional<Octets> packet;
    bool is_more = false;     ///< there may be other packets in it: take({})
    bool is_dropped = false;  ///< it was repeated, too late, or not the peer's
  };
  Taken take(Octets datagram);
  void send(const std::string& packet) noexcept override;
  [[nodiscard]] bool is_secure() const noexcept override { return true; }
  [[nodiscard]] const std::string& principal() const noexcept override { return principal_; }
  /// Whether one of the latest records that it sent began so.
  [[nodiscard]] bool has_sent(Octets beginning);
  /// Tells the peer that it is over. Idempotent.
  void close() noexcept;
  [[nodiscard]] Phase phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  /// Why it is over.
  [[nodiscard]] Error why();
  /// Whether the peer's chain is accepted now, where it is open.
  Status examine();
  [[nodiscard]] const NetworkAddress& peer() const noexcept { return peer_; }
  // For whoever has many of them:
  /// When it was last heard, in datagrams of all peers. On one thread.
  void set_heard(std::uint64_t datagrams) { heard_ = datagrams; }
  [[nodiscard]] std::uint64_t heard() const { return heard_; }
  /// How often the credentials had changed when it was made. Before begin().
  void set_changes(std::uint64_t changes) { changes_ = changes; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// How long an accepting end waits for the end of a handshake.
  static constexpr Duration kHandshakeFor = std::chrono::seconds(5);

 private:
  // With the lock held:
  void shake();
  void read(Taken& taken, Octets datagram);
  void end(Error why);
  void arm(Duration in);
  void on_timer();

  const ProtocolContext& context_;
  const NetworkAddress peer_;
  const std::function<void()> late_;
  const TimePoint late_at_;
  std::mutex mutex_;
  std::unique_ptr<DtlsWire> wire_;
  tls::SslPtr ssl_;  ///< null when it is over
  std::atomic<Phase> phase_{Phase::kShaking};
  std::string principal_;  ///< constant once it is open
  std::optional<Error> why_;
  unsigned flight_ = 0;  ///< that the timer is for
  Duration again_in_{};
  TimerId timer_ = 0;
  std::uint64_t heard_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace hector::udp
