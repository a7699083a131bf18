// What: Conversation, a session with its lock, its timer and its socket; what clients and servers
// share.
// Why: the session itself knows no threads; everything that does is here.
// Who: channels and endpoints of the udp protocol.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "hector/protocol.h"
#include "hector/stream.h"
#include "session.h"

namespace hector::udp {

Octets octets_of(const std::string& text);
/// UNAVAILABLE, for every call that was under way.
Error gone_error(const NetworkAddress& peer, const std::string& why);
bool is_loopback(const NetworkAddress& address);
SessionLimits limits_for(const NetworkAddress& peer);
inline constexpr std::size_t kMulticastFragmentsMax = 1'024;

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(const ProtocolContext& context, SessionLimits limits, DatagramSocket& socket,
               const NetworkAddress& peer, std::uint64_t peer_id)
      : context_(context),
        limits_(limits),
        socket_(socket),
        peer_(peer),
        session_(std::make_unique<Session>(limits, peer_id)) {}
  virtual ~Conversation() = default;

  void send(std::uint64_t group, std::string_view head, Bytes body);
  void on_data(Octets packet);
  /// Stops the timer and says goodbye.
  void shut();
  [[nodiscard]] const NetworkAddress& peer() const { return peer_; }

 protected:
  /// `now`: when its packet came.
  virtual void on_message(Bytes message, TimePoint now) = 0;
  /// The peer is gone: end what is under way.
  virtual void on_gone(const std::string& why) = 0;
  /// With the lock held: further moments when on_tick is wanted, and what to do then (without the
  /// lock).
  virtual TimePoint also_due() { return kNever; }
  virtual void on_tick(TimePoint now) { static_cast<void>(now); }
  virtual bool is_established() const { return true; }
  /// Whether this side waits for the peer: then its silence is looked into.
  virtual bool is_waiting() const { return false; }
  [[nodiscard]] TimePoint ping_due() const;

  /// With the lock held: queues a message, and sends it now unless this thread is in on_data(),
  /// which sends everything together.
  void send_locked(std::uint64_t group, std::string_view head, Bytes body, TimePoint now);
  void flush(TimePoint now);
  void schedule();
  void run_timer();

  const ProtocolContext& context_;
  const SessionLimits limits_;
  DatagramSocket& socket_;
  const NetworkAddress peer_;
  std::mutex mutex_;
  std::unique_ptr<Session> session_;
  std::string packet_;
  std::thread::id corked_by_;
  TimerId timer_ = 0;
  TimePoint timer_at_ = kNever;
  TimePoint pinged_{};
  bool shut_ = false;
};

/// One end of a flow over a conversation.
class UdpFlow final : public WindowedStream {
 public:
  UdpFlow(std::shared_ptr<Conversation> conversation, std::uint64_t call, bool can_read,
          bool can_write)
      : WindowedStream(can_read, can_write), conversation_(std::move(conversation)), call_(call) {}
  static std::uint64_t group(std::uint64_t call) { return call | 1ULL << 63; }

 private:
  void transmit(Payload message) override { send(MessageType::kFlowData, 0, message.bytes()); }
  void transmit_credit(std::int64_t octets) override {
    send(MessageType::kFlowCredit, static_cast<std::uint64_t>(octets), {});
  }
  void transmit_end() override { send(MessageType::kFlowEnd, 0, {}); }
  void send(MessageType type, std::uint64_t number, Bytes body) {
    std::string head;
    Writer writer(head);
    writer.octet(static_cast<std::uint8_t>(type)).number(call_);
    if (type == MessageType::kFlowCredit) writer.number(number);
    conversation_->send(group(call_), head, std::move(body));
  }
  std::shared_ptr<Conversation> conversation_;
  std::uint64_t call_;
};

}  // namespace hector::udp
