#include "call/local_call.h"

#include <mutex>
#include <optional>

#include "call/call_state.h"
#include "hector/check.h"

namespace hector {

/// Joins the two sides: the first one to take the origin out ends it, the other does nothing.
class LocalCall::Link {
 public:
  Link(Call& origin, LocalCall& handler) : origin_(&origin), handler_(&handler) {}
  Call* take_origin() noexcept { return origin_.exchange(nullptr, std::memory_order_acq_rel); }
  void handler_gone() noexcept {
    const std::lock_guard lock(mutex_);
    handler_ = nullptr;
  }
  void cancel_handler(const Error& why) noexcept {
    break_flow(why);
    const std::lock_guard lock(mutex_);
    if (handler_ != nullptr) handler_->cancel(why);
  }
  void set_flow(const LocalFlow& flow) noexcept {
    std::optional<Error> broken;
    {
      const std::lock_guard lock(mutex_);
      HECTOR_CHECK(callers_.expired() && handlers_.expired(), "a call gets a second flow");
      callers_ = flow.callers;
      handlers_ = flow.handlers;
      broken = broken_;
    }
    if (broken) break_flow(*broken);
  }
  /// A writer that waits for its reader, and a reader, learn that the call is over.
  void break_flow(const Error& why) noexcept {
    std::unique_lock lock(mutex_);
    if (!broken_) broken_ = why;
    const auto callers = callers_.lock();
    const auto handlers = handlers_.lock();
    lock.unlock();
    if (callers) callers->deliver_break(why);
    if (handlers) handlers->deliver_break(why);
  }

 private:
  std::atomic<Call*> origin_;
  std::recursive_mutex mutex_;
  LocalCall* handler_;
  std::weak_ptr<WindowedStream> callers_, handlers_;  ///< ends
  std::optional<Error> broken_;
};

LocalCall& LocalCall::make(Call& origin) {
  auto* made = new LocalCall(origin);
  origin.on_cancel([link = made->link_, &origin] {
    const Error why = origin.why_cancelled();
    link->cancel_handler(why);
    if (Call* taken = link->take_origin()) taken->fail(why);
  });
  return *made;
}

LocalCall::LocalCall(Call& origin) {
  HECTOR_CHECK(CallState::of(origin).is_local, "a call that is deferred already is deferred again");
  header = origin.header;
  request = std::move(origin.request);
  request.own();
  kind = origin.kind;
  flow = origin.flow;
  operation = origin.operation;
  peer = origin.peer;
  CallState& from = CallState::of(origin);
  CallState::of(*this).in_flight = std::exchange(from.in_flight, nullptr);
  from.is_local = false;
  link_ = std::make_shared<Link>(origin, *this);
}

void LocalCall::finished() noexcept {
  link_->handler_gone();
  if (Call* origin = link_->take_origin()) {
    reply.own();
    origin->initial = std::move(initial);
    origin->trailing = std::move(trailing);
    auto ended_flow = stream;
    if (error) {
      // Both ends: the caller\'s reader must not wait for what never comes.
      if (ended_flow) link_->break_flow(*error);
      origin->fail(std::move(*error));
    } else {
      if (ended_flow) ended_flow->close_write();
      origin->complete(std::move(reply));
    }
  }
  delete this;
}

std::shared_ptr<Stream> LocalCall::open_flow() {
  HECTOR_CHECK(stream == nullptr, "a local call opens a second flow");
  LocalFlow made(flow);
  stream = made.handlers;
  link_->set_flow(made);
  return std::move(made.callers);
}

Call& Call::defer() {
  return CallState::of(*this).is_local ? static_cast<Call&>(LocalCall::make(*this)) : *this;
}

Call& enter_with_flow(Call& call) {
  HECTOR_CHECK(CallState::of(call).is_local, "a flow is opened for a call that came from outside");
  LocalCall& handler = static_cast<LocalCall&>(call.defer());
  call.give_stream(handler.open_flow());
  return handler;
}

namespace {

class LocalEnd final : public WindowedStream {
 public:
  using WindowedStream::WindowedStream;
  void join(const std::shared_ptr<LocalEnd>& other) { other_ = other; }

 private:
  void transmit(Payload message) override {
    message.own();
    if (auto other = other_.lock()) other->deliver(std::move(message));
  }
  void transmit_credit(std::int64_t octets) override {
    HECTOR_CHECK(octets > 0, "credit is given, never taken back");
    if (auto other = other_.lock()) other->deliver_credit(octets);
  }
  void transmit_end() override {
    if (auto other = other_.lock()) other->deliver_end();
  }
  std::weak_ptr<LocalEnd> other_;
};

}  // namespace

LocalFlow::LocalFlow(Flow flow) {
  const bool to_handler = flow == Flow::kIn || flow == Flow::kBoth;
  const bool to_starter = flow == Flow::kOut || flow == Flow::kBoth;
  auto starter = std::make_shared<LocalEnd>(to_starter, to_handler);
  auto handler = std::make_shared<LocalEnd>(to_handler, to_starter);
  starter->join(handler);
  handler->join(starter);
  callers = std::move(starter);
  handlers = std::move(handler);
}

}  // namespace hector
