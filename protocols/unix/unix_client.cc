#include "unix_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "hector/check.h"

namespace hector::unix_sockets {

namespace {

/// The octet of a request that says its kind and flow.
char shape_of(const Call& call) {
  return static_cast<char>(static_cast<int>(call.kind) << 4 | static_cast<int>(call.flow));
}

class ClientLink final : public Link {
 public:
  ClientLink(const ProtocolContext& context, std::shared_ptr<Io> io, Descriptor connection,
             std::string place)
      : Link(std::move(io), std::move(connection)), context_(context), place_(std::move(place)) {}

  /// First of all.
  void greet() {
    send(FrameType::kHello, kVersion, {}, {});
    begin();
  }

  /// False: the peer is gone, and the call has not been taken.
  bool start(Call& call) {
    const std::uint64_t id = next_call_.fetch_add(1, std::memory_order_relaxed);
    const bool is_flow = call.kind == Kind::kStream;
    Bytes payload = is_flow && call.flow != Flow::kOut ? Bytes() : call.request.bytes();
    std::string head;
    append_head(call, head);
    std::shared_ptr<UnixFlow> flow;
    if (is_flow) {
      flow = std::make_shared<UnixFlow>(shared_from_this(), id, call.flow != Flow::kIn,
                                        call.flow != Flow::kOut);
      call.give_stream(flow);
    }
    const Deadline deadline = call.is_waited() ? kNever : call.header.deadline;
    call.on_cancel([weak = weak_from_this(), id, &call] {
      if (auto self = weak.lock()) static_cast<ClientLink&>(*self).end(id, call.why_cancelled());
    });
    std::optional<Error> cancelled;
    {
      const std::lock_guard lock(mutex_);
      if (is_gone_) return false;
      if (call.is_cancelled()) {  // before it could be found in calls_
        cancelled = call.why_cancelled();
      } else {
        const bool is_new = calls_.emplace(id, Pending{&call, std::move(flow), deadline}).second;
        HECTOR_CHECK(is_new, "a call's number is used twice");
        // Under the lock: a session's calls leave in their order.
        send(FrameType::kRequest, id, head, std::move(payload));
        look_at(deadline);
      }
    }
    if (cancelled) call.fail(std::move(*cancelled));
    return true;
  }

  void close() {
    fail_all("the channel is closed");
    shut();
  }

 private:
  struct Pending {
    Call* call;
    std::shared_ptr<UnixFlow> flow;  ///< shared with the program, which reads and writes it
    Deadline deadline;
  };

  void append_head(const Call& call, std::string& head) const {
    std::string header;
    encode_header(call.header, context_.clock->now(), header);
    head.push_back(shape_of(call));
    append_u32(head, static_cast<std::uint32_t>(header.size()));
    head += header;
  }

  /// With the lock held: the next deadline is looked at then.
  void look_at(Deadline deadline) {
    if (deadline >= next_look_) return;
    next_look_ = deadline;
    context_.executor->at(deadline, [weak = weak_from_this(), deadline] {
      if (auto self = weak.lock()) static_cast<ClientLink&>(*self).look(deadline);
    });
  }
  void look(TimePoint now) {
    std::vector<std::uint64_t> overdue;
    {
      const std::lock_guard lock(mutex_);
      if (next_look_ != now) return;  // an earlier look has replaced this one
      next_look_ = kNever;
      Deadline next = kNever;
      for (const auto& [id, pending] : calls_) {
        if (pending.deadline <= now)
          overdue.push_back(id);
        else
          next = std::min(next, pending.deadline);
      }
      look_at(next);
    }
    for (const auto id : overdue)
      end(id, Error::deadline_exceeded(
                  fmt::format("no reply from unix {} before the call's deadline", place_)));
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

  /// Ends one call from this side and tells the peer to stop.
  void end(std::uint64_t id, Error why) {
    auto pending = take(id);
    if (!pending) return;
    const char code = static_cast<char>(why.code);
    send(FrameType::kCancel, id, {&code, 1}, {});
    if (pending->flow) pending->flow->deliver_break(why);
    pending->call->fail(std::move(why));
  }

  void fail_all(const std::string& why) {
    const auto keep = shared_from_this();  // a call that ends may be the last that held the channel
    const Error error = Error::unavailable(
        fmt::format("unix {}: {}; the outcome of calls in flight is unknown", place_, why));
    std::unordered_map<std::uint64_t, Pending> calls;
    {
      const std::lock_guard lock(mutex_);
      is_gone_ = true;
      calls.swap(calls_);
    }
    for (auto& [id, pending] : calls) {
      if (pending.flow) pending.flow->deliver_break(error);
      pending.call->fail(error);
    }
  }

  void on_gone(const std::string& why) override { fail_all(why); }

  void on_frame(Frame frame) override {
    if (frame.type == FrameType::kRefused) return refuse(frame.body.str());
    if (frame.type == FrameType::kReply) return on_reply(frame);
    std::shared_ptr<UnixFlow> flow;
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(frame.call);
      if (found == calls_.end()) return;
      flow = found->second.flow;
    }
    if (flow && !flow->take(frame))
      end(frame.call, Error::resource_exhausted("the peer sends more of its flow than is read"));
  }

  void on_reply(const Frame& frame) {
    auto pending = take(frame.call);
    if (!pending) return;
    Outcome outcome;
    const auto used = decode_outcome(frame.body.view(), outcome);
    Call& call = *pending->call;
    if (!used) {
      if (pending->flow) pending->flow->deliver_break(used.error());
      return call.fail(used.error());
    }
    call.trailing = std::move(outcome.trailing);
    if (pending->flow) {
      if (!outcome.error) pending->flow->deliver_end();
      pending->flow->deliver_break(outcome.error);
    }
    if (outcome.error) return call.fail(std::move(*outcome.error));
    call.complete(Payload(frame.body.slice(*used)));
  }

  const ProtocolContext& context_;
  const std::string place_;
  std::atomic<std::uint64_t> next_call_{1};
  std::mutex mutex_;  ///< before the link's own
  std::unordered_map<std::uint64_t, Pending> calls_;
  TimePoint next_look_ = kNever;
  bool is_gone_ = false;
};

class UnixChannel final : public Channel {
 public:
  UnixChannel(const ProtocolContext& context, std::shared_ptr<Io> io, SocketFile place)
      : context_(context), io_(std::move(io)), place_(std::move(place)) {}
  ~UnixChannel() override { close(); }

  void start(Call& call) noexcept override {
    const std::size_t octets = call.request.bytes().size();
    if (octets > kMessageOctetsMax)
      return call.fail(Error::invalid_argument(fmt::format(
          "a unix message may have {} octets, this one has {}", kMessageOctetsMax, octets)));
    // A second attempt: the peer was gone, and nothing of the call was sent.
    for (const auto attempt : {Attempt::kFirst, Attempt::kLast}) {
      auto link = linked(attempt);
      if (!link) return call.fail(std::move(link.error()));
      if ((*link)->start(call)) return;
    }
    call.fail(Error::unavailable(
                  fmt::format("unix {}: the peer ends connections as they are made", place_.text()))
                  .with_type(kNotExecuted));
  }
  void close() noexcept override {
    std::shared_ptr<ClientLink> link;
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      link = std::move(link_);
    }
    if (link) link->close();
  }

 private:
  enum class Attempt : std::uint8_t { kFirst, kLast };

  Result<std::shared_ptr<ClientLink>> linked(Attempt attempt) {
    const std::lock_guard lock(mutex_);
    if (is_closed_)
      return fail(Error::unavailable(fmt::format("unix {}: the channel is closed", place_.text())));
    if (link_ && attempt == Attempt::kFirst) return link_;
    Descriptor connection = HECTOR_TRY(connect_to(place_));
    link_ = std::make_shared<ClientLink>(context_, io_, std::move(connection), place_.text());
    link_->greet();
    return link_;
  }

  const ProtocolContext& context_;
  const std::shared_ptr<Io> io_;
  const SocketFile place_;
  std::mutex mutex_;
  std::shared_ptr<ClientLink> link_;  ///< its calls and flows have it too
  bool is_closed_ = false;
};

}  // namespace

std::unique_ptr<Channel> make_channel(const ProtocolContext& context, std::shared_ptr<Io> io,
                                      SocketFile place) {
  return std::make_unique<UnixChannel>(context, std::move(io), std::move(place));
}

}  // namespace hector::unix_sockets
