#include "grpc_client.h"

#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <mutex>
#include <set>

#include "grpc_credentials.h"
#include "hector/check.h"
#include "hector/host_port.h"
#include "status_mapping.h"
#include "tls/tls.h"

namespace hector::grpcp {

namespace {

/// A flow's stop function is remembered until the channel closes; beyond the limit the oldest half
/// is forgotten, whose flows have most likely ended.
constexpr std::size_t kStopsMax = 4'096;
/// A capsule that restarts is reached again within the second.
constexpr int kReconnectBackoffMs = 100;
constexpr int kReconnectBackoffMaxMs = 1'000;  ///< a capsule that is back is found within a second
constexpr Duration kStubStays = std::chrono::minutes(1);  ///< longer than any call starts
constexpr int kConnectTimeoutMs = 2'000;  ///< across the world it takes some hundreds
/// A payload of kMessageOctetsMax, and the header that a session's message has before it.
constexpr int kReceivedOctetsMax = static_cast<int>(kMessageOctetsMax) + 1'024;

void set_deadline(grpc::ClientContext& client, Deadline deadline, TimePoint now) {
  if (deadline == kNever) return;
  client.set_deadline(std::chrono::system_clock::now() +
                      std::chrono::duration_cast<std::chrono::microseconds>(deadline - now));
}

/// The metadata of a call: the user's, the trace and the header.
void fill(grpc::ClientContext& client, const Header& header, TimePoint now) {
  set_deadline(client, header.deadline, now);
  for (const auto& [key, value] : header.metadata) client.AddMetadata(key, value);
  if (header.trace.is_set()) client.AddMetadata("traceparent", header.trace.traceparent());
  Header told;
  told.offer = header.offer;
  told.session = header.session;
  told.sequence = header.sequence;
  told.operation = header.operation;
  told.object = header.object;
  told.principal = header.principal;
  std::string octets;
  encode_header(told, now, octets);
  client.AddMetadata(kHeaderKey, octets);
}

std::string method_of(const Header& header) {
  return header.session != 0 ? kSessionFlow
                             : "/" + header.interface_name + "/" + header.operation_name;
}

void end(Call& call, const grpc::Status& status, const grpc::ClientContext& client) {
  take_metadata(client.GetServerInitialMetadata(), call.initial);
  take_metadata(client.GetServerTrailingMetadata(), call.trailing);
  if (status.ok()) return call.complete(std::move(call.reply));
  if (call.is_cancelled()) return call.fail(call.why_cancelled());
  call.fail(to_error(status, client.GetServerTrailingMetadata()));
}

struct UnaryCall {
  grpc::ClientContext client;
  grpc::ByteBuffer request, reply;
  /// Of its channel, which may end before gRPC is done with the call. Null: the channel is plain.
  std::shared_ptr<LastHandshake> last_handshake;
};

/// As end(). Where the peer was not reached because it was refused here, the error is that.
void end(Call& call, const grpc::Status& status, const UnaryCall& unary) {
  const bool may_be_refused =
      unary.last_handshake && status.error_code() == grpc::StatusCode::UNAVAILABLE;
  if (auto refusal = may_be_refused ? unary.last_handshake->refusal() : std::nullopt; refusal)
    return call.fail(std::move(*refusal));
  end(call, status, unary.client);
}

/// A flow: reactor and Stream in one, kept alive by itself until OnDone.
class ClientFlow final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public Stream,
                         public std::enable_shared_from_this<ClientFlow> {
 public:
  explicit ClientFlow(Call& call) : call_(&call), is_in_only_(call.flow == Flow::kIn) {}

  void begin(grpc::GenericStub& stub, const ProtocolContext& context) {
    self_ = shared_from_this();
    fill(client_, call_->header, context.clock->now());
    stub.PrepareBidiStreamingCall(&client_, method_of(call_->header), grpc::StubOptions(), this);
    AddHold();
    if (call_->flow == Flow::kOut) {
      write_closed_ = true;
      out_ = to_buffer(call_->request.bytes());
      StartWriteLast(&out_, grpc::WriteOptions());
    }
    StartRead(&in_);
    StartCall();
  }
  /// Ends it from this side: nothing more is written or read, so the hold goes.
  void stop() {
    client_.TryCancel();
    release_hold();
  }

  void write(Payload message, Callback<void(Status)> accepted) override {
    {
      const std::lock_guard lock(mutex_);
      if (!over_ && !write_closed_) {
        HECTOR_CHECK(!writer_, "a flow is written to while a write is outstanding");
        writer_ = std::move(accepted);
        out_ = to_buffer(message.bytes());
        StartWrite(&out_);
        return;
      }
    }
    accepted(hector::fail(Error::cancelled("the flow is over")));
  }
  void close_write() override {
    const std::lock_guard lock(mutex_);
    if (over_ || std::exchange(write_closed_, true)) return;
    if (writer_) {
      close_waits_ = true;
    } else {
      StartWritesDone();
    }
  }
  void read(Callback<void(Result<std::optional<Payload>>)> next) override {
    std::unique_lock lock(mutex_);
    HECTOR_CHECK(!reader_, "a flow is read while a read is outstanding");
    if (arrived_) {
      Bytes message = std::move(*arrived_);
      arrived_.reset();
      if (!over_) StartRead(&in_);
      lock.unlock();
      return next(std::optional<Payload>(Payload(std::move(message))));
    }
    if (!done_) {
      reader_ = std::move(next);
      return;
    }
    auto why = broken_;
    lock.unlock();
    if (why) return next(tl::unexpected(*why));
    next(std::optional<Payload>());
  }

  void OnReadDone(bool ok) override {
    std::unique_lock lock(mutex_);
    if (!ok) {
      lock.unlock();
      release_hold();
      return;
    }
    Bytes message = to_bytes(in_);
    if (is_in_only_) {
      call_->reply = Payload(std::move(message));
      if (!over_) StartRead(&in_);
      return;
    }
    if (!reader_) {
      arrived_ = std::move(message);
      return;
    }
    auto reader = std::move(reader_);
    reader_ = {};
    if (!over_) StartRead(&in_);
    lock.unlock();
    reader(std::optional<Payload>(Payload(std::move(message))));
  }
  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    auto writer = std::move(writer_);
    writer_ = {};
    if (ok && std::exchange(close_waits_, false) && !over_) StartWritesDone();
    lock.unlock();
    if (!writer) return;
    if (ok) return writer({});
    writer(hector::fail(Error::cancelled("the flow is over")));
  }
  void OnDone(const grpc::Status& status) override {
    const auto keep = std::move(self_);
    HECTOR_CHECK(keep != nullptr, "gRPC ended a flow twice");
    Callback<void(Result<std::optional<Payload>>)> reader;
    Callback<void(Status)> writer;
    {
      const std::lock_guard lock(mutex_);
      HECTOR_CHECK(over_, "gRPC ended a flow that is held");
      done_ = true;
      if (!status.ok())
        broken_ = call_->is_cancelled() ? call_->why_cancelled()
                                        : to_error(status, client_.GetServerTrailingMetadata());
      reader = std::move(reader_);
      reader_ = {};
      writer = std::move(writer_);
      writer_ = {};
    }
    if (writer) writer(hector::fail(Error::cancelled("the flow is over")));
    if (reader) {
      if (broken_)
        reader(tl::unexpected(*broken_));
      else
        reader(std::optional<Payload>());
    }
    end(*call_, status, client_);
  }

 private:
  void release_hold() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(over_, true)) return;
    }
    RemoveHold();
  }
  Call* call_;
  const bool is_in_only_;
  grpc::ClientContext client_;
  grpc::ByteBuffer in_, out_;
  std::shared_ptr<ClientFlow> self_;
  std::mutex mutex_;
  Callback<void(Result<std::optional<Payload>>)> reader_;
  Callback<void(Status)> writer_;
  std::optional<Bytes> arrived_;  ///< read ahead by one, so that the end is noticed
  std::optional<Error> broken_;
  bool write_closed_ = false, close_waits_ = false, over_ = false, done_ = false;
};

class GrpcChannel final : public Channel, public std::enable_shared_from_this<GrpcChannel> {
 public:
  GrpcChannel(const ProtocolContext& context, const tls::PeerAddress& address)
      : context_(context), address_(address) {
    use_credentials();
    if (context_.credentials == nullptr) return;
    is_watching_ = true;
    context_.credentials->on_change(this, [this] { credentials_changed(); });
  }
  ~GrpcChannel() override { unwatch(); }

  void start(Call& call) noexcept override {
    if (closed_)
      return call.fail(
          Error::unavailable(fmt::format("grpc {}: the channel is closed", address_.text())));
    if (call.kind == Kind::kStream) return start_flow(call);
    if (call.request.bytes().size() > kMessageOctetsMax)
      return call.fail(Error::invalid_argument(
          fmt::format("a gRPC message may have {} octets here, this one has {}", kMessageOctetsMax,
                      call.request.bytes().size())));
    start_unary(call);
  }
  void close() noexcept override {
    closed_ = true;
    unwatch();
    stop_flows();
  }

 private:
  static grpc::ChannelArguments arguments() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kReceivedOctetsMax);
    arguments.SetMaxSendMessageSize(-1);
    arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(kMetadataOctetsMax));
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectBackoffMs);
    // Despite its name this is the per-attempt connect timeout.
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectBackoffMaxMs);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return arguments;
  }
  /// Connects from now on with the own identity as it is now.
  void use_credentials() {
    const auto own = context_.credentials == nullptr ? nullptr : context_.credentials->own();
    const std::lock_guard lock(mutex_);
    const TimePoint now = context_.clock->now();
    std::erase_if(stubs_, [&](const auto& each) { return now - each.used_until > kStubStays; });
    if (!stubs_.empty()) stubs_.back().used_until = now;
    stubs_.push_back({std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
                          address_.place,
                          own ? channel_credentials(*context_.credentials, *own, address_.principal,
                                                    last_handshake_)
                              : grpc::InsecureChannelCredentials(),
                          arguments())),
                      TimePoint::max()});
    stub_ = stubs_.back().stub.get();
    own_ = own;
  }
  void credentials_changed() {
    const auto refused = last_handshake_->examine_again(*context_.credentials);
    {
      const std::lock_guard lock(mutex_);
      if (!refused && context_.credentials->own() == own_) return;
    }
    use_credentials();
    if (!refused) return;
    context_.log->write(
        Level::kWarning, "a gRPC channel was closed",
        {{"peer", address_.text()}, {"because", refused->type + ": " + refused->message}});
    stop_flows();
  }
  /// Once: a call may be the last that holds a channel that was closed, after its protocol has
  /// gone.
  void unwatch() {
    if (is_watching_.exchange(false)) context_.credentials->on_change(this, {});
  }
  void stop_flows() {
    std::vector<std::function<void()>> stops;
    {
      const std::lock_guard lock(mutex_);
      stops.swap(stops_);
    }
    for (auto& stop : stops) stop();
  }
  void start_flow(Call& call) {
    // Shared with the program; gRPC's part of it is kept by itself.
    auto flow = std::make_shared<ClientFlow>(call);
    call.give_stream(flow);
    const auto stop = [weak = std::weak_ptr<ClientFlow>(flow)] {
      if (auto kept = weak.lock()) kept->stop();
    };
    remember(stop);
    call.on_cancel(stop);
    const Deadline deadline = call.header.deadline;
    flow->begin(*stub_.load(), context_);
    // gRPC reports a passed deadline to a pending read or write only; there may be none.
    if (deadline != kNever) context_.executor->at(deadline, stop);
  }

  void start_unary(Call& call) {
    // Shared with the cancellation, which may run while the call ends.
    auto unary = std::make_shared<UnaryCall>();
    if (context_.credentials != nullptr) unary->last_handshake = last_handshake_;
    const Bytes& octets = call.request.bytes();
    const TimePoint now = context_.clock->now();
    const bool is_session = call.header.session != 0;
    if (is_session) {
      // The header carries the deadline to the Object. On this side a waiting thread watches it
      // itself, without a timer of gRPC's.
      if (!call.is_waited()) set_deadline(unary->client, call.header.deadline, now);
      unary->request = to_session_buffer(call.header, now, octets);
    } else {
      fill(unary->client, call.header, now);
      unary->request = to_buffer(octets);
    }
    call.on_cancel([weak = std::weak_ptr<UnaryCall>(unary)] {
      if (auto kept = weak.lock()) kept->client.TryCancel();
    });
    stub_.load()->UnaryCall(&unary->client, is_session ? kSessionCall : method_of(call.header),
                            grpc::StubOptions(), &unary->request, &unary->reply,
                            [unary, &call](grpc::Status status) {
                              if (status.ok()) call.reply = Payload(to_bytes(unary->reply));
                              end(call, status, *unary);
                            });
  }

  /// Flows end when the channel is closed; unary calls end by themselves.
  void remember(std::function<void()> stop) {
    const std::lock_guard lock(mutex_);
    if (stops_.size() >= kStopsMax) stops_.erase(stops_.begin(), stops_.begin() + kStopsMax / 2);
    stops_.push_back(std::move(stop));
  }
  const ProtocolContext& context_;
  const tls::PeerAddress address_;
  /// Owners: this, and gRPC's verifiers.
  const std::shared_ptr<LastHandshake> last_handshake_ = std::make_shared<LastHandshake>();
  std::atomic<grpc::GenericStub*> stub_{nullptr};
  std::atomic<bool> closed_{false}, is_watching_{false};
  std::mutex mutex_;
  std::vector<std::function<void()>> stops_;
  struct Stub {
    std::unique_ptr<grpc::GenericStub> stub;
    TimePoint used_until;
  };
  std::vector<Stub> stubs_;  ///< the one in use last; a call may just be starting on an older one
  std::shared_ptr<const OwnIdentity> own_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_channel(const ProtocolContext& context,
                                              const std::string& address) {
  const auto parsed = tls::PeerAddress::parse(address);
  HECTOR_TRY(HostPort::parse_reachable(parsed.place));
  if (!parsed.principal.empty() && context.credentials == nullptr)
    return fail(Error::failed_precondition(
        fmt::format("grpc {}: '{}' is reached with an identity only, and there is none here; give "
                    "this side one "
                    "(`identity:` in a capsule's configuration, HECTOR_REALM for the command line)",
                    parsed.place, parsed.principal)));
  return std::make_unique<GrpcChannel>(context, parsed);
}

}  // namespace hector::grpcp
