#include "grpc_server.h"

#include <fmt/format.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <mutex>

#include "hector/check.h"
#include "hector/host_port.h"
#include "standard_services.h"
#include "status_mapping.h"

namespace hector::grpcp {

namespace {

/// Of one connection: each is a call in flight.
constexpr int kStreamsMax = 4'096;
/// Of a request: a header with its texts. gRPC's default of 8 KiB is less.
constexpr int kRequestMetadataOctetsMax = 64 * 1024;

class ServerCall;

/// The handler's end of a flow. gRPC's own windows are the flow control: a read is started when the
/// Object reads.
class ServerFlow final : public Stream {
 public:
  explicit ServerFlow(ServerCall& call) : call_(&call) {}
  void write(Payload message, Callback<void(Status)> accepted) override;
  void close_write() override {}
  void read(Callback<void(Result<std::optional<Payload>>)> next) override;
  void detach() {
    const std::lock_guard lock(mutex_);
    call_ = nullptr;
  }

 private:
  std::mutex mutex_;
  ServerCall* call_;
};

/// Reactor and Call in one; lives until OnDone.
class ServerCall final : public grpc::ServerGenericBidiReactor, public Call {
 public:
  ServerCall(const ProtocolContext& context, const StandardServices& standard,
             grpc::GenericCallbackServerContext* server)
      : context_(context), standard_(standard), server_(server) {
    const std::string& method = server->method();
    is_session_call_ = method == kSessionCall;
    is_from_capsule_ = is_session_call_;
    if (is_session_call_) return;
    const auto slash = method.rfind('/');
    header.interface_name =
        slash == std::string::npos || slash == 0 ? "" : method.substr(1, slash - 1);
    header.operation_name = slash == std::string::npos ? method : method.substr(slash + 1);
  }

  void begin() {
    if (is_session_call_) return StartRead(&in_);
    if (StandardServices::is_reflection(header.interface_name) ||
        StandardServices::is_health(header.interface_name)) {
      is_standard_ = true;
      StartRead(&in_);
      return;
    }
    if (!read_headers()) return;
    if (auto found = context_.inbound->resolve(*this); !found)
      return fail(std::move(found.error()));
    if (kind == Kind::kStream && flow != Flow::kOut) {
      flow_ = std::make_shared<ServerFlow>(*this);
      stream = flow_;
      context_.inbound->accept(*this);
    } else {
      StartRead(&in_);
    }
  }

  // --- Call
  void send_initial() noexcept override {
    if (std::exchange(initial_sent_, true)) return;
    add_initial();
    StartSendInitialMetadata();
  }

  // --- for ServerFlow
  void flow_write(Payload message, Callback<void(Status)> accepted) {
    writer_ = std::move(accepted);
    if (!std::exchange(initial_sent_, true)) add_initial();
    out_ = to_buffer(message.bytes());
    StartWrite(&out_);
  }
  void flow_read(Callback<void(Result<std::optional<Payload>>)> next) {
    reader_ = std::move(next);
    StartRead(&in_);
  }

  // --- reactor
  void OnReadDone(bool ok) override {
    if (is_standard_) return standard_read(ok);
    if (reader_) {
      auto reader = std::move(reader_);
      reader_ = {};
      if (!ok) return reader(std::optional<Payload>());
      return reader(std::optional<Payload>(Payload(to_bytes(in_))));
    }
    if (!ok) return fail(Error::invalid_argument("the caller ended before its request came"));
    if (is_session_call_) {
      auto payload = from_session_buffer(to_bytes(in_), context_.clock->now(), header);
      if (!payload) return fail(std::move(payload.error()));
      request = Payload(std::move(*payload));
      know_peer();
      if (auto found = context_.inbound->resolve(*this); !found)
        return fail(std::move(found.error()));
      if (kind == Kind::kStream)
        return fail(Error::invalid_argument("a flow was started as a call"));
      return context_.inbound->accept(*this);
    }
    request = Payload(to_bytes(in_));
    if (kind == Kind::kStream) {
      flow_ = std::make_shared<ServerFlow>(*this);
      stream = flow_;
    }
    context_.inbound->accept(*this);
  }
  void OnWriteDone(bool ok) override {
    if (is_standard_) return standard_written(ok);
    auto writer = std::move(writer_);
    writer_ = {};
    if (!writer) return;
    if (ok) return writer({});
    writer(hector::fail(Error::cancelled("the caller is gone")));
  }
  void OnSendInitialMetadataDone(bool) override {}
  void OnCancel() override {
    if (is_standard_) return finish_once(grpc::Status::CANCELLED);
    const bool is_late = header.deadline != kNever && context_.clock->now() >= header.deadline;
    cancel(is_late ? Error::deadline_exceeded("the call's deadline has passed")
                   : Error::cancelled("the caller cancelled the call"));
  }
  void OnDone() override {
    HECTOR_CHECK(is_finished_, "gRPC ended a call that was not finished");
    delete this;
  }

 private:
  bool read_headers() {
    const auto& metadata = server_->client_metadata();
    const TimePoint now = context_.clock->now();
    if (const auto found = metadata.find(kHeaderKey); found != metadata.end()) {
      is_from_capsule_ = true;
      const std::string names[] = {header.interface_name, header.operation_name};
      if (auto decoded = decode_header({found->second.data(), found->second.size()}, now, header);
          !decoded) {
        fail(decoded.error());
        return false;
      }
      if (header.session == 0) {
        header.interface_name = names[0];
        header.operation_name = names[1];
      }
    }
    const auto text = [&](const char* key) {
      const auto found = metadata.find(key);
      return found == metadata.end() ? std::string()
                                     : std::string(found->second.data(), found->second.size());
    };
    if (header.object.empty()) header.object = text(kObjectKey);
    if (auto trace = TraceContext::parse(text("traceparent"))) header.trace = *trace;
    take_metadata(metadata, header.metadata);
    const auto deadline = server_->deadline();
    if (deadline != std::chrono::system_clock::time_point::max()) {
      header.deadline =
          now + std::chrono::duration_cast<Duration>(deadline - std::chrono::system_clock::now());
    }
    know_peer();
    return true;
  }
  void know_peer() {
    peer_ = {header.principal, "grpc", server_->peer(), Security::kNone};
    peer = &peer_;
  }

  void add_initial() {
    for (const auto& [key, value] : initial) server_->AddInitialMetadata(key, value);
  }

  void finished() noexcept override {
    HECTOR_CHECK(!is_finished_.exchange(true), "a gRPC call is finished twice");
    if (flow_) flow_->detach();
    if (!std::exchange(initial_sent_, true)) add_initial();
    if (error) {
      const auto ending =
          ending_of(*error, trailing, is_from_capsule_ ? Reader::kCapsule : Reader::kAnyClient);
      for (const auto& [key, value] : ending.trailing) server_->AddTrailingMetadata(key, value);
      return Finish(ending.status);
    }
    for (const auto& [key, value] : trailing) server_->AddTrailingMetadata(key, value);
    if (kind == Kind::kStream && flow != Flow::kIn) return Finish(grpc::Status::OK);
    out_ = to_buffer(reply.bytes());
    StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
  }

  /// A standard service's stream may end from two sides at once: by the client's last message and
  /// by its cancellation.
  void finish_once(const grpc::Status& status) {
    if (!is_finished_.exchange(true)) Finish(status);
  }

  void standard_read(bool ok) {
    if (!ok) return finish_once(grpc::Status::OK);
    const std::string octets = to_bytes(in_).str();
    if (StandardServices::is_reflection(header.interface_name)) {
      out_ = to_buffer(Bytes::take(standard_.reflect(octets)));
      return StartWrite(&out_);
    }
    auto answer = standard_.health(octets);
    if (header.operation_name == "Check") {
      if (!answer) return finish_once({grpc::StatusCode::NOT_FOUND, "no such service is offered"});
      out_ = to_buffer(Bytes::take(std::move(*answer)));
      if (is_finished_.exchange(true)) return;
      return StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
    }
    if (header.operation_name != "Watch")
      return finish_once({grpc::StatusCode::UNIMPLEMENTED, "Health has Check and Watch"});
    out_ =
        to_buffer(Bytes::take(answer ? std::move(*answer) : StandardServices::service_unknown()));
    StartWrite(&out_);  // and the stream stays open until the client ends it
  }
  void standard_written(bool ok) {
    if (!ok) return finish_once(grpc::Status::CANCELLED);
    if (StandardServices::is_reflection(header.interface_name)) StartRead(&in_);
  }

  const ProtocolContext& context_;
  const StandardServices& standard_;
  grpc::GenericCallbackServerContext* server_;
  grpc::ByteBuffer in_, out_;
  Peer peer_;
  std::shared_ptr<ServerFlow> flow_;
  Callback<void(Status)> writer_;
  Callback<void(Result<std::optional<Payload>>)> reader_;
  bool initial_sent_ = false;
  bool is_standard_ = false;
  bool is_session_call_ = false;
  bool is_from_capsule_ = false;
  std::atomic<bool> is_finished_{false};
};

void ServerFlow::write(Payload message, Callback<void(Status)> accepted) {
  std::unique_lock lock(mutex_);
  if (call_ == nullptr) {
    lock.unlock();
    return accepted(fail(Error::cancelled("the flow is over")));
  }
  call_->flow_write(std::move(message), std::move(accepted));
}

void ServerFlow::read(Callback<void(Result<std::optional<Payload>>)> next) {
  std::unique_lock lock(mutex_);
  if (call_ == nullptr) {
    lock.unlock();
    return next(std::optional<Payload>());
  }
  call_->flow_read(std::move(next));
}

class GenericService final : public grpc::CallbackGenericService {
 public:
  explicit GenericService(const ProtocolContext& context)
      : context_(context), standard_(*context.inbound) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* server) override {
    auto* call = new ServerCall(context_, standard_, server);
    call->begin();
    return call;
  }

 private:
  const ProtocolContext& context_;
  StandardServices standard_;
};

class GrpcEndpoint final : public Endpoint {
 public:
  GrpcEndpoint(const ProtocolContext& context, HostPort place)
      : service_(context), context_(context), place_(std::move(place)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(place_.text(), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(kMessageOctetsMax));
    builder.SetMaxSendMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kRequestMetadataOctetsMax);
    server_ = builder.BuildAndStart();
  }
  ~GrpcEndpoint() override { drain(Duration::zero()); }
  [[nodiscard]] bool is_up() const { return server_ != nullptr && port_ != 0; }
  std::string address() const override {
    return HostPort{place_.host, static_cast<std::uint16_t>(port_)}.text();
  }
  void drain(Duration grace) noexcept override {
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_.reset();
  }

 private:
  GenericService service_;
  const ProtocolContext& context_;
  std::unique_ptr<grpc::Server> server_;
  const HostPort place_;
  int port_ = 0;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const std::string& address) {
  auto place = HECTOR_TRY(HostPort::parse(address));
  if (place.host == "*") place.host = "::";
  auto made = std::make_unique<GrpcEndpoint>(context, place);
  if (!made->is_up())
    return fail(Error::already_exists(
        fmt::format("gRPC address {} cannot be used: in use, or not of this machine; choose "
                    "another, or port 0 for any",
                    address)));
  return std::unique_ptr<Endpoint>(std::move(made));
}

}  // namespace hector::grpcp
