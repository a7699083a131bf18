#include "grpc_server.h"

#include <fmt/format.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "acceptor.h"
#include "hector/check.h"
#include "standard_services.h"
#include "status_mapping.h"

namespace hector::grpcp {

namespace {

/// Of one connection: each is a call in flight.
constexpr int kStreamsMax = 1'024;
/// Answered calls that gRPC still holds for one connection: it holds a call, of about 15 KiB, until
/// the peer has taken its answer or its cancellation. Beyond it the connection is closed if its
/// socket is full: where it is not, gRPC is late and not the peer.
constexpr std::size_t kAnsweredOfOneMax = kStreamsMax + 512;
/// Of all connections. Beyond it calls are refused, and the connection goes whose answers have
/// waited longest, if that is longer than this.
constexpr std::size_t kCallsMax = 16'384;
/// An answer that waits longer is not being taken.
constexpr Duration kTakenWithin = std::chrono::milliseconds(250);
/// Of all connections: calls whose request has not come yet. Beyond it the oldest goes.
constexpr std::size_t kUnfinishedMax = 4'096;
/// From a call's beginning to its request.
constexpr Duration kRequestWithin = std::chrono::seconds(30);
/// What gRPC may keep for all connections: messages on their way in and out.
constexpr std::size_t kQuotaOctets = 256 * 1024 * 1024;
/// Of all connections: requests that Objects have not answered; answers and messages of flows that
/// their peers have not taken.
constexpr std::size_t kRequestsOctetsMax = 256 * 1024 * 1024;
/// Of all calls, not taken by their callers yet.
constexpr std::size_t kAnswersOctetsMax = 256 * 1024 * 1024;
/// Peers without a call that are remembered, so that the next one costs no search.
constexpr std::size_t kIdlePeersMax = 1'024;
constexpr int kHandshakeMs = 5'000;  ///< gRPC closes a connection that has not begun by then
/// Until the answers of calls that were cut short are on their way.
constexpr Duration kAnswersLeave = std::chrono::milliseconds(500);
/// A connection without a call is closed; a client makes another one.
constexpr int kIdleMs = 10 * 60 * 1'000;
/// A peer that is gone without a word is noticed after both.
constexpr int kKeepaliveMs = 60'000, kKeepaliveTimeoutMs = 20'000;
/// Pings without a call are an offence beyond this rate; the third one closes the connection.
constexpr int kPingEveryMs = 10'000, kPingStrikes = 2;
/// Of a request: a header with its texts. gRPC's default of 8 KiB is less.
constexpr int kRequestMetadataOctetsMax = 64 * 1024;

class ServerCall;

/// The calls of one endpoint that gRPC or an Object still holds. Any thread.
class Calls {
 public:
  /// Whose peers these are. Once, before the first call.
  void set_connections(std::shared_ptr<Connections> connections) {
    connections_ = std::move(connections);
  }
  enum class Room : std::uint8_t { kYes, kNo, kConnectionEnds };
  /// Without room it is to be refused. Else `proved` is the principal of its connection, empty
  /// where that is plain or has ended.
  [[nodiscard]] Room add(ServerCall& call, std::string& proved);
  /// Its request has come.
  void begun(ServerCall& call);
  void remove(ServerCall& call);
  /// Lets calls end for this long, and answers those that are left, whether their Objects go on or
  /// not. New ones are refused from now on.
  void close(Duration grace);
  [[nodiscard]] bool is_closing() const { return is_closing_; }
  /// Answers those whose request has not come in time.
  void expire(TimePoint now);
  /// A request's octets, until returned. False: there is no room.
  bool take_request(std::size_t octets);
  void return_request(std::size_t octets) {
    const std::size_t before = request_octets_.fetch_sub(octets);
    HECTOR_CHECK(before >= octets, "a request gives back more octets than it took");
  }
  enum class Sent : std::uint8_t { kMessage, kAnswer };
  /// gRPC keeps so many octets of this call's for its peer since `now`. Where all of them are too
  /// many, the calls that keep theirs longest are cancelled; where the peer takes no answers, its
  /// connection is ended.
  void keep(ServerCall& call, Sent sent, std::size_t octets, TimePoint now);
  /// gRPC keeps none any more.
  void taken(ServerCall& call);

 private:
  enum class Which : std::uint8_t { kStandardServices, kAll };
  void end(Which which, const Error& why);
  void wait_until_none(Duration grace);

  using Order = std::list<ServerCall*>;
  struct Kept {
    ServerCall* call;
    std::size_t octets;
    TimePoint since;
  };
  /// The calls of one connection.
  struct OfOne {
    std::size_t count = 0, answered = 0;
    bool is_ending = false;
    std::shared_ptr<Remote> remote;  ///< nothing where the connection has ended
  };
  using Peers = std::unordered_map<std::string, OfOne>;
  /// Where a call stands in the two orders, if it does.
  struct Place {
    Peers::value_type* peer = nullptr;
    std::optional<Order::iterator> unfinished;
    std::optional<std::list<Kept>::iterator> kept;
    bool is_answered = false;
  };
  void forget_kept(Place& place);
  void end_offender(const std::string& peer);
  // With the lock held:
  /// It has no calls, and will have some.
  void use_again(Peers::value_type& peer);
  void forget_idle_peers();
  /// Its connection is to be ended by this name, and its calls do not count any more.
  std::string give_up(Peers::value_type& peer);
  /// The connection whose answers wait longest, and too long, is given up. Empty: none does.
  std::string longest_kept(TimePoint now);
  /// Whose connection goes on.
  std::shared_ptr<Remote> remove_locked(ServerCall& call);

  std::mutex mutex_;
  std::condition_variable none_;
  std::unordered_map<ServerCall*, Place> all_;
  Peers peers_;              ///< as gRPC writes them, some without calls
  std::size_t counted_ = 0;  ///< calls, without those of connections that are ending
  std::shared_ptr<Connections> connections_;
  Order unfinished_;      ///< calls without their request, the oldest first
  std::list<Kept> kept_;  ///< what gRPC keeps for their peers, the oldest first
  std::size_t kept_octets_ = 0;
  std::atomic<std::size_t> request_octets_{0};
  std::atomic<bool> is_closing_{false};
};

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

/// Reactor and Call in one. It lives until gRPC is done with it and its handler has ended it: where
/// the endpoint closes, gRPC is answered before.
class ServerCall final : public grpc::ServerGenericBidiReactor, public Call {
 public:
  ServerCall(const ProtocolContext& context, const StandardServices& standard,
             std::shared_ptr<Calls> calls, grpc::GenericCallbackServerContext* server)
      : context_(context),
        standard_(standard),
        calls_(std::move(calls)),
        server_(server),
        peer_{{}, "grpc", server->peer(), Security::kNone},
        began_(context.clock->now()) {
    const std::string& method = server->method();
    is_session_call_ = method == kSessionCall;
    is_from_capsule_ = is_session_call_;
    if (is_session_call_) return;
    const auto slash = method.rfind('/');
    header.interface_name =
        slash == std::string::npos || slash == 0 ? "" : method.substr(1, slash - 1);
    header.operation_name = slash == std::string::npos ? method : method.substr(slash + 1);
  }

  /// Answers now; the handler is told to stop, and what it answers later is dropped. The caller
  /// holds the call.
  void answer_now(const Error& why) {
    if (is_standard_) return finish_once({static_cast<grpc::StatusCode>(why.code), why.message});
    cancel(why);
    if (is_answered_.exchange(true)) return;
    if (flow_) flow_->detach();
    keep(Calls::Sent::kAnswer, 0);
    Finish(ending_of(why, {}, is_from_capsule_ ? Reader::kCapsule : Reader::kAnyClient).status);
  }
  [[nodiscard]] bool is_standard() const { return is_standard_; }
  [[nodiscard]] TimePoint began() const { return began_; }
  /// As gRPC writes it.
  [[nodiscard]] const std::string& peer_address() const { return peer_.address; }
  /// Its peer gets no answer. The caller holds the call.
  void give_up() { server_->TryCancel(); }
  void hold() { holders_.fetch_add(1); }
  void let_go() {
    const int before = holders_.fetch_sub(1);
    HECTOR_CHECK(before > 0, "a call was let go more often than it was held");
    if (before == 1) delete this;
  }

  void begin() {
    const auto room = calls_->add(*this, proved_);
    if (room == Calls::Room::kNo)
      return fail(Error::resource_exhausted(fmt::format(
          "{} calls are open here, which is the most that there may be; try again later",
          kCallsMax)));
    if (room == Calls::Room::kConnectionEnds)
      return fail(Error::unavailable("this connection is being closed"));
    if (context_.credentials != nullptr) {
      if (proved_.empty()) return fail(Error::unavailable("this connection has ended"));
      peer_.security = Security::kPrivacy;
    }
    if (calls_->is_closing())
      return fail(Error::unavailable("this endpoint is closing; use another protocol"));
    if (is_session_call_) return StartRead(&in_);
    if (StandardServices::is_reflection(header.interface_name) ||
        StandardServices::is_health(header.interface_name)) {
      is_standard_ = true;
      let_go();  // no handler ends it
      StartRead(&in_);
      return;
    }
    if (!read_headers()) return;
    if (auto found = context_.inbound->resolve(*this); !found)
      return fail(std::move(found.error()));
    if (kind == Kind::kStream && flow != Flow::kOut) {
      calls_->begun(*this);  // its Object waits for the messages, with the call's deadline
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
    HECTOR_CHECK(!writer_, "a flow is written to while a write is outstanding");
    writer_ = std::move(accepted);
    if (!std::exchange(initial_sent_, true)) add_initial();
    out_ = to_buffer(message.bytes());
    keep(Calls::Sent::kMessage, out_.Length());
    StartWrite(&out_);
  }
  void flow_read(Callback<void(Result<std::optional<Payload>>)> next) {
    HECTOR_CHECK(!reader_, "a flow is read while a read is outstanding");
    reader_ = std::move(next);
    StartRead(&in_);
  }

  // --- reactor
  void OnReadDone(bool ok) override {
    if (is_standard_) return standard_read(ok);
    calls_->begun(*this);
    if (reader_) {
      auto reader = std::move(reader_);
      reader_ = {};
      if (!ok && is_cancelled()) return reader(tl::unexpected(why_cancelled()));
      if (!ok) return reader(std::optional<Payload>());
      return reader(std::optional<Payload>(Payload(to_bytes(in_))));
    }
    if (!ok) return fail(Error::invalid_argument("the caller ended before its request came"));
    if (!calls_->take_request(in_.Length()))
      return fail(Error::resource_exhausted(
          fmt::format("requests of {} octets are being answered here, and this one has no room",
                      kRequestsOctetsMax)));
    request_octets_ = in_.Length();
    if (is_session_call_) {
      auto payload = from_session_buffer(to_bytes(in_), context_.clock->now(), header);
      if (!payload) return fail(std::move(payload.error()));
      request = Payload(std::move(*payload));
      if (!know_peer()) return;
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
    calls_->taken(*this);
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
    HECTOR_CHECK(is_answered_ || is_finished_, "gRPC ended a call that was not answered");
    calls_->remove(*this);
    let_go();
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
    return know_peer();
  }
  /// False: it claims to be another than its connection has proved, and is answered.
  bool know_peer() {
    if (header.principal.empty()) header.principal = proved_;
    if (!proved_.empty() && !may_speak_as(proved_, header.principal)) {
      fail(
          Error::permission_denied(fmt::format("the caller says that it is '{}', and has proved "
                                               "to be '{}'",
                                               header.principal, proved_)));
      return false;
    }
    peer_.principal = header.principal;
    peer = &peer_;
    return true;
  }

  void keep(Calls::Sent sent, std::size_t octets) {
    calls_->keep(*this, sent, octets, context_.clock->now());
  }

  void add_initial() {
    for (const auto& [key, value] : initial) server_->AddInitialMetadata(key, value);
  }

  void finished() noexcept override {
    HECTOR_CHECK(!is_finished_.exchange(true), "a gRPC call is finished twice");
    if (flow_) flow_->detach();
    calls_->return_request(request_octets_);
    if (!is_answered_.exchange(true)) answer();
    let_go();
  }

  void answer() {
    if (!std::exchange(initial_sent_, true)) add_initial();
    keep(Calls::Sent::kAnswer, reply.bytes().size());
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
    if (is_finished_.exchange(true)) return;
    keep(Calls::Sent::kAnswer, 0);
    Finish(status);
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
      keep(Calls::Sent::kAnswer, out_.Length());
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
  const std::shared_ptr<Calls> calls_;  ///< the endpoint has it too; a handler may end after it
  grpc::GenericCallbackServerContext* server_;
  grpc::ByteBuffer in_, out_;
  Peer peer_;
  std::string proved_;  ///< the principal of its connection; empty: it is plain
  const TimePoint began_;
  std::size_t request_octets_ = 0;
  std::shared_ptr<ServerFlow> flow_;
  Callback<void(Status)> writer_;
  Callback<void(Result<std::optional<Payload>>)> reader_;
  bool initial_sent_ = false;
  std::atomic<bool> is_standard_{false};
  bool is_session_call_ = false;
  bool is_from_capsule_ = false;
  std::atomic<bool> is_finished_{false};
  std::atomic<bool> is_answered_{false};
  std::atomic<int> holders_{2};  ///< gRPC and the handler
};

Calls::Room Calls::add(ServerCall& call, std::string& proved) {
  ServerCall* oldest = nullptr;
  std::string offender;
  auto room = Room::kYes;
  {
    const std::lock_guard lock(mutex_);
    if (unfinished_.size() >= kUnfinishedMax) {
      oldest = unfinished_.front();
      oldest->hold();
      all_[oldest].unfinished.reset();
      unfinished_.pop_front();
    }
    auto& peer = *peers_.try_emplace(call.peer_address()).first;
    if (peer.second.count == 0) use_again(peer);
    all_[&call] = {&peer, unfinished_.insert(unfinished_.end(), &call), {}};
    ++peer.second.count;
    if (peer.second.remote) proved = peer.second.remote->principal;
    if (peer.second.is_ending) {
      room = Room::kConnectionEnds;
    } else if (++counted_ > kCallsMax) {
      offender = longest_kept(call.began());
      if (peer.second.is_ending)
        room = Room::kConnectionEnds;
      else if (offender.empty())
        room = Room::kNo;
    }
  }
  end_offender(offender);
  if (oldest == nullptr) return room;
  oldest->answer_now(Error::resource_exhausted(
      "too many calls wait for their requests here, and this one waited longest"));
  oldest->let_go();
  return room;
}

void Calls::use_again(Peers::value_type& peer) {
  OfOne& calls = peer.second;
  calls.is_ending = false;
  const bool is_connected = calls.remote && calls.remote.use_count() > 1;
  if (!is_connected) calls.remote = connections_->remote(peer.first);
}

void Calls::forget_idle_peers() {
  // A peer that calls again is not looked up again; there are hardly more of them than calls.
  if (peers_.size() <= all_.size() + kIdlePeersMax) return;
  std::erase_if(peers_, [](const auto& peer) { return peer.second.count == 0; });
}

void Calls::end_offender(const std::string& peer) {
  if (!peer.empty()) connections_->end_peer(peer, "it sent calls whose answers it does not take");
}

std::string Calls::give_up(Peers::value_type& peer) {
  peer.second.is_ending = true;
  HECTOR_CHECK(counted_ >= peer.second.count, "a connection has more calls than all of them");
  counted_ -= peer.second.count;
  return peer.first;
}

std::string Calls::longest_kept(TimePoint now) {
  for (const auto& kept : kept_) {
    if (now - kept.since < kTakenWithin) break;
    auto& peer = *all_[kept.call].peer;
    if (!peer.second.is_ending) return give_up(peer);
  }
  return {};
}

void Calls::begun(ServerCall& call) {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(&call);
  HECTOR_CHECK(found != all_.end(), "a call begins that was not added");
  auto& unfinished = found->second.unfinished;
  if (unfinished) unfinished_.erase(*unfinished);
  unfinished.reset();
}

void Calls::remove(ServerCall& call) {
  std::shared_ptr<Remote> resumed;
  {
    const std::lock_guard lock(mutex_);
    resumed = remove_locked(call);
    if (all_.empty()) none_.notify_all();
  }
  if (resumed) connections_->resume(*resumed);
}

std::shared_ptr<Remote> Calls::remove_locked(ServerCall& call) {
  const auto found = all_.find(&call);
  HECTOR_CHECK(found != all_.end(), "a gRPC call ends that had not begun");
  if (found->second.unfinished) unfinished_.erase(*found->second.unfinished);
  forget_kept(found->second);
  auto& peer = found->second.peer->second;
  HECTOR_CHECK(peer.count > 0, "a connection loses more calls than it has");
  HECTOR_CHECK(peer.is_ending || counted_ > 0, "more calls end than were counted");
  if (!peer.is_ending) --counted_;
  std::shared_ptr<Remote> resumed;
  if (found->second.is_answered) {
    --peer.answered;
    if (peer.remote && peer.remote->backlog.remove() == Backlog::Then::kResume)
      resumed = peer.remote;
  }
  --peer.count;
  all_.erase(found);
  forget_idle_peers();
  return resumed;
}

void Calls::expire(TimePoint now) {
  std::vector<ServerCall*> late;
  {
    const std::lock_guard lock(mutex_);
    while (!unfinished_.empty() && now - unfinished_.front()->began() > kRequestWithin) {
      late.push_back(unfinished_.front());
      late.back()->hold();
      all_[late.back()].unfinished.reset();
      unfinished_.pop_front();
    }
  }
  for (auto* call : late) {
    call->answer_now(Error::deadline_exceeded("the call's request did not come"));
    call->let_go();
  }
}

bool Calls::take_request(std::size_t octets) {
  if ((request_octets_ += octets) <= kRequestsOctetsMax) return true;
  request_octets_ -= octets;
  return false;
}

void Calls::keep(ServerCall& call, Sent sent, std::size_t octets, TimePoint now) {
  std::vector<ServerCall*> oldest;
  std::string offender;
  {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(&call);
    HECTOR_CHECK(found != all_.end(), "gRPC was given an answer of a call that has ended");
    auto& place = found->second;
    forget_kept(place);
    place.kept = kept_.insert(kept_.end(), {&call, octets, now});
    kept_octets_ += octets;
    auto& peer = *place.peer;
    if (sent == Sent::kAnswer) {
      HECTOR_CHECK(!std::exchange(place.is_answered, true), "a gRPC call is answered twice");
      if (peer.second.remote) peer.second.remote->backlog.add();
      if (++peer.second.answered > kAnsweredOfOneMax && !peer.second.is_ending &&
          connections_->is_stuck(peer.first))
        offender = give_up(peer);
    }
    while (kept_octets_ > kAnswersOctetsMax && kept_.front().call != &call) {
      oldest.push_back(kept_.front().call);
      oldest.back()->hold();
      forget_kept(all_[oldest.back()]);
    }
  }
  end_offender(offender);
  for (auto* each : oldest) {
    each->give_up();
    each->let_go();
  }
}

void Calls::taken(ServerCall& call) {
  const std::lock_guard lock(mutex_);
  if (const auto found = all_.find(&call); found != all_.end()) forget_kept(found->second);
}

void Calls::forget_kept(Place& place) {
  if (!place.kept) return;
  HECTOR_CHECK(kept_octets_ >= (*place.kept)->octets, "a call keeps octets that are not counted");
  kept_octets_ -= (*place.kept)->octets;
  kept_.erase(*place.kept);
  place.kept.reset();
}

void Calls::wait_until_none(Duration grace) {
  std::unique_lock lock(mutex_);
  none_.wait_for(lock, grace, [this] { return all_.empty(); });
}

void Calls::end(Which which, const Error& why) {
  std::vector<ServerCall*> held;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [call, place] : all_) {
      if (which == Which::kStandardServices && !call->is_standard()) continue;
      call->hold();
      held.push_back(call);
    }
  }
  for (auto* call : held) {
    call->answer_now(why);
    call->let_go();
  }
}

void Calls::close(Duration grace) {
  const Error why = Error::unavailable("this endpoint is closing; use another protocol");
  is_closing_ = true;
  end(Which::kStandardServices, why);  // watches would wait for ever
  wait_until_none(grace);
  end(Which::kAll, why);
  wait_until_none(kAnswersLeave);
}

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
  void set_connections(std::shared_ptr<Connections> connections) {
    calls_->set_connections(std::move(connections));
  }
  void close(Duration grace) { calls_->close(grace); }
  void look() { calls_->expire(context_.clock->now()); }
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* server) override {
    auto* call = new ServerCall(context_, standard_, calls_, server);
    call->begin();
    return call;
  }

 private:
  const ProtocolContext& context_;
  StandardServices standard_;
  const std::shared_ptr<Calls> calls_ = std::make_shared<Calls>();  ///< the calls have it too
};

class GrpcEndpoint final : public Endpoint {
 public:
  GrpcEndpoint(const ProtocolContext& context, HostPort place)
      : service_(context), context_(context), place_(std::move(place)) {}
  ~GrpcEndpoint() override { drain(Duration::zero()); }
  Status open() {
    HECTOR_TRY(install_socket_hooks());
    acceptor_ = HECTOR_TRY(Acceptor::listen(place_, {.clock = *context_.clock,
                                                     .log = *context_.log,
                                                     .credentials = context_.credentials,
                                                     .accepted = [this](int fd) { hand_over(fd); },
                                                     .look = [this] { service_.look(); }}));
    service_.set_connections(acceptor_->connections().shared_from_this());
    build();
    acceptor_->start();
    if (context_.credentials != nullptr)
      context_.credentials->on_change(
          this, [this] { acceptor_->connections().examine_again(*context_.credentials); });
    return {};
  }
  std::string address() const override {
    const auto* const credentials = context_.credentials;
    return tls::PeerAddress{HostPort{place_.host, acceptor_->port()}.text(),
                            credentials == nullptr ? "" : credentials->principal()}
        .text();
  }
  void drain(Duration grace) noexcept override {
    if (!server_) return;
    if (context_.credentials != nullptr) context_.credentials->on_change(this, {});
    acceptor_->stop();
    // gRPC's own grace waits for idle connections too, and ends calls with CANCELLED: also those
    // that come while it shuts down. A closed connection is UNAVAILABLE to every client.
    service_.close(grace);
    acceptor_->connections().close();
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

 private:
  void build() {
    grpc::ServerBuilder builder;
    hand_over_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(&service_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(kMessageOctetsMax));
    builder.SetMaxSendMessageSize(-1);
    grpc::ResourceQuota quota("hector");
    builder.SetResourceQuota(quota.Resize(kQuotaOctets));
    for (const auto& [name, value] :
         {std::pair(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs),
          std::pair(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs),
          std::pair(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs),
          std::pair(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs),
          std::pair(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kPingStrikes),
          std::pair(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingEveryMs),
          std::pair(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax),
          std::pair(GRPC_ARG_MAX_METADATA_SIZE, kRequestMetadataOctetsMax)})
      builder.AddChannelArgument(name, value);
    server_ = builder.BuildAndStart();
    HECTOR_CHECK(server_ != nullptr, "a gRPC server without a port of its own does not start");
  }
  void hand_over(int descriptor) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = descriptor;
    hand_over_->HandleNewConnection(&connection);
  }

  GenericService service_;
  const ProtocolContext& context_;
  const HostPort place_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> hand_over_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> make_endpoint(const ProtocolContext& context,
                                                const std::string& address) {
  auto place = HECTOR_TRY(HostPort::parse(address));
  if (place.host == "*") place.host = "::";
  auto made = std::make_unique<GrpcEndpoint>(context, place);
  HECTOR_TRY(made->open());
  return std::unique_ptr<Endpoint>(std::move(made));
}

}  // namespace hector::grpcp
