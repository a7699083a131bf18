#include "zenoh_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include "hector/awaited.h"
#include "hector/check.h"
#include "hector/stream.h"
#include "hector/thread.h"
#include "zenoh_wire.h"

namespace hector::zenohp {

namespace {

/// As udp's time to connect.
constexpr Duration kOpenFor = std::chrono::seconds(4);
/// A capsule that starts answers one of the pings within kOpenFor.
constexpr std::uint64_t kPingTimeoutMs = 300;
/// Between a ping that nobody answered and the next: zenoh says at once that it knows no capsule.
constexpr Duration kPingAgain = std::chrono::milliseconds(5);
/// zenoh requires a time-out; a flow has none of its own.
constexpr std::uint64_t kFlowTimeoutMs = 24ULL * 3'600 * 1'000;
/// zenoh's time-out is this much later than the call's deadline, whose error is the better one.
constexpr std::int64_t kGraceMs = 200;
/// How long a flow's outcome may come after its query has ended.
constexpr Duration kOutcomeWait = std::chrono::seconds(1);

class Client;

class ClientFlow final : public WindowedStream {
 public:
  ClientFlow(std::shared_ptr<Client> client, std::uint64_t call, bool can_read, bool can_write)
      : WindowedStream(can_read, can_write, 0), client_(std::move(client)), call_(call) {}

 private:
  void transmit(Payload message) override { send(Type::kFlowData, 0, message.bytes()); }
  void transmit_credit(std::int64_t octets) override {
    HECTOR_CHECK(octets >= 0, "credit is given, never taken back");
    send(Type::kFlowCredit, static_cast<std::uint64_t>(octets), {});
  }
  void transmit_end() override { send(Type::kFlowEnd, 0, {}); }
  void send(Type type, std::uint64_t number, const Bytes& payload);
  std::shared_ptr<Client> client_;  ///< shared with the channel; a program may keep a flow longer
  std::uint64_t call_;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(const ProtocolContext& context, Address address)
      : context_(context), address_(std::move(address)), id_(context.random->next()) {}

  void open() {
    const std::lock_guard lock(mutex_);
    open_locked();
  }

  void start(Call& call) {
    const Bytes& octets = call.request.bytes();
    if (octets.size() > kMessageOctetsMax) {
      return call.fail(Error::invalid_argument(
          fmt::format("a zenoh message may have {} octets here, this one has {}", kMessageOctetsMax,
                      octets.size())));
    }
    const std::uint64_t id = next_call_.fetch_add(1);
    std::shared_ptr<ClientFlow> flow;
    if (call.kind == Kind::kStream) {
      flow = std::make_shared<ClientFlow>(shared_from_this(), id, call.flow != Flow::kIn,
                                          call.flow != Flow::kOut);
      call.give_stream(flow);
    }
    std::unique_lock lock(mutex_);
    if (state_ == State::kClosed) {
      lock.unlock();
      return call.fail(gone("the channel is closed"));
    }
    if (state_ == State::kFailed) {  // each call after a failure tries again
      state_ = State::kOpening;
      open_locked();
    }
    const bool is_new = calls_.emplace(id, Pending{&call, flow, call.header.deadline}).second;
    HECTOR_CHECK(is_new, "a call's number is used twice");
    const bool is_ready = state_ == State::kReady;
    if (!is_ready) waiting_.push_back(id);
    arm(call.header.deadline);
    lock.unlock();
    call.on_cancel([weak = weak_from_this(), id, &call] {
      if (auto self = weak.lock()) self->give_up(id, call.why_cancelled());
    });
    if (is_ready) send(id);
  }

  void close(const std::string& why) {
    std::vector<Attempt> attempts;
    {
      const std::lock_guard lock(mutex_);
      state_ = State::kClosed;
      closed_.notify_all();
      if (timer_ != 0) context_.executor->cancel(timer_);
      attempts.swap(attempts_);
    }
    // A call that an attempt has failed may have been the last that held the channel: then this is
    // the attempt's own thread, for which join() does not wait.
    for (auto& each : attempts) each.thread.join();
    fail_all(why);
    hz_session* session = nullptr;
    {
      const std::lock_guard lock(session_mutex_);
      session = std::exchange(session_, nullptr);
    }
    if (session == nullptr) return;
    for (auto* handle : handles_) hz_undeclare(handle);
    if (declared_key_ != nullptr) hz_key_free(declared_key_);
    hz_close(session);
  }

  void put(const std::string& key, std::string_view attachment, const Bytes& payload) {
    const std::lock_guard lock(session_mutex_);
    char* error = nullptr;
    if (session_ != nullptr &&
        hz_put(session_, key.c_str(), slice(payload.view()), slice(attachment), &error) == 0) {
      context_.log->write(Level::kWarning, "zenoh put failed", {{"error", take_error(error)}});
    }
  }
  void flow_message(Type type, std::uint64_t call, std::uint64_t number, const Bytes& payload) {
    std::string attachment;
    write_mark({type, id_, call, number}, attachment);
    put(inbox_key(address_.capsule), attachment, payload);
  }

 private:
  enum class State { kOpening, kReady, kFailed, kClosed };
  struct Pending {
    Call* call;
    std::shared_ptr<ClientFlow> flow;
    Deadline deadline;
  };
  using Calls = std::map<std::uint64_t, Pending>;
  struct Asked {
    std::weak_ptr<Client> client;
    std::uint64_t call;
  };

  /// One try to connect. Its thread may still be failing its calls when the next one begins.
  struct Attempt {
    Thread thread;
    std::shared_ptr<std::atomic<bool>> is_over;  ///< shared with the thread
  };

  /// With the lock held.
  void open_locked() {
    HECTOR_CHECK(state_ == State::kOpening, "a zenoh client connects without being opened");
    std::erase_if(attempts_, [](Attempt& each) {
      if (!*each.is_over) return false;
      each.thread.join();  // it has nothing left to do
      return true;
    });
    auto is_over = std::make_shared<std::atomic<bool>>(false);
    auto connect = [self = shared_from_this(), is_over] {
      self->connect();
      *is_over = true;
    };
    attempts_.push_back({Thread("zenoh connect", std::move(connect)), is_over});
  }

  Error gone(const std::string& why) const {
    return Error::unavailable(fmt::format("zenoh {}: {}; the outcome of calls in flight is unknown",
                                          address_.text(), why));
  }

  // --- connecting: on a thread of its own, until the other side answers ---

  void connect() {
    const std::string config = fmt::format(
        "{{mode: \"client\", connect: {{endpoints: [\"{}\"], exit_on_failure: true, timeout_ms: "
        "3000}}, scouting: {{multicast: {{enabled: false}}, gossip: {{enabled: false}}}}}}",
        address_.locator);
    char* error = nullptr;
    hz_session* session = nullptr;
    {
      const std::lock_guard lock(session_mutex_);
      session = session_;
    }
    if (session == nullptr) {
      session = hz_open(config.c_str(), &error);
      if (session == nullptr) return failed("no connection: " + take_error(error));
      if (holder_ == nullptr)
        // zenoh's threads may still read it when this is gone, so it is never freed.
        holder_ = new std::weak_ptr<Client>(shared_from_this());
      auto* subscriber = hz_subscriber(session, client_key(id_).c_str(), on_inbox, holder_, &error);
      auto* presence = hz_liveliness_subscriber(session, presence_key(address_.capsule).c_str(),
                                                on_presence, holder_, &error);
      // The server ends this client's calls when the token goes.
      auto* token = hz_liveliness_token(session, client_key(id_).c_str(), &error);
      if (subscriber == nullptr || presence == nullptr || token == nullptr) {
        hz_close(session);
        return failed("zenoh refuses a declaration: " + take_error(error));
      }
      const std::lock_guard lock(session_mutex_);
      handles_ = {subscriber, presence, token};
      declared_key_ =
          hz_declare_key(session, session_key_.c_str(), nullptr);  // null: the key itself serves
      session_ = session;
    }
    const TimePoint until = context_.clock->now() + kOpenFor;
    while (!ping(session)) {
      {
        std::unique_lock lock(mutex_);
        if (closed_.wait_for(lock, kPingAgain, [this] { return state_ == State::kClosed; })) return;
      }
      if (context_.clock->now() >= until)
        return failed(fmt::format("capsule '{}' does not answer there", address_.capsule));
    }
    std::vector<std::uint64_t> waiting;
    {
      const std::lock_guard lock(mutex_);
      if (state_ == State::kClosed) return;
      HECTOR_CHECK(state_ == State::kOpening, "a zenoh client is ready without having been opened");
      state_ = State::kReady;
      waiting.swap(waiting_);
    }
    for (const auto id : waiting) send(id);
  }

  /// After an answer all earlier declarations of both sides are known to both.
  bool ping(hz_session* session) {
    /// zenoh's, until it says that the query is over.
    struct Answer {
      bool ok = false;
      Callback<void(bool)> over;
    };
    Awaited<bool> answered;
    hz_get(
        session, ping_key(address_.capsule).c_str(), nullptr, {}, {}, kPingTimeoutMs,
        [](void* context, int ok, hz_slice, hz_slice) {
          static_cast<Answer*>(context)->ok = ok != 0;
        },
        [](void* context) {
          const std::unique_ptr<Answer> answer(static_cast<Answer*>(context));
          answer->over(answer->ok);
        },
        new Answer{false, answered.callback()}, nullptr);
    return answered.wait();
  }

  void failed(const std::string& why) {
    Calls calls;
    {
      const std::lock_guard lock(mutex_);
      HECTOR_CHECK(state_ == State::kOpening || state_ == State::kClosed,
                   "a zenoh client fails that was not being opened");
      if (state_ != State::kClosed) state_ = State::kFailed;
      waiting_.clear();
      calls.swap(calls_);  // later calls are the next attempt's
    }
    fail_calls(calls, why);
  }

  // --- calls ---

  void send(std::uint64_t id) {
    Bytes payload;
    std::string attachment;
    std::string key;
    std::uint64_t timeout_ms = kFlowTimeoutMs;
    bool is_announcement = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(id);
      if (found == calls_.end()) return;
      Call& call = *found->second.call;
      const TimePoint now = context_.clock->now();
      write_mark({Type::kRequest, id_, id,
                  static_cast<std::uint64_t>(static_cast<int>(call.kind) << 4 |
                                             static_cast<int>(call.flow))},
                 attachment);
      encode_header(call.header, now, attachment);
      if (call.kind != Kind::kStream || call.flow == Flow::kOut) payload = call.request.bytes();
      key = call.header.session != 0
                ? session_key_
                : object_key(
                      address_.capsule, call.header.object.empty() ? "session" : call.header.object,
                      call.header.operation_name.empty() ? "message" : call.header.operation_name);
      if (call.header.deadline != kNever) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(call.header.deadline - now);
        timeout_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, left.count()) + kGraceMs);
      }
      is_announcement = call.kind == Kind::kAnnounce;
    }
    if (is_announcement) return put(key, attachment, payload);
    const std::lock_guard lock(session_mutex_);
    if (session_ == nullptr) return;
    hz_get(session_, key.c_str(), key == session_key_ ? declared_key_ : nullptr,
           slice(payload.view()), slice(attachment), timeout_ms, on_reply, on_done,
           new Asked{weak_from_this(), id}, nullptr);
  }

  std::optional<Pending> take(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return std::nullopt;
    Pending pending = std::move(found->second);
    calls_.erase(found);
    return pending;
  }

  void finish(std::uint64_t id, std::string_view outcome_octets, Bytes payload) {
    auto pending = take(id);
    if (!pending) return;
    Outcome outcome;
    auto used = decode_outcome(outcome_octets, outcome);
    if (!used) outcome.error = used.error();
    pending->call->trailing = std::move(outcome.trailing);
    if (pending->flow) {
      if (!outcome.error) pending->flow->deliver_end();
      pending->flow->deliver_break(outcome.error);
    }
    if (outcome.error) return pending->call->fail(std::move(*outcome.error));
    pending->call->complete(Payload(std::move(payload)));
  }

  void break_off(std::uint64_t id, Error why) {
    auto pending = take(id);
    if (!pending) return;
    if (pending->flow) pending->flow->deliver_break(why);
    pending->call->fail(std::move(why));
  }

  void give_up(std::uint64_t id, Error why) {
    const auto code = static_cast<std::uint64_t>(why.code);
    break_off(id, std::move(why));
    flow_message(Type::kCancel, id, code, {});
  }

  void fail_all(const std::string& why) {
    Calls calls;
    {
      const std::lock_guard lock(mutex_);
      calls.swap(calls_);
    }
    fail_calls(calls, why);
  }
  void fail_calls(Calls& calls, const std::string& why) const {
    for (auto& [id, pending] : calls) {
      if (pending.flow) pending.flow->deliver_break(gone(why));
      pending.call->fail(gone(why));
    }
  }

  /// With the lock held: one timer, for the next deadline.
  void arm(Deadline deadline) {
    HECTOR_CHECK((timer_ == 0) == (timer_at_ == kNever), "a timer and its time differ");
    if (deadline >= timer_at_) return;
    if (timer_ != 0) context_.executor->cancel(timer_);
    timer_at_ = deadline;
    timer_ = context_.executor->at(deadline, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->overdue();
    });
  }
  void overdue() {
    std::vector<std::uint64_t> late;
    {
      const std::lock_guard lock(mutex_);
      timer_ = 0;
      timer_at_ = kNever;
      const TimePoint now = context_.clock->now();
      Deadline next = kNever;
      for (const auto& [id, pending] : calls_) {
        if (pending.deadline <= now)
          late.push_back(id);
        else
          next = std::min(next, pending.deadline);
      }
      if (state_ != State::kClosed) arm(next);
    }
    for (const auto id : late)
      give_up(id, Error::deadline_exceeded(fmt::format(
                      "no reply from zenoh {} before the call's deadline", address_.text())));
  }

  // --- on zenoh's threads ---

  static void on_reply(void* context, int ok, hz_slice payload, hz_slice attachment) {
    auto& asked = *static_cast<Asked*>(context);
    const auto client = asked.client.lock();
    if (!client) return;
    if (ok != 0) return client->finish(asked.call, view(attachment), Bytes::copy(view(payload)));
    client->break_off(asked.call, client->gone(std::string(view(payload))));
  }
  static void on_done(void* context) {
    const std::unique_ptr<Asked> asked(static_cast<Asked*>(context));
    const auto client = asked->client.lock();
    if (!client) return;
    {
      const std::lock_guard lock(client->mutex_);
      // A flow's outcome comes as a publication, which may still be on its way.
      const auto found = client->calls_.find(asked->call);
      if (found == client->calls_.end()) return;
      if (found->second.flow && client->is_present_) {
        client->context_.executor->at(
            client->context_.clock->now() + kOutcomeWait,
            [weak = asked->client, call = asked->call] {
              if (auto self = weak.lock())
                self->break_off(call, self->gone("the peer ended the query without an outcome"));
            });
        return;
      }
    }
    client->break_off(asked->call, client->gone("the peer is gone"));
  }
  static void on_inbox(void* context, const hz_sample* sample) {
    const auto client = static_cast<std::weak_ptr<Client>*>(context)->lock();
    const hz_slice payload = sample->payload;
    const hz_slice attachment = sample->attachment;
    Mark mark;
    const auto used = read_mark(view(attachment), mark);
    if (!client || !used) return;
    if (mark.type == Type::kOutcome)
      return client->finish(mark.call, view(attachment).substr(*used), Bytes::copy(view(payload)));
    std::shared_ptr<ClientFlow> flow;
    {
      const std::lock_guard lock(client->mutex_);
      const auto found = client->calls_.find(mark.call);
      if (found == client->calls_.end()) return;
      flow = found->second.flow;
    }
    if (!flow) return;
    if (mark.type == Type::kFlowData && !flow->deliver(Payload(Bytes::copy(view(payload)))))
      client->give_up(mark.call,
                      Error::resource_exhausted("the peer sends more of its flow than is read"));
    if (mark.type == Type::kFlowEnd) flow->deliver_end();
    if (mark.type == Type::kFlowCredit)
      flow->deliver_credit(static_cast<std::int64_t>(std::min(mark.number, kCreditMax)));
  }
  static void on_presence(void* context, const hz_sample* sample) {
    const auto client = static_cast<std::weak_ptr<Client>*>(context)->lock();
    if (!client) return;
    client->is_present_ = sample->alive != 0;
    if (sample->alive == 0) {
      bool was_ready = false;
      {
        const std::lock_guard lock(client->mutex_);
        was_ready = client->state_ == State::kReady;
      }
      if (was_ready) client->fail_all("its liveliness token is gone");
    }
  }

  const ProtocolContext& context_;
  const Address address_;
  const std::string session_key_ = session_key(address_.capsule);
  hz_key* declared_key_ = nullptr;
  const std::uint64_t id_;
  std::atomic<std::uint64_t> next_call_{1};
  std::mutex mutex_;
  State state_ = State::kOpening;
  std::condition_variable closed_;
  Calls calls_;
  std::vector<std::uint64_t> waiting_;
  TimerId timer_ = 0;
  Deadline timer_at_ = kNever;
  std::recursive_mutex session_mutex_;
  hz_session* session_ = nullptr;
  std::vector<hz_handle*> handles_;
  std::weak_ptr<Client>* holder_ = nullptr;
  std::atomic<bool> is_present_{true};
  std::vector<Attempt> attempts_;  ///< under mutex_
};

void ClientFlow::send(Type type, std::uint64_t number, const Bytes& payload) {
  client_->flow_message(type, call_, number, payload);
}

class ZenohChannel final : public Channel {
 public:
  ZenohChannel(const ProtocolContext& context, Address address)
      : client_(std::make_shared<Client>(context, std::move(address))) {
    client_->open();
  }
  ~ZenohChannel() override { close(); }
  void start(Call& call) noexcept override { client_->start(call); }
  void close() noexcept override { client_->close("the channel is closed"); }

 private:
  std::shared_ptr<Client> client_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_channel(const ProtocolContext& context,
                                              const std::string& address) {
  auto parsed = HECTOR_TRY(Address::parse(address));
  return std::make_unique<ZenohChannel>(context, std::move(parsed));
}

}  // namespace hector::zenohp
