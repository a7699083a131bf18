#include "zenoh_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "hector/check.h"
#include "hector/stream.h"
#include "zenoh_wire.h"

namespace hector::zenohp {

namespace {

/// Cancellations that overtook their requests; later ones are dropped.
constexpr std::size_t kEarlyCancelsMax = 1'024;
/// Log lines about dropped publications: so many at once, and one for each kLineEvery after that.
constexpr int kLinesAtOnce = 20;
constexpr Duration kLineEvery = std::chrono::seconds(1);  ///< then one more may be written
/// Ports that are tried for port 0: another program may take a free one first.
constexpr int kPortAttempts = 5;

class Server;

/// A publication or a query of a program without Hector.
struct Foreign {
  std::string key, encoding, source;
  std::size_t octets = 0;
};

/// Log lines that may be written now. Any thread.
class LineBudget {
 public:
  [[nodiscard]] bool take(TimePoint now) {
    const std::lock_guard lock(mutex_);
    const auto gained = (now - since_) / kLineEvery;
    if (gained > 0) {
      left_ = static_cast<int>(std::min<std::int64_t>(kLinesAtOnce, left_ + gained));
      since_ = now;
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::mutex mutex_;
  int left_ = kLinesAtOnce;
  TimePoint since_{};
};

class ServerFlow final : public WindowedStream {
 public:
  ServerFlow(std::shared_ptr<Server> server, Mark mark, bool can_read, bool can_write)
      : WindowedStream(can_read, can_write), server_(std::move(server)), mark_(mark) {}

 private:
  void transmit(Payload message) override { send(Type::kFlowData, 0, message.bytes()); }
  void transmit_credit(std::int64_t octets) override {
    HECTOR_CHECK(octets >= 0, "credit is given, never taken back");
    send(Type::kFlowCredit, static_cast<std::uint64_t>(octets), {});
  }
  void transmit_end() override { send(Type::kFlowEnd, 0, {}); }
  void send(Type type, std::uint64_t number, const Bytes& payload);
  std::shared_ptr<Server> server_;
  Mark mark_;
};

class ServerCall final : public Call {
 public:
  ServerCall(std::shared_ptr<Server> server, Mark mark, hz_query* query)
      : server_(std::move(server)), mark_(mark), query_(query) {}
  /// Held once until the call ends, and once by each thread that uses it meanwhile.
  void hold() noexcept { holders_.fetch_add(1); }
  void let_go() noexcept {
    const int before = holders_.fetch_sub(1);
    HECTOR_CHECK(before > 0, "a call was let go more often than it was held");
    if (before == 1) delete this;
  }
  Peer own_peer;
  bool is_json = false;
  std::optional<Foreign> foreign;
  std::shared_ptr<ServerFlow> flow_end;  ///< the Object has it too, as long as it likes
  [[nodiscard]] const Mark& mark() const { return mark_; }
  hz_query* take_query() { return std::exchange(query_, nullptr); }

 private:
  void finished() noexcept override;
  std::shared_ptr<Server> server_;
  Mark mark_;
  hz_query* query_;
  std::atomic<int> holders_{1};
};

/// One zenoh session that offers. Shared by its Endpoint and its calls; callbacks hold it weakly.
class Server : public std::enable_shared_from_this<Server> {
 public:
  explicit Server(const ProtocolContext& context) : context_(context) {}

  Status open(const std::string& config) {
    char* error = nullptr;
    hz_session* const session = hz_open(config.c_str(), &error);
    if (session == nullptr)
      return fail(Error::already_exists("zenoh cannot start: " + take_error(error)));
    session_ = {session, hz_close};
    // zenoh's threads may still read it when this is gone, so it is never freed.
    holder_ = new std::weak_ptr<Server>(shared_from_this());
    const std::string all = fmt::format("hector/{}/**", context_.capsule);
    const auto keep = [&](hz_handle* handle) {
      if (handle != nullptr) handles_.push_back(handle);
      return handle != nullptr;
    };
    const bool ok =
        keep(hz_queryable(session, all.c_str(), on_query, holder_, &error)) &&
        keep(hz_queryable(session, ping_key(context_.capsule).c_str(), on_ping, holder_, &error)) &&
        keep(hz_queryable(session, session_key(context_.capsule).c_str(), on_query, holder_,
                          &error)) &&
        keep(hz_subscriber(session, all.c_str(), on_publication, holder_, &error)) &&
        keep(hz_subscriber(session, session_key(context_.capsule).c_str(), on_publication, holder_,
                           &error)) &&
        keep(hz_subscriber(session, inbox_key(context_.capsule).c_str(), on_inbox, holder_,
                           &error)) &&
        keep(hz_liveliness_subscriber(session, kAllClientsKey, on_client, holder_, &error)) &&
        keep(hz_liveliness_token(session, presence_key(context_.capsule).c_str(), &error));
    if (!ok) return fail(Error::unavailable("zenoh refuses a declaration: " + take_error(error)));
    return {};
  }

  void drain(Duration grace) {
    refuses_ = true;
    std::vector<hz_handle*> handles;
    {
      std::unique_lock lock(mutex_);
      const TimePoint until = context_.clock->now() + grace;
      while (!calls_.empty() && context_.clock->now() < until)
        idle_.wait_for(lock, std::chrono::milliseconds(10));
      handles.swap(handles_);
    }
    cancel_where([](std::uint64_t) { return true; }, Error::unavailable("the endpoint closed"));
    for (auto* handle : handles) hz_undeclare(handle);
    std::shared_ptr<hz_session> session;
    {
      const std::lock_guard lock(mutex_);
      session.swap(session_);
    }
    // It closes here, or where the last message is being sent.
  }

  void send(std::uint64_t client, const Mark& mark, std::string_view more, const Bytes& payload) {
    std::string attachment;
    write_mark(mark, attachment);
    attachment.append(more);
    const std::string key = client_key(client);
    // Without the lock: a client that takes nothing keeps nobody else waiting.
    const auto session = this->session();
    if (session == nullptr) return;
    char* error = nullptr;
    if (hz_put(session.get(), key.c_str(), slice(payload.view()), slice(attachment), &error) == 0)
      context_.log->write(Level::kWarning, "zenoh put failed", {{"error", take_error(error)}});
  }

  void end(ServerCall& call) {
    {
      const std::lock_guard lock(mutex_);
      calls_.erase({call.mark().client, call.mark().call});
      if (calls_.empty()) idle_.notify_all();
    }
    if (!call.initial.empty())
      call.trailing.insert(call.trailing.begin(), call.initial.begin(), call.initial.end());
    hz_query* query = call.take_query();
    if (call.mark().client == 0) {
      reply_foreign(call, query);
    } else if (query != nullptr && !call.flow_end) {
      std::string attachment;
      encode_outcome(call.error ? &*call.error : nullptr, call.trailing, attachment);
      const Bytes payload = call.error ? Bytes() : call.reply.bytes();
      hz_query_reply(query, slice(payload.view()), slice(attachment));
    } else {
      if (call.flow_end) call.flow_end->deliver_break(std::nullopt);
      std::string outcome;
      encode_outcome(call.error ? &*call.error : nullptr, call.trailing, outcome);
      send(call.mark().client, {Type::kOutcome, 0, call.mark().call, 0}, outcome,
           call.error ? Bytes() : call.reply.bytes());
    }
    if (query != nullptr) hz_query_drop(query);
  }

 private:
  friend class ServerFlow;

  static std::shared_ptr<Server> of(void* context) {
    return static_cast<std::weak_ptr<Server>*>(context)->lock();
  }

  static void on_ping(void* context, hz_query* query, hz_slice, hz_slice, hz_slice, hz_slice) {
    if (of(context)) hz_query_reply(query, {}, {});
    hz_query_drop(query);
  }

  static void on_query(void* context, hz_query* query, hz_slice key, hz_slice payload,
                       hz_slice attachment, hz_slice encoding) {
    const auto server = of(context);
    if (!server) return hz_query_drop(query);
    server->request({query, view(key), view(payload), view(attachment), view(encoding), {}});
  }

  static void on_publication(void* context, const hz_sample* sample) {
    const auto server = of(context);
    if (server && sample->alive != 0)
      server->request({nullptr, view(sample->key), view(sample->payload), view(sample->attachment),
                       view(sample->encoding), view(sample->source)});
  }

  static void on_inbox(void* context, const hz_sample* sample) {
    const auto server = of(context);
    Mark mark;
    if (server && read_mark(view(sample->attachment), mark))
      server->flow_message(mark, view(sample->payload));
  }

  /// Nobody reads the answers and flows of a client that is gone.
  static void on_client(void* context, const hz_sample* sample) {
    const auto server = of(context);
    const auto client = client_of_key(view(sample->key));
    if (!server || sample->alive != 0 || !client) return;
    server->cancel_where([gone = *client](std::uint64_t each) { return each == gone; },
                         Error::cancelled("the caller is gone"));
  }

  /// A query, or a publication (then `query` is null): an announcement. Valid while it is handled.
  struct Arrived {
    hz_query* query;
    std::string_view key, payload, attachment, encoding, source;
  };

  void request(const Arrived& arrived) {
    Mark mark;
    const auto used = read_mark(arrived.attachment, mark);
    auto* call = new ServerCall(shared_from_this(), used ? mark : Mark{}, arrived.query);
    if (used) {
      auto decoded =
          decode_header(arrived.attachment.substr(*used), context_.clock->now(), call->header);
      if (!decoded) return call->fail(decoded.error());
    } else {  // from a program without Hector: hector/CAPSULE/OBJECT/OPERATION
      const std::string_view key = arrived.key;
      const auto operation = key.rfind('/');
      const auto object = key.rfind('/', operation - 1);
      call->header.object = key.substr(object + 1, operation - object - 1);
      call->header.operation_name = key.substr(operation + 1);
      call->foreign = Foreign{std::string(key), std::string(arrived.encoding),
                              std::string(arrived.source), arrived.payload.size()};
    }
    call->own_peer = {call->header.principal, "zenoh", std::string(arrived.key), Security::kNone};
    call->peer = &call->own_peer;
    if (refuses_)
      return call->fail(Error::unavailable("this endpoint is closing; use another protocol")
                            .with_type(kNotExecuted));
    if (auto found = context_.inbound->resolve(*call); !found)
      return call->fail(std::move(found.error()));
    if (arrived.query == nullptr && call->kind != Kind::kAnnounce) {
      return call->fail(Error::invalid_argument(
          fmt::format("'{}' is not an announcement: ask it with a query", call->operation->name)));
    }
    if (call->kind == Kind::kStream && !used)
      return call->fail(Error::unimplemented("flows need Hector's attachment"));
    auto message = used ? Bytes::copy(arrived.payload) : message_of(*call, arrived.payload);
    if (!message) return call->fail(std::move(message.error()));
    call->request = Payload(std::move(*message));
    if (call->kind == Kind::kStream) {
      call->flow_end = std::make_shared<ServerFlow>(
          shared_from_this(), mark, call->flow != Flow::kOut, call->flow != Flow::kIn);
      call->stream = call->flow_end;
    }
    bool was_cancelled = false;
    if (used) {
      const std::lock_guard lock(mutex_);
      was_cancelled = early_cancels_.erase({mark.client, mark.call}) != 0;
      calls_.emplace(std::pair{mark.client, mark.call}, call);
    }
    if (was_cancelled) return call->fail(Error::cancelled("the caller cancelled the call"));
    // Queries and publications may overtake each other, so the caller's first message waits for
    // this credit.
    if (call->kind == Kind::kStream)
      send(mark.client,
           {Type::kFlowCredit, 0, mark.call,
            static_cast<std::uint64_t>(WindowedStream::kWindowOctets)},
           {}, {});
    context_.inbound->accept(*call);
  }

  /// Of a foreign request; sets whether it is JSON.
  Result<Bytes> message_of(ServerCall& call, std::string_view payload) const {
    const Form form = form_of(call.foreign->encoding, payload);
    if (form == Form::kUnknown)
      return fail(Error::invalid_argument(
          fmt::format("the encoding '{}' is no form of a {}", call.foreign->encoding,
                      call.operation->input.empty() ? "message" : call.operation->input)));
    if (form == Form::kMessage) return Bytes::copy(payload);
    auto octets = context_.inbound->request_from_json(call, payload.empty() ? "{}" : payload);
    // No message begins with '{' but one with a group of number 15.
    const bool is_certain = form == Form::kJson || payload.starts_with('{');
    if (!octets && !is_certain) return Bytes::copy(payload);
    call.is_json = true;
    return octets;
  }

  std::shared_ptr<hz_session> session() {
    const std::lock_guard lock(mutex_);
    return session_;
  }

  void flow_message(const Mark& mark, std::string_view payload) {
    ServerCall* call = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find({mark.client, mark.call});
      if (found == calls_.end()) {
        if (mark.type == Type::kCancel && early_cancels_.size() < kEarlyCancelsMax)
          early_cancels_[{mark.client, mark.call}] = true;
        return;
      }
      call = found->second;
      call->hold();
    }
    auto* const flow = call->flow_end.get();
    if (mark.type == Type::kCancel) {
      Error why{code_from_number(static_cast<std::uint32_t>(mark.number)),
                "the caller cancelled the call"};
      if (flow != nullptr) flow->deliver_break(why);
      call->cancel(std::move(why));
    } else if (flow != nullptr) {
      if (mark.type == Type::kFlowData && !flow->deliver(Payload(Bytes::copy(payload))))
        call->cancel(Error::resource_exhausted("the caller sends more of its flow than is read"));
      if (mark.type == Type::kFlowEnd) flow->deliver_end();
      if (mark.type == Type::kFlowCredit)
        flow->deliver_credit(static_cast<std::int64_t>(std::min(mark.number, kCreditMax)));
    }
    call->let_go();
  }

  void reply_foreign(ServerCall& call, hz_query* query) {
    if (query == nullptr) return tell_dropped(call);
    const auto refuse = [query](const Error& error) {
      hz_query_reply_error(query, slice(error.text()), slice("text/plain"));
    };
    if (call.error) return refuse(*call.error);
    if (!call.is_json) {
      hz_query_reply(query, slice(call.reply.bytes().view()), {});
      return;
    }
    const auto json = context_.inbound->reply_to_json(call, call.reply.bytes());
    if (!json) return refuse(json.error());
    hz_query_reply(query, slice(*json), {});
  }

  /// A publisher gets no answer, so whoever runs the capsule is told.
  void tell_dropped(const ServerCall& call) {
    if (!call.error || !call.foreign) return;
    const std::uint64_t dropped = ++dropped_;
    if (!lines_.take(context_.clock->now())) return;
    const std::string instead =
        call.operation == nullptr
            ? fmt::format("publish to hector/{}/OBJECT/OPERATION", context_.capsule)
        : call.kind != Kind::kAnnounce
            ? "ask with a query (get)"
            : fmt::format(
                  "{} as JSON (application/json) or its octets (application/protobuf)",
                  call.operation->input.empty() ? "an empty message" : call.operation->input);
    const std::string octets = std::to_string(call.foreign->octets);
    const std::string total = std::to_string(dropped);
    const std::string from = from_whom(*call.foreign);
    context_.log->write(Level::kWarning, "zenoh publication dropped",
                        {{"key", call.foreign->key},
                         {"from", from},
                         {"encoding", call.foreign->encoding},
                         {"octets", octets},
                         {"error", call.error->text()},
                         {"instead", instead},
                         {"dropped", total}});
  }

  /// The session that published it; where the publication does not say, those that are connected.
  std::string from_whom(const Foreign& foreign) {
    if (!foreign.source.empty()) return "zenoh session " + foreign.source;
    const auto session = this->session();
    char* const neighbours = session == nullptr ? nullptr : hz_neighbours(session.get());
    if (neighbours == nullptr) return "unknown";
    std::string ids(neighbours);
    hz_error_free(neighbours);
    return ids.empty() ? "a client that does not say" : "one of zenoh sessions " + ids;
  }

  template <class Matches>
  void cancel_where(const Matches& matches, const Error& why) {
    std::vector<ServerCall*> calls;
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(early_cancels_, [&](const auto& each) { return matches(each.first.first); });
      for (auto& [key, call] : calls_) {
        if (!matches(key.first)) continue;
        call->hold();
        calls.push_back(call);
      }
    }
    for (auto* call : calls) {
      if (call->flow_end) call->flow_end->deliver_break(why);
      call->cancel(why);
      call->let_go();
    }
  }

  const ProtocolContext& context_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::shared_ptr<hz_session> session_;  ///< messages that are being sent share it
  std::weak_ptr<Server>* holder_ = nullptr;
  std::vector<hz_handle*> handles_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, ServerCall*> calls_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, bool> early_cancels_;
  std::atomic<bool> refuses_{false};
  std::atomic<std::uint64_t> dropped_{0};
  LineBudget lines_;
};

void ServerFlow::send(Type type, std::uint64_t number, const Bytes& payload) {
  server_->send(mark_.client, {type, 0, mark_.call, number}, {}, payload);
}

void ServerCall::finished() noexcept {
  const auto server = server_;
  server->end(*this);
  let_go();
}

/// zenoh does not tell which port it bound for 0: this asks the system for one that is free now.
int free_port(const std::string& host) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  socklen_t size = sizeof address;
  int port = 0;
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    port = ntohs(address.sin_port);
  close(descriptor);
  return port;
}

class ZenohEndpoint final : public Endpoint {
 public:
  explicit ZenohEndpoint(const ProtocolContext& context) : context_(context) {}
  ~ZenohEndpoint() override { drain(Duration::zero()); }

  Status open(const std::string& address) {
    std::string locator = address;
    const bool by_router = locator.starts_with("router/");
    if (by_router) locator = locator.substr(7);
    auto chosen = HECTOR_TRY(Locator::parse(locator));
    const bool any_port = chosen.place && chosen.place->port == 0;
    if (any_port && by_router) HECTOR_TRY(HostPort::parse_reachable(chosen.place->text()));
    for (int attempt = 1;; ++attempt) {
      if (any_port) chosen.place->port = static_cast<std::uint16_t>(free_port(chosen.place->host));
      locator_ = chosen.text();
      server_ = std::make_shared<Server>(context_);
      auto opened = server_->open(config(locator_, by_router));
      if (opened || !any_port || attempt == kPortAttempts) return opened;
    }
  }
  std::string address() const override { return Address{context_.capsule, locator_}.text(); }
  void drain(Duration grace) noexcept override {
    if (server_) server_->drain(grace);
  }

 private:
  static std::string config(const std::string& locator, bool by_router) {
    const std::string place =
        by_router
            ? fmt::format(
                  "connect: {{endpoints: [\"{}\"], exit_on_failure: true, timeout_ms: 3000}}, "
                  "listen: {{endpoints: []}}",
                  locator)
            : fmt::format("listen: {{endpoints: [\"{}\"], exit_on_failure: true, timeout_ms: 0}}",
                          locator);
    return fmt::format(
        "{{mode: \"{}\", {}, scouting: {{multicast: {{enabled: false}}, gossip: {{enabled: "
        "false}}}}, transport: {{unicast: {{lowlatency: false}}}}}}",
        by_router ? "client" : "peer", place);
  }
  const ProtocolContext& context_;
  std::string locator_;
  std::shared_ptr<Server> server_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const std::string& address) {
  auto made = std::make_unique<ZenohEndpoint>(context);
  HECTOR_TRY(made->open(address));
  return std::unique_ptr<Endpoint>(std::move(made));
}

}  // namespace hector::zenohp
