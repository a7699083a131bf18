#include "management/object_call.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"

namespace hector {

using management::v1::CallReply;

namespace {

/// A flow without an end is told as far as it came, while there is time to tell it: this long
/// before the client's deadline, or a fifth of its time.
constexpr Duration kTellBefore = std::chrono::milliseconds(500);

bool is_out(const Operation& operation) {
  return operation.kind == Kind::kStream && operation.flow == Flow::kOut;
}

}  // namespace

ObjectCall::ObjectCall(Request request, const Clock& clock, Executor& executor, Done done)
    : request_(std::move(request)), executor_(executor), done_(std::move(done)) {
  if (!is_out(*request_.operation)) return;
  const Duration left = request_.deadline - clock.now();
  request_.deadline -= std::min<Duration>(kTellBefore, left / 5);
}

void ObjectCall::begin() {
  if (is_answered_.load()) return;  // its client has gone already
  const Operation& operation = *request_.operation;
  header.operation = operation.index;
  header.operation_name = operation.name;
  header.deadline = request_.deadline;
  stream_out = &flow_;
  if (operation.kind != Kind::kStream || operation.flow == Flow::kOut) {
    auto octets = request_.target->interface()->from_json(operation.input, request_.json);
    if (!octets) return answer(hector::fail(std::move(octets.error())));
    request = Payload(Bytes::take(std::move(*octets)));
  }
  HECTOR_CHECK(self_ == nullptr, "an operator's call begins twice");
  self_ = shared_from_this();
  const auto held = self_;  // the call may end before start() returns
  timer_ = executor_.at(request_.deadline, [weak = weak_from_this()] {
    if (const auto call = weak.lock()) call->at_deadline();
  });
  is_reading_ = operation.kind == Kind::kStream && operation.flow != Flow::kIn;
  request_.target->start(*this);
  if (operation.kind != Kind::kStream) return;
  if (!flow_) {  // refused before it began
    const std::lock_guard lock(mutex_);
    is_reading_ = false;
  } else {
    if (auto written = write_request(); !written) {
      answer(hector::fail(std::move(written.error())));
      cancel(Error::cancelled("the request could not be written"));
    }
    if (operation.flow != Flow::kIn) read_on();
  }
  end_if_over();
}

Status ObjectCall::write_request() {
  const Operation& operation = *request_.operation;
  if (operation.flow == Flow::kOut) return {};
  auto octets = HECTOR_TRY(request_.target->interface()->from_json(operation.input, request_.json));
  flow_->write(Payload(Bytes::take(std::move(octets))), [](const Status&) {});
  flow_->close_write();
  return {};
}

/// A loop, since messages that are there already come before read() returns.
void ObjectCall::read_on() {
  HECTOR_CHECK(flow_ != nullptr, "a call without a flow reads it");
  if (reads_.fetch_add(1) != 0) return;  // the loop that runs reads once more
  do {
    flow_->read([held = shared_from_this()](Result<std::optional<Payload>> message) {
      if (held->keep(std::move(message))) held->read_on();
    });
  } while (reads_.fetch_sub(1) != 1);
}

bool ObjectCall::keep(Result<std::optional<Payload>> message) {
  {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(is_reading_, "a flow's message comes after its reader has ended");
    const bool is_end = !message || !*message;
    if (!is_end && messages_.size() < kFlowMessagesMax) {
      messages_.push_back((*message)->bytes());
      return true;
    }
    is_reading_ = false;
    if (!is_end) why_cut_ = fmt::format("only the first {} messages are shown", kFlowMessagesMax);
  }
  if (message && *message) cancel(Error::cancelled("its caller has read enough"));
  end_if_over();
  return false;
}

void ObjectCall::at_deadline() {
  const bool is_cut = is_out(*request_.operation);
  {
    const std::lock_guard lock(mutex_);
    if (is_cut && why_cut_.empty()) why_cut_ = "the flow did not end before the call's deadline";
  }
  // An Object that can stop ends the call here; nobody waits for one that cannot.
  cancel(Error::deadline_exceeded("no reply before the call's deadline"));
  answer(is_cut
             ? outcome()
             : hector::fail(Error::deadline_exceeded(fmt::format(
                   "'{}' did not answer '{}' before the call's deadline; it may still be at work",
                   request_.target->reference().object, request_.operation->name))));
}

void ObjectCall::abandon(const Error& why) {
  cancel(why);
  answer(hector::fail(why));
}

void ObjectCall::finished() noexcept {
  const auto held = std::move(self_);
  executor_.cancel(timer_);
  {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(!is_ended_, "an operator's call ends twice");
    is_ended_ = true;
  }
  end_if_over();
}

void ObjectCall::end_if_over() {
  {
    const std::lock_guard lock(mutex_);
    if (!is_ended_ || is_reading_) return;
  }
  answer(outcome());
}

Result<CallReply> ObjectCall::outcome() {
  const std::lock_guard lock(mutex_);
  const Operation& operation = *request_.operation;
  if (is_ended_ && error && why_cut_.empty()) return hector::fail(*error);
  CallReply result;
  result.set_why_cut(why_cut_);
  if (operation.kind == Kind::kAnnounce) return result;
  const bool has_reply = operation.kind == Kind::kRpc || operation.flow == Flow::kIn;
  if (has_reply) messages_.push_back(reply.bytes());
  for (const auto& message : messages_)
    result.add_json(
        HECTOR_TRY(request_.target->interface()->to_json(operation.output, message.view())));
  return result;
}

void ObjectCall::answer(Result<CallReply> result) {
  if (!is_answered_.exchange(true)) done_(std::move(result));
}

}  // namespace hector
