#include "udp_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <mutex>

#include "conversation.h"
#include "dtls_client.h"

namespace hector::udp {

namespace {

/// A hello that got no answer on a site within this is lost.
constexpr Duration kHelloAgain = std::chrono::milliseconds(100);
/// Below ConnectionLimits::silence_max, so that a peer that never answered is reported sooner than
/// one that went silent.
constexpr Duration kConnectFor = std::chrono::seconds(4);
/// Credit that one frame may give: a hostile peer cannot overflow the window.
constexpr std::uint64_t kCreditMax = UINT32_MAX;

class ClientConversation final : public Conversation, public DtlsClient::User {
 public:
  ClientConversation(const ProtocolContext& context, std::shared_ptr<Link> link,
                     const NetworkAddress& peer)
      : Conversation(context, std::move(link), peer, 0), client_id_(context.random->next()) {}

  void start(Call& call) {
    Bytes payload =
        call.kind == Kind::kStream && call.flow != Flow::kOut ? Bytes() : call.request.bytes();
    if (payload.size() > limits_.message_octets_max) {
      return call.fail(
          Error::invalid_argument(fmt::format("a udp message may have {} octets, this one has {}",
                                              limits_.message_octets_max, payload.size())));
    }
    const std::uint64_t id = next_call_.fetch_add(1, std::memory_order_relaxed);
    std::shared_ptr<UdpFlow> flow;
    if (call.kind == Kind::kStream) {
      flow = std::make_shared<UdpFlow>(shared_from_this(), id, call.flow != Flow::kIn,
                                       call.flow != Flow::kOut);
      call.give_stream(flow);
    }
    const TimePoint now = context_.clock->now();
    thread_local std::string head, header;  // their memory is used again
    head.clear();
    header.clear();
    encode_header(call.header, now, header);
    Writer(head)
        .type(MessageType::kRequest)
        .number(id)
        .octet(static_cast<std::uint8_t>(static_cast<int>(call.kind) << 4 |
                                         static_cast<int>(call.flow)))
        .number(header.size())
        .raw(header.data(), header.size());
    const std::uint64_t group = call.kind == Kind::kStream
                                    ? UdpFlow::group(id)
                                    : call.header.session & ~UdpFlow::kFlowGroup;
    const Deadline deadline = call.header.deadline;
    call.on_cancel([weak = weak_from_this(), id, &call] {
      if (auto self = weak.lock())
        static_cast<ClientConversation&>(*self).end(id, call.why_cancelled());
    });
    std::optional<Error> refused;
    {
      const std::lock_guard lock(mutex_);
      if (shut_) {
        refused = gone_error(peer_, "the channel is closed");
      } else if (call.is_cancelled()) {  // before it could be found in calls_
        refused = call.why_cancelled();
      } else {
        const bool is_new =
            calls_.emplace(id, Pending{&call, std::move(flow), deadline, group}).second;
        HECTOR_CHECK(is_new, "a call's number is used twice");
        next_deadline_ = std::min(next_deadline_, deadline);
        if (state_ != State::kEstablished) connect(now);
        send_locked(group, head, std::move(payload), now);
      }
    }
    if (refused) call.fail(std::move(*refused));
  }

  /// A packet for this socket.
  void on_packet(Octets packet) override {
    Reader reader(packet);
    const auto type = static_cast<PacketType>(reader.octet());
    const std::uint64_t id = reader.fixed();
    if (!reader.ok()) return;
    if (type == PacketType::kData) {
      if (id == client_id_) on_data(reader.rest());
    } else if (type == PacketType::kCookie && id == client_id_) {
      const Octets cookie = reader.raw(kCookieOctets);
      const std::lock_guard lock(mutex_);
      if (!reader.ok() || state_ != State::kConnecting) return;
      cookie_.assign(cookie.begin(), cookie.end());
      send_hello();
    } else if (type == PacketType::kWelcome && id == client_id_) {
      const std::uint64_t server = reader.fixed();
      const std::lock_guard lock(mutex_);
      if (!reader.ok() || state_ != State::kConnecting) return;
      connection_->set_peer(server);
      server_id_ = server;
      state_ = State::kEstablished;
      const TimePoint now = context_.clock->now();
      flush(now);
      schedule();
    } else if (type == PacketType::kReset) {
      {
        const std::lock_guard lock(mutex_);
        if (state_ != State::kEstablished || id != server_id_) return;
      }
      on_gone("the peer does not know the connection; it was restarted");
    }
  }

  void close(const std::string& why) {
    shut();
    fail_all(gone_error(peer_, why));
  }

 private:
  struct Pending {
    Call* call;
    std::shared_ptr<UdpFlow> flow;  ///< shared with the program, which reads and writes it
    Deadline deadline;
    std::uint64_t group;
  };

  enum class State : std::uint8_t { kIdle, kConnecting, kEstablished };

  bool is_established() const override { return state_ == State::kEstablished; }
  bool is_waiting() const override { return !calls_.empty() || connection_->held() > 0; }

  /// With the lock held.
  void connect(TimePoint now) {
    HECTOR_CHECK(state_ != State::kEstablished, "an established connection is not opened again");
    if (state_ == State::kConnecting) return;
    HECTOR_CHECK(cookie_.empty(), "a new connection has the cookie of an earlier one");
    state_ = State::kConnecting;
    connect_until_ = now + kConnectFor;
    send_hello();
    schedule();
  }

  void send_hello() {
    std::string hello;
    Writer writer(hello);
    writer.type(PacketType::kHello).octet(kVersion).fixed(client_id_);
    writer.octet(static_cast<std::uint8_t>(cookie_.size())).raw(cookie_.data(), cookie_.size());
    HECTOR_CHECK(hello.size() <= kHelloOctets, "a hello is larger than it is padded to");
    if (!link_->is_secure()) hello.resize(kHelloOctets, '\0');
    link_->send(hello);
    hello_again_ = context_.clock->now() + kHelloAgain;
  }

  TimePoint also_due() override {
    return std::min(next_deadline_, state_ == State::kConnecting ? hello_again_ : kNever);
  }

  void on_tick(TimePoint now) override {
    std::vector<std::uint64_t> overdue;
    bool gave_up = false;
    {
      const std::lock_guard lock(mutex_);
      if (state_ == State::kConnecting && hello_again_ <= now) {
        gave_up = now >= connect_until_;
        if (!gave_up) send_hello();
      }
      if (next_deadline_ <= now) {
        next_deadline_ = kNever;
        for (const auto& [id, pending] : calls_) {
          if (pending.deadline <= now)
            overdue.push_back(id);
          else
            next_deadline_ = std::min(next_deadline_, pending.deadline);
        }
      }
    }
    for (const auto id : overdue)
      end(id, Error::deadline_exceeded(
                  fmt::format("no reply from udp {} before the call's deadline", peer_.text())));
    if (gave_up) on_unreached();
  }

  /// Takes a call off the table; the one caller that gets it ends it.
  std::optional<Pending> take(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return std::nullopt;
    Pending pending = std::move(found->second);
    calls_.erase(found);
    return pending;
  }

  void end_group(std::uint64_t group) {
    const std::lock_guard lock(mutex_);
    if (!shut_) connection_->end_group(group);
  }

  /// Ends one call from this side and tells the peer to stop.
  void end(std::uint64_t id, Error why) {
    auto pending = take(id);
    if (!pending) return;
    std::string head;
    Writer(head).type(MessageType::kCancel).number(id).type(why.code);
    send(pending->group, head, {});
    if (pending->flow) end_group(pending->group);
    if (pending->flow) pending->flow->deliver_break(why);
    pending->call->fail(std::move(why));
  }

  void fail_all(const Error& error) {
    const auto keep = shared_from_this();  // a call that ends may be the last that held the channel
    boost::unordered_flat_map<std::uint64_t, Pending> calls;
    {
      const std::lock_guard lock(mutex_);
      calls.swap(calls_);
      next_deadline_ = kNever;
    }
    for (auto& [id, pending] : calls) {
      if (pending.flow) pending.flow->deliver_break(error);
      pending.call->fail(error);
    }
  }

  void on_gone(const std::string& why) override {
    begin_again();
    fail_all(gone_error(peer_, why));
  }

  /// Messages go after the peer's welcome: it has none of the calls.
  void on_unreached() {
    begin_again();
    fail_all(
        Error::unavailable(
            fmt::format("udp {}: no answer to the connection request within 4 s; is a capsule "
                        "there? {}. Nothing was sent",
                        peer_.text(),
                        link_->is_secure() ? "One without an `identity` does not answer this one"
                                           : "One that has an `identity` does not answer this "
                                             "one, which has none"))
            .with_type(kNotExecuted));
  }
  void on_refused(const Error& why) override {
    begin_again();
    Error told = why;
    told.message = fmt::format("udp {}: {}. Nothing was sent", peer_.text(), why.message);
    fail_all(told);
  }

  /// The next call makes a new connection.
  void begin_again() {
    const std::lock_guard lock(mutex_);
    if (shut_) return;
    link_->restart();
    connection_ = std::make_unique<Connection>(limits_, 0);
    client_id_ = context_.random->next();
    cookie_.clear();
    state_ = State::kIdle;
  }

  void on_message(Bytes message, TimePoint) override {
    Reader reader({message.data(), message.size()});
    const auto type = static_cast<MessageType>(reader.octet());
    const std::uint64_t id = reader.number();
    if (!reader.ok()) return;
    if (type == MessageType::kReply) return on_reply(id, message, reader);
    std::shared_ptr<UdpFlow> flow;
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(id);
      if (found == calls_.end()) return;
      flow = found->second.flow;
    }
    if (!flow) return;
    if (type == MessageType::kFlowData &&
        !flow->take(Payload(message.slice(message.size() - reader.rest().size()))))
      end(id, Error::resource_exhausted("the peer sends more of its flow than is read"));
    if (type == MessageType::kFlowEnd) flow->deliver_end();
    if (type == MessageType::kFlowCredit)
      flow->deliver_credit(static_cast<std::int64_t>(std::min(reader.number(), kCreditMax)));
  }

  void on_reply(std::uint64_t id, const Bytes& message, Reader& reader) {
    auto pending = take(id);
    if (!pending) return;
    Outcome outcome;
    const Octets rest = reader.rest();
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    auto used = decode_outcome(text, outcome);
    Call& call = *pending->call;
    if (!used) {
      if (pending->flow) pending->flow->deliver_break(used.error());
      return call.fail(used.error());
    }
    if (pending->flow) end_group(pending->group);
    call.trailing = std::move(outcome.trailing);
    if (pending->flow) {
      if (!outcome.error) pending->flow->deliver_end();
      pending->flow->deliver_break(outcome.error);
    }
    if (outcome.error) return call.fail(std::move(*outcome.error));
    call.complete(Payload(message.slice(message.size() - rest.size() + *used)));
  }

  std::atomic<std::uint64_t> client_id_;  ///< packets are compared with it before the lock is taken
  std::uint64_t server_id_ = 0;
  std::atomic<std::uint64_t> next_call_{1};
  boost::unordered_flat_map<std::uint64_t, Pending> calls_;
  Deadline next_deadline_ = kNever;
  std::string cookie_;
  State state_ = State::kIdle;
  TimePoint hello_again_ = kNever;
  TimePoint connect_until_ = kNever;
};

class UdpChannel final : public Channel {
 public:
  static Result<std::unique_ptr<Channel>> make(const ProtocolContext& context,
                                               const ChannelPeer& peer, tls::Tls* tls) {
    auto channel = std::make_unique<UdpChannel>();
    auto* raw = channel.get();
    auto socket = HECTOR_TRY(context.network->open(
        {local_for(peer.address), peer.address, Reading::kMayMove},
        [raw](const NetworkAddress&, Octets datagram) { raw->on_datagram(datagram); }));
    channel->socket_ = std::move(socket);
    std::shared_ptr<Link> link;
    if (tls != nullptr)
      link = channel->dtls_ =
          DtlsClient::make(context, *tls, *channel->socket_, {peer.address, peer.principal});
    else
      link = std::make_shared<PlainLink>(*channel->socket_, peer.address);
    channel->conversation_ =
        std::make_shared<ClientConversation>(context, std::move(link), peer.address);
    if (channel->dtls_) channel->dtls_->serve(channel->conversation_);
    channel->receiver_.store(channel->conversation_.get(), std::memory_order_release);
    return std::unique_ptr<Channel>(std::move(channel));
  }
  ~UdpChannel() override {
    close();
    socket_.reset();
  }
  void start(Call& call) noexcept override { conversation_->start(call); }
  bool help(TimePoint until) noexcept override { return socket_->receive_here(until); }
  /// Whatever its protocol gave is used no more: a call may hold it when that has gone.
  void close() noexcept override {
    conversation_->close("the channel is closed");
    if (dtls_) dtls_->stop();
  }

 private:
  static NetworkAddress local_for(const NetworkAddress& peer) {
    NetworkAddress local;
    if (!peer.is_ipv4()) return local;
    local.octets[10] = local.octets[11] = 0xff;
    if (is_loopback(peer)) std::memcpy(local.octets + 12, "\x7f\x00\x00\x01", 4);
    return local;
  }
  void on_datagram(Octets datagram) {
    auto* const conversation = receiver_.load(std::memory_order_acquire);
    if (conversation == nullptr) return;
    if (dtls_)
      dtls_->on_datagram(datagram);
    else
      conversation->on_packet(datagram);
  }

  std::unique_ptr<DatagramSocket> socket_;
  std::shared_ptr<DtlsClient> dtls_;  ///< null where channels are plain; its conversation's link
  /// Shared with its timer, its flows and its calls' cancellations, which may run while the channel
  /// goes.
  std::shared_ptr<ClientConversation> conversation_;
  std::atomic<ClientConversation*> receiver_{nullptr};  ///< the same; the socket is gone before it
};

}  // namespace

Result<std::unique_ptr<Channel>> make_channel(const ProtocolContext& context,
                                              const ChannelPeer& peer, tls::Tls* tls) {
  return UdpChannel::make(context, peer, tls);
}

}  // namespace hector::udp
