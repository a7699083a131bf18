#include "unix_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hector/check.h"

namespace hector::unix_sockets {

namespace {

/// Of one endpoint.
constexpr std::size_t kConnectionsMax = 1'024;
/// Of one connection: calls that have not been answered, and octets of their requests.
constexpr std::size_t kCallsMax = 16'384;
constexpr std::size_t kRequestOctetsMax = 256UL * 1024 * 1024;
/// Until it is tried again where the system has no memory or no descriptors left.
constexpr std::chrono::milliseconds kPause{100};
constexpr Duration kSayEvery = std::chrono::seconds(10);  ///< a crowd that is refused is one line
/// Until the answers of calls that were cut short are on their way.
constexpr Duration kAnswersLeave = std::chrono::milliseconds(500);
/// A request's octets before its header: its shape, the header's length.
constexpr std::size_t kRequestHeadOctets = 1 + sizeof(std::uint32_t);
constexpr int kShapeBits = 4, kShapeMask = 3, kKindMax = 2;

class ServerLink;

/// One request. Owners: its link until it has ended, and whoever cancels it meanwhile.
class ServerCall final : public Call {
 public:
  ServerCall(std::shared_ptr<ServerLink> link, std::uint64_t id, std::size_t octets)
      : octets(octets), id(id), link_(std::move(link)) {}
  Peer own_peer;
  std::shared_ptr<UnixFlow> flow_end;  ///< the Object has it too, as long as it likes
  const std::size_t octets;
  const std::uint64_t id;

 private:
  void finished() noexcept override;
  std::shared_ptr<ServerLink> link_;
};

class ServerLink final : public Link {
 public:
  ServerLink(const ProtocolContext& context, std::shared_ptr<Io> io, Descriptor connection,
             const OtherEnd& other)
      : Link(std::move(io), std::move(connection)),
        context_(context),
        address_(fmt::format("uid:{} pid:{}", other.user, other.process)) {}

  /// The call is not touched afterwards.
  void reply(ServerCall& call) {
    std::string head;
    Bytes body = call.error ? Bytes() : call.reply.bytes();
    if (body.size() > kMessageOctetsMax) {
      call.error = Error::invalid_argument(fmt::format(
          "a unix message may have {} octets, the reply has {}", kMessageOctetsMax, body.size()));
      body = {};
    }
    call.trailing.insert(call.trailing.begin(), call.initial.begin(), call.initial.end());
    encode_outcome(call.error ? &*call.error : nullptr, call.trailing, head);
    send(FrameType::kReply, call.id, head, std::move(body));
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(call.id);
    HECTOR_CHECK(found != calls_.end(), "a call is answered that was never in progress");
    HECTOR_CHECK(call.octets <= request_octets_, "requests give back more octets than they hold");
    request_octets_ -= call.octets;
    calls_.erase(found);
    if (calls_.empty()) idle_.notify_all();
  }

  void refuse_new() { refuses_ = true; }
  void wait_idle(TimePoint until) {
    std::unique_lock lock(mutex_);
    while (!calls_.empty() && context_.clock->now() < until)
      idle_.wait_for(lock, std::chrono::milliseconds(10));
  }
  void wait_sent(TimePoint until) {
    std::unique_lock lock(mutex_);
    while (unsent() != 0 && context_.clock->now() < until)
      idle_.wait_for(lock, std::chrono::milliseconds(1));
  }
  void cancel_all(const std::string& why) {
    std::vector<std::shared_ptr<ServerCall>> calls;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, call] : calls_) calls.push_back(call);
    }
    for (const auto& call : calls)
      cancel(*call, Error::unavailable(fmt::format("unix {}: {}", address_, why)));
  }
  [[nodiscard]] bool is_gone() const { return is_gone_; }

 private:
  static void cancel(ServerCall& call, Error why) {
    if (call.flow_end) call.flow_end->deliver_break(why);
    call.cancel(std::move(why));
  }

  void on_gone(const std::string& why) override {
    is_gone_ = true;
    cancel_all(why);
  }

  void on_frame(Frame frame) override {
    if (!is_greeted_) return on_hello(frame);
    if (frame.type == FrameType::kRequest) return on_request(std::move(frame));
    const auto call = find(frame.call);
    if (!call) return;
    if (frame.type == FrameType::kCancel) {
      const auto code = frame.body.empty() ? 0 : frame.body.data()[0];
      return cancel(*call, {code_from_number(code), "the caller cancelled the call"});
    }
    if (call->flow_end && !call->flow_end->take(frame))
      cancel(*call, Error::resource_exhausted("the caller sends more of its flow than is read"));
  }

  void on_hello(const Frame& frame) {
    is_greeted_ = frame.type == FrameType::kHello && frame.call == kVersion;
    if (is_greeted_) return;
    const std::string why = fmt::format(
        "the peer does not speak version {} of the unix protocol; update the older one", kVersion);
    send(FrameType::kRefused, 0, why, {});
    refuse(why);
  }

  std::shared_ptr<ServerCall> find(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : found->second;
  }

  /// Nothing: there is one of that number.
  std::shared_ptr<ServerCall> add(const Frame& frame, bool& has_room) {
    auto self = std::static_pointer_cast<ServerLink>(shared_from_this());
    auto call = std::make_shared<ServerCall>(std::move(self), frame.call, frame.body.size());
    const std::lock_guard lock(mutex_);
    if (!calls_.emplace(frame.call, call).second) return nullptr;
    request_octets_ += call->octets;
    has_room = calls_.size() <= kCallsMax && request_octets_ <= kRequestOctetsMax;
    return call;
  }

  void on_request(Frame frame) {
    const std::string_view body = frame.body.view();
    if (body.size() < kRequestHeadOctets) return refuse("a request without a header");
    const std::size_t header_octets = read_u32(body.substr(1));
    if (header_octets > body.size() - kRequestHeadOctets)
      return refuse("a request whose header is longer than it");
    bool has_room = false;
    const auto call = add(frame, has_room);
    if (!call) return refuse("two requests of one number");
    const auto shape = static_cast<std::uint8_t>(body.front());
    call->kind = static_cast<Kind>(std::min(shape >> kShapeBits, kKindMax));
    call->flow = static_cast<Flow>(shape & kShapeMask);
    const auto decoded = decode_header(body.substr(kRequestHeadOctets, header_octets),
                                       context_.clock->now(), call->header);
    call->request = Payload(frame.body.slice(kRequestHeadOctets + header_octets));
    call->own_peer = {call->header.principal, "unix", address_, Security::kPrivacy, true};
    call->peer = &call->own_peer;
    if (!decoded) return call->fail(decoded.error());
    if (refuses_)
      return call->fail(Error::unavailable("this endpoint is closing; use another protocol")
                            .with_type(kNotExecuted));
    if (!has_room)
      return call->fail(Error::resource_exhausted(
          fmt::format("a connection may have {} calls here with {} octets; wait for some to end",
                      kCallsMax, kRequestOctetsMax)));
    give(call);
  }

  /// To its Object.
  void give(const std::shared_ptr<ServerCall>& call) {
    const Kind told = call->kind;
    const Flow told_flow = call->flow;
    if (auto found = context_.inbound->resolve(*call); !found)
      return call->fail(std::move(found.error()));
    if (call->kind != told || call->flow != told_flow)
      return call->fail(
          Error::invalid_argument(fmt::format("'{}' is of another kind than it is "
                                              "called as",
                                              call->operation->name)));
    if (call->kind == Kind::kStream) {
      call->flow_end = std::make_shared<UnixFlow>(
          shared_from_this(), call->id, call->flow != Flow::kOut, call->flow != Flow::kIn);
      call->stream = call->flow_end;
    }
    context_.inbound->accept(*call);
  }

  const ProtocolContext& context_;
  const std::string address_;
  std::atomic<bool> refuses_{false}, is_gone_{false};
  bool is_greeted_ = false;  ///< of the protocol's thread
  std::mutex mutex_;
  std::condition_variable idle_;
  std::unordered_map<std::uint64_t, std::shared_ptr<ServerCall>> calls_;
  std::size_t request_octets_ = 0;
};

void ServerCall::finished() noexcept {
  const auto link = std::move(link_);  // this call may be gone when reply() returns
  if (flow_end) flow_end->deliver_break(std::nullopt);
  link->reply(*this);
}

class UnixEndpoint final : public Endpoint {
 public:
  UnixEndpoint(const ProtocolContext& context, std::shared_ptr<Io> io, SocketFile place,
               Descriptor listener)
      : context_(context),
        io_(std::move(io)),
        place_(std::move(place)),
        listener_(*io_, Unix(), listener.release()),
        pause_(*io_) {
    boost::asio::post(*io_, [this] { wait(); });
  }
  ~UnixEndpoint() override { drain(Duration::zero()); }

  std::string address() const override { return place_.text(); }

  void drain(Duration grace) noexcept override {
    stop_accepting();
    const TimePoint until = context_.clock->now() + grace;
    const auto all = links();
    for (const auto& each : all) each->refuse_new();
    for (const auto& each : all) each->wait_idle(until);
    for (const auto& each : all) each->cancel_all("the endpoint closed");
    const TimePoint sent_until = context_.clock->now() + kAnswersLeave;
    for (const auto& each : all) {
      each->wait_idle(sent_until);
      each->wait_sent(sent_until);
      each->shut();
    }
    const std::lock_guard lock(mutex_);
    links_.clear();
  }

 private:
  using Unix = boost::asio::local::stream_protocol;
  using Listener = boost::asio::basic_socket_acceptor<Unix>;

  // On the protocol's thread:
  void wait() {
    if (is_stopping_) return stopped();
    listener_.async_wait(Listener::wait_read, [this](const boost::system::error_code& error) {
      if (error || is_stopping_) return stopped();
      accept_all();
    });
  }
  void accept_all() {
    for (;;) {
      Descriptor made(
          accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (made.is_open()) {
        admit(std::move(made));
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait();
      if (errno == ECONNABORTED || errno == EINTR) continue;
      say_refused(std::strerror(errno));
      pause_.expires_after(kPause);  // there is no descriptor, or no memory
      pause_.async_wait([this](const boost::system::error_code&) {
        if (is_stopping_) return stopped();
        accept_all();
      });
      return;
    }
  }
  void admit(Descriptor connection) {
    const auto other = other_end(connection.get());
    if (!other) return say_refused(other.error().message);
    const std::lock_guard lock(mutex_);
    std::erase_if(links_, [](const auto& each) { return each->is_gone(); });
    if (links_.size() >= kConnectionsMax)
      return say_refused(fmt::format("there are {} already", kConnectionsMax));
    links_.push_back(std::make_shared<ServerLink>(context_, io_, std::move(connection), *other));
    links_.back()->begin();
  }
  void say_refused(const std::string& why) {
    const TimePoint now = context_.clock->now();
    if (said_ != TimePoint() && now - said_ < kSayEvery) return;
    said_ = now;
    context_.log->write(Level::kWarning, "unix connections are refused", {{"why", why}});
  }
  void stopped() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    changed_.notify_all();
  }

  /// Returns when nothing of this endpoint runs on the protocol's thread any more.
  void stop_accepting() {
    std::unique_lock lock(mutex_);
    if (!is_stopping_.exchange(true)) {
      unlink(place_.path.c_str());
      boost::asio::post(*io_, [this] {
        boost::system::error_code ignored;
        listener_.cancel(ignored);
        pause_.cancel();
        cancelled();
      });
    }
    changed_.wait(lock, [this] { return is_stopped_ && is_cancelled_; });
  }
  void cancelled() {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    changed_.notify_all();
  }
  std::vector<std::shared_ptr<ServerLink>> links() {
    const std::lock_guard lock(mutex_);
    return links_;
  }

  const ProtocolContext& context_;
  const std::shared_ptr<Io> io_;
  const SocketFile place_;
  Listener listener_;
  boost::asio::steady_timer pause_;
  TimePoint said_{};
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopped_ = false, is_cancelled_ = false;
  std::vector<std::shared_ptr<ServerLink>> links_;  ///< their calls and flows have them too
};

}  // namespace

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                std::shared_ptr<Io> io, SocketFile place) {
  Descriptor listener = HECTOR_TRY(listen_at(place));
  return std::make_unique<UnixEndpoint>(context, std::move(io), std::move(place),
                                        std::move(listener));
}

}  // namespace hector::unix_sockets
