#include "hector/call.h"

#include <algorithm>

#include "base/parker.h"
#include "call/frame.h"
#include "call/wait.h"

namespace hector {

void Call::cancel(Error why) noexcept {
  Callback<void()> action;
  {
    const std::lock_guard lock(cancel_mutex_);
    if (cancelled_.load(std::memory_order_relaxed)) return;
    why_ = std::move(why);
    cancelled_.store(true, std::memory_order_release);
    action = std::move(cancel_action_);
  }
  if (action) action();
}

Error Call::why_cancelled() const {
  return why_.value_or(Error{Code::kCancelled, "the call was cancelled"});
}

void Call::on_cancel(Callback<void()> action) {
  {
    const std::lock_guard lock(cancel_mutex_);
    hooked_.store(true, std::memory_order_release);
    if (!cancelled_.load(std::memory_order_relaxed)) {
      cancel_action_ = std::move(action);
      return;
    }
  }
  action();
}

void Call::unhook() noexcept {
  Callback<void()> dropped;
  const std::lock_guard lock(cancel_mutex_);
  hooked_.store(false, std::memory_order_release);
  dropped = std::move(cancel_action_);
}

void Call::tell_observers() noexcept {
  for (auto each = std::move(observers_); each; each = std::move(each->next)) each->ended(*this);
}

void Call::reset_call() noexcept {
  request.reset();
  reply.reset();
  error.reset();
  initial.clear();
  trailing.clear();
  stream.reset();
  stream_out = nullptr;
  operation = nullptr;
  peer = nullptr;
  route.to.reset();
  via.store(nullptr, std::memory_order_relaxed);
  recovery.reset();
  next = nullptr;
  host = nullptr;
  is_waited = false;
  is_local = false;
  cancelled_.store(false, std::memory_order_relaxed);
  why_.reset();
}

[[gnu::tls_model("initial-exec")]] constinit thread_local Frame* frames_of_this_thread = nullptr;

WaitedCall::WaitedCall() : parker_(&Parker::mine()) {}

void WaitedCall::finished() noexcept {
  Parker* const parker = parker_;  // the call may be gone once done_ is seen
  done_.store(true, std::memory_order_release);
  if (parker != &Parker::mine()) parker->wake();  // this very thread does not sleep
}

namespace {

bool serve_frames(Frame* frame) noexcept {
  bool served = false;
  for (; frame != nullptr; frame = frame->outer) served = frame->object->serve() || served;
  return served;
}

void watch_frames(Frame* frame, Parker* parker) noexcept {
  for (; frame != nullptr; frame = frame->outer) frame->object->wake_also(parker);
}

}  // namespace

void wait_until(const std::function<bool()>& is_over) {
  Parker& parker = Parker::mine();
  watch_frames(frames_of_this_thread, &parker);
  while (!is_over()) {
    const std::uint32_t ticket = parker.ticket();
    if (serve_frames(frames_of_this_thread) || is_over()) continue;
    parker.park(ticket, kNever, nullptr);
  }
  watch_frames(frames_of_this_thread, nullptr);
}

void WaitedCall::run(Starter& starter, const Clock& clock) {
  parker_ = &Parker::mine();
  is_waited = true;
  starter.start(*this);
  if (!is_done()) wait(&starter, clock);
}

void WaitedCall::wait(Starter* helper, const Clock& clock) {
  if (!this_thread_may_block) {
    cancel(
        {Code::kFailedPrecondition,
         "a pooled Object or an event loop may not wait for a call: use callbacks or coroutines, "
         "or give the template thread: private"});
  }
  watch_frames(frames_of_this_thread, parker_);
  for (bool is_first = true; !is_done(); is_first = false) {
    const std::uint32_t ticket = parker_->ticket();
    if (serve_frames(frames_of_this_thread)) continue;
    if (is_done()) break;
    if (!is_first && !is_cancelled() && header.deadline != kNever &&
        clock.now() >= header.deadline) {
      cancel({Code::kDeadlineExceeded, "no reply before the call's deadline"});
      continue;
    }
    const TimePoint until = is_cancelled() ? kNever : header.deadline;
    Starter* const reader = via.load(std::memory_order_acquire);
    if (reader != nullptr) helper = reader;
    if (helper != nullptr && frames_of_this_thread == nullptr && helper->help(until)) continue;
    parker_->park(ticket, until, &clock);
  }
  watch_frames(frames_of_this_thread, nullptr);
}

}  // namespace hector
