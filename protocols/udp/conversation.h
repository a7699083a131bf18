// What: Conversation, a Connection with its lock, its timer and its link: what a client's and a
// server's side share. UdpFlow, one end of a flow over it.
// Why: Connection knows no threads; everything that does is here.
// Who: the udp protocol's client and server.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "connection.h"
#include "hector/check.h"
#include "hector/protocol.h"
#include "hector/stream.h"
#include "link.h"

namespace hector::udp {

/// UNAVAILABLE, for every call that was in flight.
Error gone_error(const NetworkAddress& peer, const std::string& why);
bool is_loopback(const NetworkAddress& address);
/// What a connection to this peer keeps to; a datagram has the same size when it is encrypted.
ConnectionLimits limits_for(const NetworkAddress& peer, Security security = Security::kNone);
/// About 1.2 MB; without acknowledgements more would hardly ever arrive whole.
inline constexpr std::size_t kMulticastFragmentsMax = 1'024;
/// Of a multicast's content.
std::string digest_of(std::string_view content);
/// One packet out of one buffer.
void send_packet(DatagramSocket& socket, const NetworkAddress& to, const std::string& packet);

class UdpFlow;

/// Octets of all flows of one conversation that have arrived and were not read. A flow alone has a
/// window of 256 KiB, and its last message may be larger.
inline constexpr std::size_t kUnreadOctetsMax = 64 * 1024 * 1024;

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(const ProtocolContext& context, std::shared_ptr<Link> link,
               const NetworkAddress& peer, std::uint64_t peer_id)
      : context_(context),
        limits_(limits_for(peer, link->is_secure() ? Security::kPrivacy : Security::kNone)),
        link_(std::move(link)),
        peer_(peer),
        connection_(std::make_unique<Connection>(limits_, peer_id)) {}
  virtual ~Conversation() = default;

  void send(std::uint64_t group, std::string_view head, Bytes body);
  void on_data(Octets packet);
  /// Stops the timer and sends the close packet. Idempotent.
  void shut();
  /// When the peer was last heard, and when it last added to what is held for it.
  struct Signs {
    TimePoint heard;
    TimePoint progressed;
    std::size_t held = 0;
  };
  [[nodiscard]] Signs signs();
  [[nodiscard]] const NetworkAddress& peer() const { return peer_; }

 protected:
  // The virtual functions run without the lock, except where they say so.
  /// `now`: when its packet arrived.
  virtual void on_message(Bytes message, TimePoint now) = 0;
  /// The peer is gone: end every call that is in flight.
  virtual void on_gone(const std::string& why) = 0;
  /// With the lock held: the next moment when on_tick() is wanted besides the connection's own.
  virtual TimePoint also_due() { return kNever; }
  virtual void on_tick(TimePoint) {}
  /// With the lock held.
  virtual bool is_established() const { return true; }
  /// With the lock held: whether this side waits for the peer; then a silent peer is pinged.
  virtual bool is_waiting() const { return false; }
  [[nodiscard]] TimePoint ping_due() const;
  /// With the lock held: a packet was received, or what was held was given back.
  virtual void on_held(std::size_t) {}
  /// Gives back all memory that is held for the peer and sends nothing more; the peer is told,
  /// unless it closed itself. Idempotent.
  void give_up();

  // With the lock held:
  /// Queues a message, and sends it now unless this thread is in on_data(), which sends everything
  /// together. kNever for `now`: the clock is asked.
  void send_locked(std::uint64_t group, std::string_view head, Bytes body, TimePoint now);
  void flush(TimePoint now);
  void schedule();

  // Constant after construction:
  const ProtocolContext& context_;
  const ConnectionLimits limits_;
  const std::shared_ptr<Link> link_;  ///< who reads the socket has it too
  const NetworkAddress peer_;
  // Under mutex_:
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
  bool shut_ = false;

 private:
  friend class UdpFlow;
  void run_timer();
  std::atomic<std::size_t> unread_{0};  ///< of its flows
  std::string packet_;                  ///< its memory is used again
  std::thread::id corked_by_;  ///< in on_data(), which flushes when its messages are handled
  TimerId timer_ = 0;
  TimePoint timer_at_ = kNever;  ///< kNever without a timer
  TimePoint pinged_{};
};

/// One end of a flow over a conversation.
class UdpFlow final : public WindowedStream {
 public:
  UdpFlow(std::shared_ptr<Conversation> conversation, std::uint64_t call, bool can_read,
          bool can_write)
      : WindowedStream(can_read, can_write), conversation_(std::move(conversation)), call_(call) {}
  ~UdpFlow() override { conversation_->unread_.fetch_sub(unread_, std::memory_order_relaxed); }
  /// The top bit keeps flows apart from the groups that are sessions.
  static constexpr std::uint64_t kFlowGroup = udp::kFlowGroup;
  /// What the peer sent. False: it ignores the window, or too much of its flows is unread here; the
  /// flow is broken and the call should end.
  bool take(Payload message);
  static std::uint64_t group(std::uint64_t call) { return call | kFlowGroup; }

 private:
  void taken(std::size_t octets) override {
    unread_.fetch_sub(octets, std::memory_order_relaxed);
    conversation_->unread_.fetch_sub(octets, std::memory_order_relaxed);
  }
  void transmit(Payload message) override { send(MessageType::kFlowData, 0, message.bytes()); }
  void transmit_credit(std::int64_t octets) override {
    HECTOR_CHECK(octets >= 0, "credit is given, never taken back");
    send(MessageType::kFlowCredit, static_cast<std::uint64_t>(octets), {});
  }
  void transmit_end() override { send(MessageType::kFlowEnd, 0, {}); }
  void send(MessageType type, std::uint64_t number, Bytes body) {
    std::string head;
    Writer writer(head);
    writer.type(type).number(call_);
    if (type == MessageType::kFlowCredit) writer.number(number);
    conversation_->send(group(call_), head, std::move(body));
  }
  /// Shared with the channel or endpoint: a program may hold a flow longer than either.
  std::shared_ptr<Conversation> conversation_;
  std::uint64_t call_;
  std::atomic<std::size_t> unread_{0};  ///< octets of messages that have arrived
};

}  // namespace hector::udp
