// What: the handles' own work: cancelling, ending, the inbox, the log.
// Why: none of it needs the interpreter, and none of it waits for its lock.
// Who: python_module.cc, python_language.cc.
#include "python_handles.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "hector/check.h"

namespace hector::python {

Inbox::Numbers::Numbers() : descriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Inbox::Numbers::~Numbers() {
  if (descriptor >= 0) close(descriptor);
}

Inbox::Inbox() : numbers_(std::make_shared<Numbers>()) {}

void Inbox::put(std::uint64_t number) const noexcept {
  {
    const std::lock_guard lock(numbers_->mutex);
    numbers_->waiting.push_back(number);
  }
  const std::uint64_t one = 1;
  // A full counter is readable already.
  static_cast<void>(!::write(descriptor(), &one, sizeof one));
}

std::vector<std::uint64_t> Inbox::take() const {
  std::uint64_t count = 0;
  static_cast<void>(!::read(descriptor(), &count, sizeof count));
  const std::lock_guard lock(numbers_->mutex);
  return std::exchange(numbers_->waiting, {});
}

PyCall::~PyCall() {
  Call* const left = take();
  if (left != nullptr && is_deferred_)
    left->fail(Error::internal("the Object let the call go without an answer"));
}

void PyCall::tell_cancelled(const Inbox& inbox, std::uint64_t number) {
  Call* const call = call_.load();
  if (call == nullptr) return;
  call->on_cancel([call, inbox, number, cancelled = cancelled_] {
    {
      const std::lock_guard lock(cancelled->mutex);
      cancelled->why = call->why_cancelled();
    }
    inbox.put(number);
  });
}

std::optional<Error> PyCall::why_cancelled() const {
  const std::lock_guard lock(cancelled_->mutex);
  return cancelled_->why;
}

bool PyCall::is_cancelled() {
  Call* const call = call_.load();
  if (call == nullptr) return false;
  return call->is_cancelled() ||
         (call->header.deadline != kNever && clock_.now() >= call->header.deadline);
}

std::optional<double> PyCall::time_left() {
  Call* const call = call_.load();
  if (call == nullptr || call->header.deadline == kNever) return std::nullopt;
  return std::chrono::duration<double>(call->header.deadline - clock_.now()).count();
}

std::pair<std::shared_ptr<PyStarted>, Call*> PyStarted::make(Inbox inbox, std::uint64_t number) {
  auto started = std::make_shared<PyStarted>();
  auto& call = CallbackCall::make([started, inbox = std::move(inbox), number](Call& ended) {
    {
      const std::lock_guard lock(started->mutex_);
      HECTOR_CHECK(started->call_ == &ended, "a call ends that was not started");
      started->call_ = nullptr;
      if (ended.error) {
        started->outcome_.error = std::move(*ended.error);
      } else {
        started->outcome_.reply = Bytes::copy(ended.reply.bytes().view());
      }
    }
    inbox.put(number);
  });
  started->call_ = &call;
  return {std::move(started), &call};
}

void PyStarted::cancel() {
  const std::lock_guard lock(mutex_);
  if (call_ != nullptr) call_->cancel(Error::cancelled("the caller awaits it no longer"));
}

void PyLog::close() {
  const std::lock_guard lock(mutex_);
  log_ = nullptr;
}

void PyLog::write(Level level, const std::string& event, const Place& place,
                  const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (log_ == nullptr) return;
  if (place.object.empty()) {
    log_->write(level, event, {{"text", text}});
  } else if (place.operation.empty()) {
    log_->write(level, event, {{"object", place.object}, {"text", text}});
  } else if (place.trace.empty()) {
    log_->write(level, event,
                {{"object", place.object}, {"operation", place.operation}, {"text", text}});
  } else {
    log_->write(level, event,
                {{"object", place.object},
                 {"operation", place.operation},
                 {"trace", place.trace},
                 {"text", text}});
  }
}

}  // namespace hector::python
