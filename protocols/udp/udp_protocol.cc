#include "udp_protocol.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <condition_variable>
#include <fmt/format.h>
#include <set>

#include "conversation.h"

namespace hector::udp {

namespace {

constexpr std::uint64_t kLoopbackDatagram = 16 * 1'024;
constexpr Duration kHelloAgain = std::chrono::milliseconds(100);
/// How long a peer that something is awaited from may be silent before it is asked for a sign of life.
constexpr Duration kPingAfter = std::chrono::seconds(1);
constexpr Duration kConnectFor = std::chrono::seconds(4);
constexpr std::size_t kSessionsMax = 10'000;
constexpr std::size_t kMulticastFragment = 1'200;
constexpr std::size_t kMulticastFragmentsMax = 1'024;

Octets octets_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

Error gone_error(const NetworkAddress& peer, const std::string& why) {
  return {Code::kUnavailable, fmt::format("udp {}: {}; the outcome of what was under way is unknown", peer.text(), why), {}, {}, {}};
}

bool is_loopback(const NetworkAddress& address) { return address.is_ipv4() ? address.octets[12] == 127 : address.octets[15] == 1; }

SessionLimits limits_for(const NetworkAddress& peer) {
  SessionLimits limits;
  if (is_loopback(peer)) limits.datagram_octets = kLoopbackDatagram;
  return limits;
}

}  // namespace

// --- what both sides share -----------------------------------------------------------------------------------------------------------------

void Conversation::send(std::uint64_t group, std::string head, Bytes body) {
  const std::lock_guard lock(mutex_);
  if (shut_) return;
  session_->send(group, std::move(head), std::move(body));
  if (corked_by_ == std::this_thread::get_id()) return;  // on_data sends everything together when it is through
  const TimePoint now = context_.clock->now();
  flush(now);
  schedule();
}

void Conversation::flush(TimePoint now) {
  if (!is_established()) return;
  while (session_->next_packet(now, packet_)) {
    const Octets part = octets_of(packet_);
    socket_.send(peer_, {&part, 1});
  }
}

TimePoint Conversation::ping_due() const {
  return is_established() && is_waiting() ? std::max(session_->heard(), pinged_) + kPingAfter : kNever;
}

void Conversation::schedule() {
  if (shut_) return;
  const TimePoint due = std::min({is_established() ? session_->due() : kNever, also_due(), ping_due()});
  if (due == kNever || due >= timer_at_) return;  // an earlier timer looks again
  if (timer_ != 0) context_.executor->cancel(timer_);
  timer_at_ = due;
  timer_ = context_.executor->at(due, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->run_timer();
  });
}

void Conversation::run_timer() {
  const TimePoint now = context_.clock->now();
  bool is_dead = false;
  {
    const std::lock_guard lock(mutex_);
    timer_ = 0;
    timer_at_ = kNever;
    if (shut_) return;
    if (is_established()) {
      if (ping_due() <= now) {
        session_->ping();
        pinged_ = now;
      }
      if (session_->due() <= now) session_->tick(now);
      flush(now);
      is_dead = session_->is_dead(now);
    }
  }
  if (is_dead) on_gone("the peer is silent");
  on_tick(now);
  const std::lock_guard lock(mutex_);
  schedule();
}

void Conversation::on_data(Octets packet) {
  thread_local std::vector<Bytes> messages;
  std::vector<Bytes> mine;
  mine.swap(messages);
  const TimePoint now = context_.clock->now();
  bool peer_closed = false;
  {
    const std::lock_guard lock(mutex_);
    if (shut_) return;
    session_->receive(packet, now, mine);
    peer_closed = session_->peer_closed();
    if (!mine.empty()) corked_by_ = std::this_thread::get_id();
  }
  for (auto& message : mine) on_message(std::move(message));
  {
    const std::lock_guard lock(mutex_);
    if (corked_by_ == std::this_thread::get_id()) corked_by_ = {};
    const TimePoint after = context_.clock->now();
    flush(after);
    schedule();
  }
  mine.clear();
  messages.swap(mine);
  if (peer_closed) on_gone("the peer closed the session");
}

void Conversation::shut() {
  const std::lock_guard lock(mutex_);
  if (shut_) return;
  shut_ = true;
  if (timer_ != 0) context_.executor->cancel(timer_);
  if (!is_established()) return;
  flush(context_.clock->now());
  const std::string goodbye = session_->close_packet();
  const Octets part = octets_of(goodbye);
  socket_.send(peer_, {&part, 1});
}

namespace {

// --- the initiating side -----------------------------------------------------------------------------------------------------------------

class ClientConversation final : public Conversation {
 public:
  ClientConversation(const ProtocolContext& context, SessionLimits limits, DatagramSocket& socket, const NetworkAddress& peer)
      : Conversation(context, limits, socket, peer, 0), client_id_(context.random->next()) {}

  void start(Call& call) {
    const Bytes payload = call.kind == Kind::kStream && call.flow != Flow::kOut ? Bytes() : call.request.bytes();
    if (payload.size() > limits_.message_octets_max) {
      return call.fail({Code::kInvalidArgument, fmt::format("a udp message may have {} octets, this one has {}", limits_.message_octets_max, payload.size()), {}, {}, {}});
    }
    const std::uint64_t id = next_call_.fetch_add(1, std::memory_order_relaxed);
    std::shared_ptr<UdpFlow> flow;
    if (call.kind == Kind::kStream) {
      flow = std::make_shared<UdpFlow>(shared_from_this(), id, call.flow != Flow::kIn, call.flow != Flow::kOut);
      call.give_stream(flow);
    }
    std::string head;
    Writer writer(head);
    writer.octet(static_cast<std::uint8_t>(MessageType::kRequest)).number(id);
    writer.octet(static_cast<std::uint8_t>(static_cast<int>(call.kind) << 4 | static_cast<int>(call.flow)));
    const TimePoint now = context_.clock->now();
    std::string header;
    encode_header(call.header, now, header);
    writer.number(header.size()).raw(header.data(), header.size());
    const std::uint64_t group = call.kind == Kind::kStream ? UdpFlow::group(id) : call.header.session & ~(1ULL << 63);
    const Deadline deadline = call.header.deadline;
    {
      const std::lock_guard lock(mutex_);
      if (shut_) {
        call.fail(gone_error(peer_, "the channel is closed"));
        return;
      }
      calls_.emplace(id, Pending{&call, flow, deadline, group});
      next_deadline_ = std::min(next_deadline_, deadline);
    }
    call.on_cancel([weak = weak_from_this(), id, &call] {
      if (auto self = weak.lock()) static_cast<ClientConversation&>(*self).end(id, call.why_cancelled(), true);
    });
    connect(now);
    send(group, std::move(head), payload);
  }

  /// A packet for this socket.
  void on_packet(Octets packet) {
    Reader reader(packet);
    const auto type = static_cast<PacketType>(reader.octet());
    const std::uint64_t id = reader.fixed();
    if (!reader.ok()) return;
    if (type == PacketType::kData) {
      if (id == client_id_) on_data(reader.rest());
    } else if (type == PacketType::kCookie && id == client_id_) {
      const Octets cookie = reader.raw(kCookieOctets);
      const std::lock_guard lock(mutex_);
      if (!reader.ok() || established_) return;
      cookie_.assign(cookie.begin(), cookie.end());
      send_hello();
    } else if (type == PacketType::kWelcome && id == client_id_) {
      const std::uint64_t server = reader.fixed();
      const std::lock_guard lock(mutex_);
      if (!reader.ok() || established_) return;
      session_->set_peer(server);
      server_id_ = server;
      established_ = true;
      connecting_ = false;
      const TimePoint now = context_.clock->now();
      flush(now);
      schedule();
    } else if (type == PacketType::kReset) {
      {
        const std::lock_guard lock(mutex_);
        if (!established_ || id != server_id_) return;
      }
      on_gone("the peer does not know the session: it was restarted");
    }
  }

  void close(const std::string& why) {
    shut();
    fail_all(why);
  }

 private:
  struct Pending {
    Call* call;
    std::shared_ptr<UdpFlow> flow;
    Deadline deadline;
    std::uint64_t group;
  };

  bool is_established() const override { return established_; }
  bool is_waiting() const override { return !calls_.empty(); }

  void connect(TimePoint now) {
    const std::lock_guard lock(mutex_);
    if (established_ || connecting_) return;
    connecting_ = true;
    connect_until_ = now + kConnectFor;
    send_hello();
    schedule();
  }

  void send_hello() {
    std::string hello;
    Writer writer(hello);
    writer.octet(static_cast<std::uint8_t>(PacketType::kHello)).octet(kVersion).fixed(client_id_);
    writer.octet(static_cast<std::uint8_t>(cookie_.size())).raw(cookie_.data(), cookie_.size());
    hello.resize(kHelloOctets, '\0');
    const Octets part = octets_of(hello);
    socket_.send(peer_, {&part, 1});
    hello_again_ = context_.clock->now() + kHelloAgain;
  }

  TimePoint also_due() override { return std::min(next_deadline_, connecting_ ? hello_again_ : kNever); }

  void on_tick(TimePoint now) override {
    std::vector<std::uint64_t> overdue;
    bool gave_up = false;
    {
      const std::lock_guard lock(mutex_);
      if (connecting_ && hello_again_ <= now) {
        gave_up = now >= connect_until_;
        if (!gave_up) send_hello();
      }
      if (next_deadline_ <= now) {
        next_deadline_ = kNever;
        for (const auto& [id, pending] : calls_) {
          if (pending.deadline <= now) overdue.push_back(id);
          else next_deadline_ = std::min(next_deadline_, pending.deadline);
        }
      }
    }
    for (const auto id : overdue) end(id, Error{Code::kDeadlineExceeded, fmt::format("no reply from udp {} before the call's deadline", peer_.text()), {}, {}, {}}, true);
    if (gave_up) on_gone("nobody answers there");
  }

  /// Ends one call from this side; tells the peer to stop.
  void end(std::uint64_t id, Error why, bool tell) {
    Pending pending{};
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(id);
      if (found == calls_.end()) return;
      pending = std::move(found->second);
      calls_.erase(found);
    }
    if (tell) {
      std::string head;
      Writer(head).octet(static_cast<std::uint8_t>(MessageType::kCancel)).number(id).octet(static_cast<std::uint8_t>(why.code));
      send(pending.group, std::move(head), {});
    }
    if (pending.flow) pending.flow->deliver_break(why);
    pending.call->fail(std::move(why));
  }

  void fail_all(const std::string& why) {
    std::unordered_map<std::uint64_t, Pending> calls;
    {
      const std::lock_guard lock(mutex_);
      calls.swap(calls_);
      next_deadline_ = kNever;
    }
    for (auto& [id, pending] : calls) {
      Error error = gone_error(peer_, why);
      if (pending.flow) pending.flow->deliver_break(error);
      pending.call->fail(std::move(error));
    }
  }

  void on_gone(const std::string& why) override {
    {
      const std::lock_guard lock(mutex_);
      if (!shut_) {  // the next call makes a new session
        session_ = std::make_unique<Session>(limits_, 0);
        client_id_ = context_.random->next();
        cookie_.clear();
        established_ = connecting_ = false;
      }
    }
    fail_all(why);
  }

  void on_message(Bytes message) override {
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
    if (type == MessageType::kFlowData) flow->deliver(Payload(message.slice(message.size() - reader.rest().size())));
    if (type == MessageType::kFlowEnd) flow->deliver_end();
    if (type == MessageType::kFlowCredit) flow->deliver_credit(static_cast<std::int64_t>(std::min<std::uint64_t>(reader.number(), UINT32_MAX)));
  }

  void on_reply(std::uint64_t id, const Bytes& message, Reader& reader) {
    Pending pending{};
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(id);
      if (found == calls_.end()) return;
      pending = std::move(found->second);
      calls_.erase(found);
    }
    Outcome outcome;
    const Octets rest = reader.rest();
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    Metadata initial;
    auto used = decode_outcome(text, outcome);
    Call& call = *pending.call;
    if (!used) {
      if (pending.flow) pending.flow->deliver_break(used.error());
      return call.fail(used.error());
    }
    call.trailing = std::move(outcome.trailing);
    if (pending.flow) {
      if (!outcome.error) pending.flow->deliver_end();
      pending.flow->deliver_break(outcome.error);
    }
    if (outcome.error) return call.fail(std::move(*outcome.error));
    call.complete(Payload(message.slice(message.size() - rest.size() + *used)));
  }

  std::uint64_t client_id_;
  std::uint64_t server_id_ = 0;
  std::atomic<std::uint64_t> next_call_{1};
  std::unordered_map<std::uint64_t, Pending> calls_;
  Deadline next_deadline_ = kNever;
  std::string cookie_;
  bool established_ = false;
  bool connecting_ = false;
  TimePoint hello_again_ = kNever;
  TimePoint connect_until_ = kNever;
};

class UdpChannel final : public Channel {
 public:
  static Result<std::shared_ptr<Channel>> make(const ProtocolContext& context, const NetworkAddress& peer) {
    auto channel = std::make_shared<UdpChannel>();
    NetworkAddress local = peer;
    std::memset(local.octets, 0, sizeof local.octets);
    if (peer.is_ipv4()) {
      local.octets[10] = local.octets[11] = 0xff;
      if (is_loopback(peer)) std::memcpy(local.octets + 12, "\x7f\x00\x00\x01", 4);
    }
    local.port = 0;
    auto* raw = channel.get();
    auto socket = context.network->open(local, Reading::kMayMove, [raw](const NetworkAddress&, Octets datagram) {
      if (auto conversation = std::atomic_load(&raw->conversation_)) conversation->on_packet(datagram);
    });
    if (!socket) return fail(socket.error());
    channel->socket_ = std::move(*socket);
    std::atomic_store(&channel->conversation_, std::make_shared<ClientConversation>(context, limits_for(peer), *channel->socket_, peer));
    return std::shared_ptr<Channel>(std::move(channel));
  }
  ~UdpChannel() override {
    close();
    socket_.reset();
  }
  void start(Call& call) noexcept override { conversation_->start(call); }
  bool help(TimePoint until) noexcept override { return socket_->receive_here(until); }
  void close() noexcept override { conversation_->close("the channel is closed"); }

 private:
  std::unique_ptr<DatagramSocket> socket_;
  std::shared_ptr<ClientConversation> conversation_;
};

// --- the offering side -----------------------------------------------------------------------------------------------------------------------

class ServerConversation;

class UdpServerCall final : public Call {
 public:
  UdpServerCall(std::shared_ptr<ServerConversation> conversation, std::uint64_t id) : conversation_(std::move(conversation)), id_(id) {}
  Peer own_peer;
  std::shared_ptr<UdpFlow> flow_end;

  /// Held once until the call ends, and once by whoever cancels it meanwhile.
  void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
  void let_go() noexcept {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  void finished() noexcept override;
  std::shared_ptr<ServerConversation> conversation_;
  std::uint64_t id_;
  std::atomic<int> holders_{1};
};

class ServerConversation final : public Conversation {
 public:
  ServerConversation(const ProtocolContext& context, SessionLimits limits, DatagramSocket& socket, const NetworkAddress& peer, std::uint64_t client_id)
      : Conversation(context, limits, socket, peer, client_id), client_id_(client_id) {}

  void reply(std::uint64_t id, Call& call) {
    bool is_flow = false;
    {
      const std::lock_guard lock(mutex_);
      is_flow = call.stream != nullptr;
      calls_.erase(id);
      if (calls_.empty()) idle_.notify_all();
    }
    std::string head;
    Writer(head).octet(static_cast<std::uint8_t>(MessageType::kReply)).number(id);
    Bytes body = call.error ? Bytes() : call.reply.bytes();
    if (body.size() > limits_.message_octets_max) {
      call.error = Error{Code::kInvalidArgument, fmt::format("a udp message may have {} octets, the reply has {}", limits_.message_octets_max, body.size()), {}, {}, {}};
      body = {};
    }
    if (!call.initial.empty()) call.trailing.insert(call.trailing.begin(), call.initial.begin(), call.initial.end());
    encode_outcome(call.error ? &*call.error : nullptr, call.trailing, head);
    send(is_flow ? UdpFlow::group(id) : 0, std::move(head), std::move(body));
  }

  [[nodiscard]] std::uint64_t client_id() const { return client_id_; }
  void refuse_new() { refuses_ = true; }
  bool wait_idle(TimePoint until) {
    std::unique_lock lock(mutex_);
    while (!calls_.empty() && context_.clock->now() < until) idle_.wait_for(lock, std::chrono::milliseconds(10));
    return calls_.empty();
  }
  [[nodiscard]] bool is_gone() const { return gone_; }

  void cancel_all(const std::string& why) {
    gone_ = true;
    std::vector<std::uint64_t> ids;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [id, call] : calls_) ids.push_back(id);
    }
    for (const auto id : ids) cancel_one(id, gone_error(peer_, why));
  }

 private:
  bool is_waiting() const override { return !calls_.empty(); }
  void on_gone(const std::string& why) override { cancel_all(why); }

  void on_message(Bytes message) override {
    Reader reader({message.data(), message.size()});
    const auto type = static_cast<MessageType>(reader.octet());
    const std::uint64_t id = reader.number();
    if (!reader.ok()) return;
    if (type == MessageType::kRequest) return on_request(id, message, reader);
    std::shared_ptr<UdpFlow> flow;
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(id);
      if (found == calls_.end()) {
        if (type == MessageType::kCancel && early_cancels_.size() < 1'024) early_cancels_.insert(id);
        return;
      }
      flow = found->second->flow_end;
    }
    if (type == MessageType::kCancel) {
      return cancel_one(id, {code_from_number(reader.octet()), "the caller gave up", {}, {}, {}});
    }
    if (!flow) return;
    if (type == MessageType::kFlowData) flow->deliver(Payload(message.slice(message.size() - reader.rest().size())));
    if (type == MessageType::kFlowEnd) flow->deliver_end();
    if (type == MessageType::kFlowCredit) flow->deliver_credit(static_cast<std::int64_t>(std::min<std::uint64_t>(reader.number(), UINT32_MAX)));
  }

  void cancel_one(std::uint64_t id, Error why) {
    UdpServerCall* call = nullptr;
    std::shared_ptr<UdpFlow> flow;
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(id);
      if (found == calls_.end()) return;
      call = found->second;
      call->hold();
      flow = call->flow_end;
    }
    if (flow) flow->deliver_break(why);
    call->cancel(std::move(why));
    call->let_go();
  }

  void on_request(std::uint64_t id, const Bytes& message, Reader& reader) {
    const std::uint8_t shape = reader.octet();
    const Octets header = reader.raw(reader.number());
    if (!reader.ok()) return;
    auto* call = new UdpServerCall(std::static_pointer_cast<ServerConversation>(shared_from_this()), id);
    auto decoded = decode_header({reinterpret_cast<const char*>(header.data()), header.size()}, context_.clock->now(), call->header);
    call->kind = static_cast<Kind>(std::min(shape >> 4, 2));
    call->flow = static_cast<Flow>(shape & 3);
    call->request = Payload(message.slice(message.size() - reader.rest().size()));
    if (call->header.principal == peer_principal_) {
      call->peer = &shared_peer_;
    } else {
      call->own_peer = {call->header.principal, "udp", peer_.text(), Security::kNone};
      call->peer = &call->own_peer;
      const std::lock_guard lock(mutex_);
      if (peer_principal_.empty()) {
        shared_peer_ = call->own_peer;
        peer_principal_ = shared_peer_.principal;
      }
    }
    bool was_cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      was_cancelled = early_cancels_.erase(id) != 0;
      calls_.emplace(id, call);
    }
    if (!decoded) return call->fail(decoded.error());
    if (was_cancelled) return call->fail({Code::kCancelled, "the caller gave up", {}, {}, {}});
    if (refuses_) return call->fail({Code::kUnavailable, "this endpoint is closing; use another protocol", {}, {}, {}});
    const Kind told = call->kind;
    const Flow told_flow = call->flow;
    if (auto found = context_.inbound->resolve(*call); !found) return call->fail(std::move(found.error()));
    if (call->kind != told || call->flow != told_flow) {
      return call->fail({Code::kInvalidArgument, fmt::format("'{}' is of kind {}, called as {}", call->operation->name, kind_name(call->kind), kind_name(told)), {}, {}, {}});
    }
    if (call->kind == Kind::kStream) {
      call->flow_end = std::make_shared<UdpFlow>(shared_from_this(), id, call->flow != Flow::kOut, call->flow != Flow::kIn);
      call->stream = call->flow_end;
    }
    context_.inbound->accept(*call);
  }

  const std::uint64_t client_id_;
  std::unordered_map<std::uint64_t, UdpServerCall*> calls_;
  std::set<std::uint64_t> early_cancels_;
  std::condition_variable idle_;
  std::string peer_principal_;
  Peer shared_peer_;
  std::atomic<bool> refuses_{false};
  std::atomic<bool> gone_{false};
};

void UdpServerCall::finished() noexcept {
  const auto conversation = conversation_;
  if (stream) static_cast<UdpFlow&>(*stream).deliver_break(std::nullopt);
  conversation->reply(id_, *this);
  let_go();
}

class UdpEndpoint final : public Endpoint {
 public:
  static Result<std::unique_ptr<Endpoint>> make(const ProtocolContext& context, const NetworkAddress& address) {
    std::unique_ptr<UdpEndpoint> made(new UdpEndpoint(context));
    NetworkAddress local = address;
    auto socket = context.network->open(local, Reading::kNetworkThread, [raw = made.get()](const NetworkAddress& from, Octets datagram) { raw->on_datagram(from, datagram); });
    if (!socket) return fail(socket.error());
    {
      const std::lock_guard lock(made->mutex_);
      made->socket_ = std::move(*socket);
    }
    if (address.is_multicast()) {
      if (auto joined = made->socket_->join(address); !joined) return fail(joined.error());
    }
    return std::unique_ptr<Endpoint>(std::move(made));
  }
  ~UdpEndpoint() override {
    drain(Duration::zero());
    socket_.reset();
  }

  std::string address() const override { return socket_->local().text(); }

  void drain(Duration grace) noexcept override {
    draining_ = true;
    const TimePoint until = context_.clock->now() + grace;
    const auto all = conversations();
    for (const auto& each : all) each->refuse_new();
    for (const auto& each : all) {
      each->wait_idle(until);
      each->cancel_all("the endpoint closed");
      each->shut();
    }
    const std::lock_guard lock(mutex_);
    by_id_.clear();
    by_client_.clear();
  }

 private:
  explicit UdpEndpoint(const ProtocolContext& context) : context_(context) {
    for (auto& word : secret_) word = context.random->next();
  }

  std::vector<std::shared_ptr<ServerConversation>> conversations() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<ServerConversation>> all;
    for (const auto& [id, conversation] : by_id_) all.push_back(conversation);
    return all;
  }

  void on_datagram(const NetworkAddress& from, Octets datagram) {
    Reader reader(datagram);
    const auto type = static_cast<PacketType>(reader.octet());
    switch (type) {
      case PacketType::kHello:
        return on_hello(from, datagram, reader);
      case PacketType::kData:
        return on_data(from, reader);
      case PacketType::kMulticast:
        return on_multicast(from, reader);
      default:
        return;  // garbage is dropped without an answer
    }
  }

  std::string cookie_for(const NetworkAddress& from, std::uint64_t client, std::uint64_t bucket) const {
    std::string text(reinterpret_cast<const char*>(from.octets), 16);
    Writer(text).fixed(from.port).fixed(client).fixed(bucket);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret_, sizeof secret_, reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    return {reinterpret_cast<const char*>(digest), kCookieOctets};
  }

  /// No state before the cookie has come back from the address it was sent to.
  void on_hello(const NetworkAddress& from, Octets datagram, Reader& reader) {
    const std::uint8_t version = reader.octet();
    const std::uint64_t client = reader.fixed();
    const Octets cookie = reader.raw(reader.octet());
    if (!reader.ok() || version != kVersion || datagram.size() < kHelloOctets || draining_) return;
    const auto bucket = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(context_.clock->now().time_since_epoch()).count() / 30);
    const std::string given(reinterpret_cast<const char*>(cookie.data()), cookie.size());
    if (given != cookie_for(from, client, bucket) && given != cookie_for(from, client, bucket - 1)) {
      std::string answer;
      const std::string fresh = cookie_for(from, client, bucket);
      Writer(answer).octet(static_cast<std::uint8_t>(PacketType::kCookie)).fixed(client).raw(fresh.data(), fresh.size());
      return answer_to(from, answer);
    }
    std::uint64_t server = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto known = by_client_.find(client);
      if (known != by_client_.end()) {
        server = known->second;
      } else if (by_id_.size() < kSessionsMax || forget_gone()) {
        server = context_.random->next();
        by_client_.emplace(client, server);
        by_id_.emplace(server, std::make_shared<ServerConversation>(context_, limits_for(from), *socket_, from, client));
      } else {
        return;
      }
    }
    std::string answer;
    Writer(answer).octet(static_cast<std::uint8_t>(PacketType::kWelcome)).fixed(client).fixed(server);
    answer_to(from, answer);
  }

  bool forget_gone() {
    std::erase_if(by_id_, [&](const auto& each) {
      if (each.second->is_gone()) by_client_.erase(each.second->client_id());
      return each.second->is_gone();
    });
    return by_id_.size() < kSessionsMax;
  }

  void on_data(const NetworkAddress& from, Reader& reader) {
    const std::uint64_t id = reader.fixed();
    if (!reader.ok()) return;
    std::shared_ptr<ServerConversation> conversation;
    {
      const std::lock_guard lock(mutex_);
      const auto found = by_id_.find(id);
      if (found != by_id_.end()) conversation = found->second;
    }
    if (!conversation || conversation->is_gone()) {
      std::string answer;
      Writer(answer).octet(static_cast<std::uint8_t>(PacketType::kReset)).fixed(id);
      return answer_to(from, answer);
    }
    if (conversation->peer() == from) conversation->on_data(reader.rest());
  }

  void answer_to(const NetworkAddress& to, const std::string& packet) {
    const Octets part = octets_of(packet);
    const std::lock_guard lock(mutex_);
    if (socket_) socket_->send(to, {&part, 1});
  }

  // --- multicast: fragments, best effort ---------------------------------------------------------------------------------------------------

  struct Partial {
    std::vector<std::string> parts;
    std::size_t received = 0;
  };
  class MulticastCall final : public Call {
   public:
    Peer own_peer;

   private:
    void finished() noexcept override { delete this; }
  };

  void on_multicast(const NetworkAddress& from, Reader& reader) {
    const std::uint64_t message = reader.fixed();
    const std::uint64_t index = reader.number();
    const std::uint64_t count = reader.number();
    if (!reader.ok() || count == 0 || count > kMulticastFragmentsMax || index >= count || draining_) return;
    const Octets data = reader.rest();
    std::string whole;
    {
      const std::lock_guard lock(mutex_);
      if (seen_multicasts_.contains(message)) return;
      if (partials_.size() > 64) partials_.erase(partials_.begin());
      Partial& partial = partials_[message];
      partial.parts.resize(count);
      if (!partial.parts[index].empty()) return;
      partial.parts[index].assign(data.begin(), data.end());
      if (++partial.received < count) return;
      for (const auto& part : partial.parts) whole += part;
      partials_.erase(message);
      seen_multicasts_.insert(message);
      if (seen_multicasts_.size() > 4'096) seen_multicasts_.erase(seen_multicasts_.begin());
    }
    auto* call = new MulticastCall();
    auto used = decode_header(whole, context_.clock->now(), call->header);
    if (!used) return call->complete();
    call->kind = Kind::kAnnounce;
    call->own_peer = {call->header.principal, "udp", from.text(), Security::kNone};
    call->peer = &call->own_peer;
    call->request = Payload(Bytes::copy(std::string_view(whole).substr(*used)));
    if (!context_.inbound->resolve(*call) || call->kind != Kind::kAnnounce) return call->complete();
    context_.inbound->accept(*call);
  }

  const ProtocolContext& context_;
  std::mutex mutex_;
  std::unique_ptr<DatagramSocket> socket_;
  std::uint64_t secret_[4];
  std::atomic<bool> draining_{false};
  std::unordered_map<std::uint64_t, std::shared_ptr<ServerConversation>> by_id_;
  std::unordered_map<std::uint64_t, std::uint64_t> by_client_;
  std::map<std::uint64_t, Partial> partials_;
  std::set<std::uint64_t> seen_multicasts_;
};

class UdpProtocol final : public Protocol {
 public:
  explicit UdpProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.multicast = true;
    capabilities_.ordered = true;
    capabilities_.message_octets_max = SessionLimits{}.message_octets_max;
    capabilities_.address_format = "IPv4:port or [IPv6]:port; a multicast group to receive multicasts";
  }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    auto parsed = NetworkAddress::parse(address);
    if (!parsed) return fail(parsed.error());
    return UdpEndpoint::make(context_, *parsed);
  }
  Result<std::shared_ptr<Channel>> connect(const std::string& address) override {
    auto parsed = NetworkAddress::parse(address);
    if (!parsed) return fail(parsed.error());
    return UdpChannel::make(context_, *parsed);
  }
  Status multicast(const std::string& group, const Header& header, Payload message) override {
    auto parsed = NetworkAddress::parse(group);
    if (!parsed) return fail(parsed.error());
    if (!parsed->is_multicast()) return fail(Code::kInvalidArgument, fmt::format("{} is no multicast group (224.0.0.0 to 239.255.255.255, or ff00::/8)", group));
    std::string whole;
    encode_header(header, context_.clock->now(), whole);
    whole.append(message.bytes().view());
    const std::size_t count = (whole.size() + kMulticastFragment - 1) / kMulticastFragment;
    if (count > kMulticastFragmentsMax) return fail(Code::kInvalidArgument, fmt::format("a multicast may have {} octets, this one has {}", kMulticastFragment * kMulticastFragmentsMax, whole.size()));
    const std::lock_guard lock(mutex_);
    if (!sender_) {
      NetworkAddress any;
      any.octets[10] = any.octets[11] = 0xff;
      std::memcpy(any.octets + 12, "\x7f\x00\x00\x01", 4);
      auto socket = context_.network->open(any, Reading::kMayMove, [](const NetworkAddress&, Octets) {});
      if (!socket) return fail(socket.error());
      sender_ = std::move(*socket);
    }
    const std::uint64_t id = context_.random->next();
    for (std::size_t i = 0; i < count; ++i) {
      std::string packet;
      Writer(packet).octet(static_cast<std::uint8_t>(PacketType::kMulticast)).fixed(id).number(i).number(count);
      packet += whole.substr(i * kMulticastFragment, kMulticastFragment);
      const Octets part = octets_of(packet);
      sender_->send(*parsed, {&part, 1});
    }
    return {};
  }

 private:
  ProtocolContext context_;
  ProtocolCapabilities capabilities_;
  std::mutex mutex_;
  std::unique_ptr<DatagramSocket> sender_;
};

}  // namespace

std::unique_ptr<Protocol> make_protocol(const ProtocolContext& context) { return std::make_unique<UdpProtocol>(context); }

}  // namespace hector::udp
