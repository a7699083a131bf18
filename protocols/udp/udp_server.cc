#include "udp_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <ranges>
#include <set>

#include "conversation.h"
#include "cookies.h"
#include "dtls_server.h"
#include "multicasts.h"

namespace hector::udp {

namespace {

/// Each takes about 1 KiB when idle; docs/limits.md. Beyond it the sessions that asked for nothing
/// yet go first, the oldest before the others, then those that were silent longest.
constexpr std::size_t kConnectionsMax = 10'000;
/// Sessions that have asked for nothing yet. A peer asks in the round trip after its welcome.
constexpr std::size_t kUnprovedMax = 1'024;
/// Of one address and port: a peer needs one, and makes another when it lost that.
constexpr std::size_t kSessionsOfAddressMax = 64;
/// Silent sessions that go together where the table is full: looking for them takes a while.
constexpr std::size_t kSilentAtOnce = kConnectionsMax / 64;
/// Requests in progress, with what each costs beside its octets: of one session, of an endpoint.
constexpr std::size_t kRequestOctetsMax = 48 * 1024 * 1024;
/// Of all sessions together.
constexpr std::size_t kAllRequestOctetsMax = 256 * 1024 * 1024;
/// A call with its tables and queues, about; so that small requests are limited as well.
constexpr std::size_t kRequestEntryOctets = 2 * 1024;
/// Of all sessions' messages in reassembly and out of order; the session that added nothing for
/// the longest time goes.
constexpr std::size_t kAllHeldOctetsMax = 256 * 1024 * 1024;
/// Of replies that a peer does not take.
constexpr std::size_t kUnsentOctetsMax = 64 * 1024 * 1024;
constexpr std::size_t kUnsentEntryOctets = 1'024;  ///< smaller ones, errors among them, still go
constexpr std::size_t kCallsKeptMax = 64;          ///< per connection, for reuse without allocation
constexpr std::size_t kPrincipalsMax = 256;  ///< per connection; beyond it a call owns its Peer
/// Cancellations that overtook their requests, per connection; later ones are dropped.
constexpr std::size_t kEarlyCancelsMax = 1'024;
/// Credit that one frame may give: a hostile peer cannot overflow the window.
constexpr std::uint64_t kCreditMax = UINT32_MAX;

class ServerConversation;

/// What an endpoint and its conversations share; a conversation may outlive the endpoint.
struct Ledger {
  std::atomic<std::size_t> requests{0};  ///< octets
  std::atomic<std::size_t> held{0};      ///< octets
  std::atomic<bool> has_departed{false};
  std::mutex mutex;
  std::vector<std::uint64_t> departed;  ///< sessions that are over

  void depart(std::uint64_t session) {
    const std::lock_guard lock(mutex);
    departed.push_back(session);
    has_departed = true;
  }
};

/// One request; its conversation keeps it for another one afterwards.
class UdpServerCall final : public Call {
 public:
  Peer own_peer;
  std::shared_ptr<UdpFlow> flow_end;  ///< the Object has it too, as long as it likes
  std::size_t octets = 0;             ///< counted as a request in progress

  void open(std::shared_ptr<ServerConversation> conversation, std::uint64_t id) {
    conversation_ = std::move(conversation);
    id_ = id;
    holders_.store(1, std::memory_order_relaxed);
  }
  void clear() {
    reset_call();
    flow_end.reset();
  }
  /// Held once until the call ends, and once by whoever cancels it meanwhile. With the
  /// conversation's lock held.
  void hold() noexcept {
    const int before = holders_.fetch_add(1, std::memory_order_relaxed);
    HECTOR_CHECK(before > 0, "a call that has ended is held again");
  }
  /// True for the last one.
  [[nodiscard]] bool let_go() noexcept {
    const int before = holders_.fetch_sub(1, std::memory_order_acq_rel);
    HECTOR_CHECK(before > 0, "a call was let go more often than it was held");
    return before == 1;
  }

 private:
  void finished() noexcept override;
  std::shared_ptr<ServerConversation> conversation_;
  std::uint64_t id_ = 0;
  std::atomic<int> holders_{1};
};

class ServerConversation final : public Conversation {
 public:
  struct Names {
    std::uint64_t client = 0;
    std::uint64_t session = 0;
  };
  ServerConversation(const ProtocolContext& context, std::shared_ptr<Link> link,
                     const NetworkAddress& peer, Names names, std::shared_ptr<Ledger> ledger)
      : Conversation(context, std::move(link), peer, names.client),
        names_(names),
        ledger_(std::move(ledger)) {}
  ~ServerConversation() override { ledger_->held -= held_; }

  void reply(std::uint64_t id, UdpServerCall& call) {
    thread_local std::string head;
    head.clear();
    Writer(head).type(MessageType::kReply).number(id);
    Bytes body = call.error ? Bytes() : call.reply.bytes();
    if (body.size() > limits_.message_octets_max) {
      call.error =
          Error::invalid_argument(fmt::format("a udp message may have {} octets, the reply has {}",
                                              limits_.message_octets_max, body.size()));
      body = {};
    }
    if (!call.initial.empty())
      call.trailing.insert(call.trailing.begin(), call.initial.begin(), call.initial.end());
    encode_outcome(call.error ? &*call.error : nullptr, call.trailing, head);
    const bool is_flow = call.stream != nullptr;
    const std::lock_guard lock(mutex_);
    const auto erased = calls_.erase(id);
    HECTOR_CHECK(erased == 1, "a call is answered twice, or was never in progress");
    HECTOR_CHECK(call.octets <= requests_, "requests give back more octets than they hold");
    requests_ -= call.octets;
    ledger_->requests -= call.octets;
    if (calls_.empty()) idle_.notify_all();
    if (connection_->unsent() > kUnsentOctetsMax && body.size() > kUnsentEntryOctets) {
      head.clear();
      Writer(head).type(MessageType::kReply).number(id);
      const Error error = Error::resource_exhausted(fmt::format(
          "the caller does not take its replies: {} octets wait for it", connection_->unsent()));
      encode_outcome(&error, {}, head);
      body = {};
    }
    send_locked(is_flow ? UdpFlow::group(id) : 0, head, std::move(body), kNever);
    if (is_flow && !shut_) connection_->end_group(UdpFlow::group(id));
    if (call.let_go()) put_back(call);
  }

  [[nodiscard]] std::uint64_t client_id() const { return names_.client; }
  [[nodiscard]] std::uint64_t session_id() const { return names_.session; }
  /// Whether it is over this link; null: over a plain one.
  [[nodiscard]] bool is_over(const Link* link) const {
    return link == nullptr ? !link_->is_secure() : link_.get() == link;
  }
  /// It has sent a request.
  [[nodiscard]] bool is_proved() const { return is_proved_.load(std::memory_order_relaxed); }
  /// Ends all that the peer has here.
  void leave(const std::string& why) {
    cancel_all(why);
    give_up();
  }
  void refuse_new() { refuses_ = true; }
  bool wait_idle(TimePoint until) {
    std::unique_lock lock(mutex_);
    while (!calls_.empty() && context_.clock->now() < until)
      idle_.wait_for(lock, std::chrono::milliseconds(10));
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
  bool is_waiting() const override { return !calls_.empty() || connection_->held() > 0; }
  void on_gone(const std::string& why) override {
    leave(why);
    ledger_->depart(names_.session);
  }
  void on_held(std::size_t octets) override {
    if (octets == held_) return;
    ledger_->held += octets;
    ledger_->held -= std::exchange(held_, octets);
  }

  void on_message(Bytes message, TimePoint now) override {
    Reader reader({message.data(), message.size()});
    const auto type = static_cast<MessageType>(reader.octet());
    const std::uint64_t id = reader.number();
    if (!reader.ok()) return;
    if (type == MessageType::kRequest) return on_request(id, message, reader, now);
    if (type == MessageType::kCancel)
      return on_cancel(id, {code_from_number(reader.octet()), "the caller cancelled the call"});
    const auto [call, flow] = hold(id);
    if (call == nullptr) return;
    if (flow != nullptr) on_flow(type, id, *flow, message, reader);
    let_go(*call);
  }

  void on_flow(MessageType type, std::uint64_t id, UdpFlow& flow, const Bytes& message,
               Reader& reader) {
    if (type == MessageType::kFlowData &&
        !flow.take(Payload(message.slice(message.size() - reader.rest().size()))))
      cancel_one(id, Error::resource_exhausted("the caller sends more of its flow than is read"));
    if (type == MessageType::kFlowEnd) flow.deliver_end();
    if (type == MessageType::kFlowCredit)
      flow.deliver_credit(static_cast<std::int64_t>(std::min(reader.number(), kCreditMax)));
  }

  void on_cancel(std::uint64_t id, Error why) {
    {
      const std::lock_guard lock(mutex_);
      if (!calls_.contains(id)) {
        if (early_cancels_.size() < kEarlyCancelsMax) early_cancels_.insert(id);
        return;
      }
    }
    cancel_one(id, std::move(why));
  }

  void cancel_one(std::uint64_t id, Error why) {
    const auto [call, flow] = hold(id);
    if (call == nullptr) return;
    if (flow != nullptr) flow->deliver_break(why);
    call->cancel(std::move(why));
    let_go(*call);
  }

  struct Held {
    UdpServerCall* call = nullptr;
    UdpFlow* flow = nullptr;
  };
  /// The call in progress and its flow, which stay until the call is let go; null where there is
  /// none.
  Held hold(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return {};
    found->second->hold();
    return {found->second, found->second->flow_end.get()};
  }
  void let_go(UdpServerCall& call) {
    if (!call.let_go()) return;
    const std::lock_guard lock(mutex_);
    put_back(call);
  }

  void on_request(std::uint64_t id, const Bytes& message, Reader& reader, TimePoint now) {
    const std::uint8_t shape = reader.octet();
    const Octets header = reader.raw(reader.number());
    if (!reader.ok()) return;
    bool was_cancelled = false;
    is_proved_.store(true, std::memory_order_relaxed);
    UdpServerCall* const call = take_call(id, was_cancelled);
    if (call == nullptr) return;  // the peer has a call of that number in progress: not our client
    const bool has_room = charge(*call, message.size() + kRequestEntryOctets);
    auto decoded = decode_header({reinterpret_cast<const char*>(header.data()), header.size()}, now,
                                 call->header);
    call->kind = static_cast<Kind>(std::min(shape >> 4, 2));
    call->flow = static_cast<Flow>(shape & 3);
    call->request = Payload(message.slice(message.size() - reader.rest().size()));
    if (auto claimed = take_claim(call->header); !claimed) {
      call->peer = &peer_of(link_->principal(), *call);
      return call->fail(std::move(claimed.error()));
    }
    call->peer = &peer_of(call->header.principal, *call);
    if (!decoded) return call->fail(decoded.error());
    if (was_cancelled) return call->fail(Error::cancelled("the caller cancelled the call"));
    if (refuses_)
      return call->fail(Error::unavailable("this endpoint is closing; use another protocol")
                            .with_type(kNotExecuted));
    if (!has_room)
      return call->fail(Error::resource_exhausted(
          "requests of this peer that are in progress hold too much memory here; wait for some of "
          "them to end"));
    const Kind told = call->kind;
    const Flow told_flow = call->flow;
    if (auto found = context_.inbound->resolve(*call); !found)
      return call->fail(std::move(found.error()));
    if (call->kind != told || call->flow != told_flow) {
      return call->fail(Error::invalid_argument(
          fmt::format("'{}' is of kind {}, called as {}", call->operation->name,
                      kind_name(call->kind), kind_name(told))));
    }
    if (call->kind == Kind::kStream) {
      auto flow = std::make_shared<UdpFlow>(shared_from_this(), id, call->flow != Flow::kOut,
                                            call->flow != Flow::kIn);
      call->stream = flow;
      const std::lock_guard lock(mutex_);  // the call may be cancelled on another thread
      call->flow_end = std::move(flow);
    }
    context_.inbound->accept(*call);
  }

  /// Who the caller says it is, where it may; who it has proved to be, where it says nothing.
  Status take_claim(Header& header) const {
    if (!link_->is_secure()) return {};
    if (header.principal.empty()) header.principal = link_->principal();
    if (may_speak_as(link_->principal(), header.principal)) return {};
    return fail(Error::permission_denied(
        fmt::format("'{}' may not speak as '{}', only as itself and as '{}/…'", link_->principal(),
                    header.principal, link_->principal())));
  }

  /// The call's Peer: one entry for each principal, so that a call neither allocates nor formats an
  /// address. On the reading thread only.
  const Peer& peer_of(const std::string& principal, UdpServerCall& call) {
    if (latest_peer_ != nullptr && latest_peer_->principal == principal) return *latest_peer_;
    auto found = peers_.find(principal);
    if (found == peers_.end()) {
      Peer made{principal, "udp", peer_.text(),
                link_->is_secure() ? Security::kPrivacy : Security::kNone};
      if (peers_.size() >= kPrincipalsMax) return call.own_peer = std::move(made);
      found = peers_.emplace(principal, std::move(made)).first;
    }
    latest_peer_ = &found->second;
    return *latest_peer_;
  }
  /// Counts a request that was taken. False: there is no room for it.
  bool charge(UdpServerCall& call, std::size_t octets) {
    const std::size_t all = ledger_->requests.fetch_add(octets) + octets;
    const std::lock_guard lock(mutex_);
    call.octets = octets;
    requests_ += octets;
    const bool is_first = requests_ == octets;
    return is_first || (requests_ <= kRequestOctetsMax && all <= kAllRequestOctetsMax);
  }
  /// Null where there is one of that number.
  UdpServerCall* take_call(std::uint64_t id, bool& was_cancelled) {
    const std::lock_guard lock(mutex_);
    if (calls_.contains(id)) return nullptr;
    if (kept_.empty()) kept_.push_back(std::make_unique<UdpServerCall>());
    UdpServerCall* const call = kept_.back().release();
    kept_.pop_back();
    call->open(std::static_pointer_cast<ServerConversation>(shared_from_this()), id);
    was_cancelled = !early_cancels_.empty() && early_cancels_.erase(id) != 0;
    calls_.emplace(id, call);
    return call;
  }
  /// With the lock held.
  void put_back(UdpServerCall& call) {
    std::unique_ptr<UdpServerCall> owned(&call);
    HECTOR_CHECK(kept_.size() <= kCallsKeptMax, "more calls are kept than may be");
    if (kept_.size() >= kCallsKeptMax) return;
    call.clear();
    kept_.push_back(std::move(owned));
  }

  const Names names_;
  const std::shared_ptr<Ledger> ledger_;  ///< the endpoint has it too
  std::size_t held_ = 0;                  ///< as the ledger was told
  std::size_t requests_ = 0;              ///< octets of `calls_`
  std::atomic<bool> is_proved_{false};
  std::vector<std::unique_ptr<UdpServerCall>> kept_;
  boost::unordered_flat_map<std::uint64_t, UdpServerCall*> calls_;
  std::set<std::uint64_t> early_cancels_;
  std::condition_variable idle_;
  std::map<std::string, Peer> peers_;
  const Peer* latest_peer_ = nullptr;
  std::atomic<bool> refuses_{false};
  std::atomic<bool> gone_{false};
};

void UdpServerCall::finished() noexcept {
  const auto conversation = std::move(conversation_);
  if (stream) static_cast<UdpFlow&>(*stream).deliver_break(std::nullopt);
  conversation->reply(id_, *this);
}

class UdpEndpoint final : public Endpoint, public DtlsServer::Owner {
 public:
  static Result<std::unique_ptr<Endpoint>> make(const ProtocolContext& context,
                                                const NetworkAddress& address, tls::Tls* tls) {
    std::unique_ptr<UdpEndpoint> made(new UdpEndpoint(context, address.is_multicast(), tls));
    if (address.is_multicast()) HECTOR_TRY(made->open_asker(address));
    NetworkAddress local = address;
    auto socket = HECTOR_TRY(
        context.network->open({local, std::nullopt, Reading::kNetworkThread},
                              [raw = made.get()](const NetworkAddress& from, Octets datagram) {
                                if (raw->dtls_)
                                  raw->dtls_->on_datagram(from, datagram);
                                else
                                  raw->take(from, nullptr, datagram);
                              }));
    {
      const std::lock_guard lock(made->mutex_);
      made->socket_ = std::move(socket);
    }
    if (made->dtls_) made->dtls_->begin(*made->socket_);
    if (address.is_multicast()) HECTOR_TRY(made->socket_->join(address));
    return std::unique_ptr<Endpoint>(std::move(made));
  }
  ~UdpEndpoint() override {
    drain(Duration::zero());
    socket_.reset();  // it asks
    asker_.reset();
    dtls_.reset();
  }

  std::string address() const override {
    const std::string place = socket_->local().text();
    return dtls_ ? tls::PeerAddress{place, context_.credentials->principal()}.text() : place;
  }

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
    if (dtls_) dtls_->close();
    const std::lock_guard lock(mutex_);
    by_id_.clear();
    by_client_.clear();
    by_address_.clear();
    unproved_.clear();
  }

 private:
  UdpEndpoint(const ProtocolContext& context, bool is_member, tls::Tls* tls)
      : context_(context),
        cookies_(*context.random, *context.clock),
        is_member_(is_member),
        multicasts_(*context.random) {
    if (tls != nullptr) dtls_ = std::make_unique<DtlsServer>(context, *tls, cookies_, *this);
  }

  /// Those that there are now; they stay while the list does.
  std::vector<std::shared_ptr<ServerConversation>> conversations() {
    const std::lock_guard lock(mutex_);
    const auto all = std::views::values(by_id_);
    return {all.begin(), all.end()};
  }

  void on_packet(const std::shared_ptr<Association>& from, Octets packet) override {
    take(from->peer(), from, packet);
  }
  void on_over(const std::shared_ptr<Association>& association, const std::string& why) override {
    std::unique_lock lock(mutex_);
    const auto found = by_address_.find(association->peer());
    if (found == by_address_.end()) return;
    const auto sessions = found->second;
    for (const auto session : sessions) {
      if (by_id_.at(session)->is_over(association.get())) take_off(session);
    }
    const auto over = std::exchange(off_, {});
    lock.unlock();
    for (const auto& each : over) each->leave(why);
  }

  /// `link`: the DTLS that it came by; null where it came as it is.
  void take(const NetworkAddress& from, const std::shared_ptr<Association>& link, Octets datagram) {
    if (ledger_->has_departed.load(std::memory_order_relaxed)) forget_departed();
    Reader reader(datagram);
    const auto type = static_cast<PacketType>(reader.octet());
    switch (type) {
      case PacketType::kHello:
        return link ? on_secure_hello(link, reader) : on_hello(from, datagram, reader);
      case PacketType::kData:
        return on_data(from, link, reader);
      case PacketType::kMulticast:
        return link ? void() : on_multicast(from, reader);
      default:
        return;  // garbage is dropped without an answer
    }
  }

  /// No state before the cookie has come back from the address it was sent to.
  void on_hello(const NetworkAddress& from, Octets datagram, Reader& reader) {
    const std::uint8_t version = reader.octet();
    const std::uint64_t client = reader.fixed();
    const Octets cookie = reader.raw(reader.octet());
    if (!reader.ok() || version != kVersion || datagram.size() < kHelloOctets || draining_) return;
    const std::string_view given(reinterpret_cast<const char*>(cookie.data()), cookie.size());
    std::string answer;
    if (cookies_.is_valid(given, from, client)) {
      const auto link = std::make_shared<PlainLink>(*socket_, from);
      const std::uint64_t server = admit(from, client, link);
      Writer(answer).type(PacketType::kWelcome).fixed(client).fixed(server);
    } else {
      const std::string fresh = cookies_.make(from, client);
      Writer(answer).type(PacketType::kCookie).fixed(client).raw(fresh.data(), fresh.size());
    }
    answer_to(from, answer);
  }

  /// DTLS has asked for a cookie, and for more.
  void on_secure_hello(const std::shared_ptr<Association>& link, Reader& reader) {
    const std::uint8_t version = reader.octet();
    const std::uint64_t client = reader.fixed();
    if (!reader.ok() || version != kVersion || draining_) return;
    const std::uint64_t server = admit(link->peer(), client, link);
    std::string answer;
    Writer(answer).type(PacketType::kWelcome).fixed(client).fixed(server);
    link->send(answer);
  }

  /// The client's session; a new one where it has none. Others may have to go for it.
  std::uint64_t admit(const NetworkAddress& from, std::uint64_t client,
                      std::shared_ptr<Link> link) {
    std::unique_lock lock(mutex_);
    const auto known = by_client_.find(client);
    if (known != by_client_.end()) return known->second;
    make_room(from);
    const std::uint64_t server = context_.random->next();
    by_client_.emplace(client, server);
    by_address_[from].push_back(server);
    unproved_.push_back(server);
    by_id_.emplace(server, std::make_shared<ServerConversation>(
                               context_, std::move(link), from,
                               ServerConversation::Names{client, server}, ledger_));
    check_tables();
    const auto displaced = std::exchange(off_, {});
    lock.unlock();
    for (const auto& each : displaced) each->leave("the endpoint has too many sessions");
    return server;
  }

  // With the lock held:
  void check_tables() const {
    HECTOR_CHECK(by_id_.size() == by_client_.size(), "a session is not in every table");
    HECTOR_CHECK(by_id_.size() <= kConnectionsMax, "there are more sessions than the limit");
    HECTOR_CHECK(by_address_.size() <= by_id_.size(), "an address without sessions is kept");
  }
  /// Takes sessions off the tables until there is room for one more of `from`.
  void make_room(const NetworkAddress& from) {
    const auto of_address = by_address_.find(from);
    if (of_address != by_address_.end() && of_address->second.size() >= kSessionsOfAddressMax)
      take_off(of_address->second.front());
    while (!unproved_.empty() && !is_unproved(unproved_.front())) unproved_.pop_front();
    if (unproved_.size() >= kUnprovedMax)
      std::erase_if(unproved_, [this](std::uint64_t session) { return !is_unproved(session); });
    const bool is_full = by_id_.size() >= kConnectionsMax;
    if (!unproved_.empty() && (is_full || unproved_.size() >= kUnprovedMax)) {
      take_off(unproved_.front());
      unproved_.pop_front();
    } else if (is_full) {
      take_off_silent();
    }
  }
  bool is_unproved(std::uint64_t session) const {
    const auto found = by_id_.find(session);
    return found != by_id_.end() && !found->second->is_proved();
  }
  void take_off_silent() {
    std::vector<std::pair<TimePoint, std::uint64_t>> heard;
    for (const auto& [session, conversation] : by_id_)
      heard.emplace_back(conversation->signs().heard, session);
    const std::size_t count = std::min(kSilentAtOnce, heard.size());
    std::nth_element(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(count),
                     heard.end());
    for (std::size_t i = 0; i < count; ++i) take_off(heard[i].second);
  }
  /// Into off_: a conversation ends without the lock.
  void take_off(std::uint64_t session) {
    const auto found = by_id_.find(session);
    if (found == by_id_.end()) return;
    by_client_.erase(found->second->client_id());
    const auto of_address = by_address_.find(found->second->peer());
    if (of_address != by_address_.end()) {
      std::erase(of_address->second, session);
      if (of_address->second.empty()) by_address_.erase(of_address);
    }
    HECTOR_CHECK(found->second != nullptr, "a session was taken off twice");
    off_.push_back(std::move(found->second));
    by_id_.erase(found);
  }

  void forget_departed() {
    std::vector<std::uint64_t> departed;
    {
      const std::lock_guard lock(ledger_->mutex);
      departed.swap(ledger_->departed);
      ledger_->has_departed = false;
    }
    std::unique_lock lock(mutex_);
    for (const auto session : departed) take_off(session);
    check_tables();
    const auto gone = std::exchange(off_, {});
    lock.unlock();
  }

  /// Too much is held: the session that added nothing for the longest time goes.
  void drop_stalest() {
    ServerConversation* stalest = nullptr;
    TimePoint oldest = TimePoint::max();
    const auto all = conversations();
    for (const auto& each : all) {
      const auto signs = each->signs();
      if (signs.held == 0 || signs.progressed >= oldest) continue;
      oldest = signs.progressed;
      stalest = each.get();
    }
    if (stalest == nullptr) return;
    stalest->leave("the endpoint holds too much for peers that do not finish");
    ledger_->depart(stalest->session_id());
  }

  void on_data(const NetworkAddress& from, const std::shared_ptr<Association>& link,
               Reader& reader) {
    const std::uint64_t id = reader.fixed();
    if (!reader.ok()) return;
    if (!latest_ || id != latest_id_) {
      const std::lock_guard lock(mutex_);
      const auto found = by_id_.find(id);
      latest_ = found == by_id_.end() ? nullptr : found->second;
      latest_id_ = id;
    }
    if (!latest_ || latest_->is_gone()) {
      latest_.reset();
      std::string answer;
      Writer(answer).type(PacketType::kReset).fixed(id);
      return link ? link->send(answer) : answer_to(from, answer);
    }
    if (latest_->peer() != from || !latest_->is_over(link.get())) return;
    latest_->on_data(reader.rest());
    if (ledger_->held.load(std::memory_order_relaxed) > kAllHeldOctetsMax) drop_stalest();
  }

  void answer_to(const NetworkAddress& to, const std::string& packet) {
    const std::lock_guard lock(mutex_);
    if (socket_) send_packet(*socket_, to, packet);
  }

  class MulticastCall final : public Call {
   public:
    Peer own_peer;

   private:
    void finished() noexcept override { delete this; }
  };

  void on_multicast(const NetworkAddress& from, Reader& reader) {
    if (!is_member_ || draining_) return;
    const std::lock_guard lock(multicasts_mutex_);
    const auto question = multicasts_.take(from, reader);
    if (!question) return;
    std::string packet;
    Writer(packet)
        .type(PacketType::kDidYouSend)
        .fixed(question->message)
        .fixed(question->token)
        .raw(question->digest.data(), question->digest.size());
    send_packet(*asker_, from, packet);
  }

  /// A socket of a group's address gets nothing that is sent to one member.
  Status open_asker(const NetworkAddress& group) {
    NetworkAddress local;
    local.octets[15] = 1;
    if (group.is_ipv4()) {
      local.octets[10] = local.octets[11] = 0xff;
      local.octets[12] = 127;
    }
    asker_ = HECTOR_TRY(context_.network->open({local, std::nullopt, Reading::kNetworkThread},
                                               [this](const NetworkAddress& from, Octets datagram) {
                                                 Reader reader(datagram);
                                                 const auto type =
                                                     static_cast<PacketType>(reader.octet());
                                                 if (type == PacketType::kISent)
                                                   on_confirmed(from, reader);
                                               }));
    return {};
  }

  void on_confirmed(const NetworkAddress& from, Reader& reader) {
    if (draining_) return;
    const std::uint64_t message = reader.fixed();
    const std::uint64_t token = reader.fixed();
    if (!reader.ok()) return;
    std::optional<std::string> whole;
    {
      const std::lock_guard lock(multicasts_mutex_);
      whole = multicasts_.confirmed(from, message, token);
    }
    if (!whole) return;
    auto* call = new MulticastCall();
    auto used = decode_header(*whole, context_.clock->now(), call->header);
    if (!used) return call->complete();
    call->kind = Kind::kAnnounce;
    call->own_peer = {call->header.principal, "udp", from.text(), Security::kNone};
    call->peer = &call->own_peer;
    call->request = Payload(Bytes::copy(std::string_view(*whole).substr(*used)));
    if (!context_.inbound->resolve(*call) || call->kind != Kind::kAnnounce) return call->complete();
    context_.inbound->accept(*call);
  }

  const ProtocolContext& context_;
  std::mutex mutex_;
  std::unique_ptr<DatagramSocket> socket_;
  const Cookies cookies_;
  std::atomic<bool> draining_{false};
  /// Shared with their calls, which hold one until they have replied.
  std::unordered_map<std::uint64_t, std::shared_ptr<ServerConversation>> by_id_;
  std::vector<std::shared_ptr<ServerConversation>> off_;  ///< taken off under the lock held now
  std::unordered_map<std::uint64_t, std::uint64_t> by_client_;
  std::unordered_map<NetworkAddress, std::vector<std::uint64_t>, NetworkAddressHash> by_address_;
  std::deque<std::uint64_t>
      unproved_;  ///< sessions in the order of their welcomes; some are proved
  const std::shared_ptr<Ledger> ledger_ = std::make_shared<Ledger>();
  // The reading thread's: most packets come from the same client as the one before.
  std::shared_ptr<ServerConversation> latest_;
  std::uint64_t latest_id_ = 0;
  const bool is_member_;         ///< of a multicast group
  std::mutex multicasts_mutex_;  ///< both sockets' threads take multicasts_
  Multicasts multicasts_;
  std::unique_ptr<DatagramSocket> asker_;
  std::unique_ptr<DtlsServer> dtls_;  ///< null where channels are plain
};

}  // namespace

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const NetworkAddress& address, tls::Tls* tls) {
  return UdpEndpoint::make(context, address, tls);
}

}  // namespace hector::udp
