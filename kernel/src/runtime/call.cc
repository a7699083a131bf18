#include "hector/call.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <ctime>

#include "runtime/parker.h"
#include "runtime/wait_until.h"

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
  return why_.value_or(Error{Code::kCancelled, "the call was cancelled", {}, {}, {}});
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

[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadState thread_state_of_this_thread;
[[gnu::tls_model("initial-exec")]] constinit thread_local Parker parker_of_this_thread;

void Parker::park(std::uint32_t ticket, TimePoint until, const Clock* clock) noexcept {
  sleeps_.store(true, std::memory_order_seq_cst);
  if (word_.load(std::memory_order_seq_cst) == ticket) {
    timespec left{};
    if (until != kNever) {
      const auto wait = std::max<Duration>(until - clock->now(), Duration::zero()).count();
      left = {wait / 1'000'000'000, wait % 1'000'000'000};
    }
    syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, ticket, until == kNever ? nullptr : &left,
            nullptr, 0);
  }
  sleeps_.store(false, std::memory_order_relaxed);
}

void Parker::wake() noexcept {
  word_.fetch_add(1, std::memory_order_seq_cst);
  if (sleeps_.load(std::memory_order_seq_cst))
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

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
  auto& thread = this_thread_state();
  watch_frames(thread.frames, &parker);
  while (!is_over()) {
    const std::uint32_t ticket = parker.ticket();
    if (serve_frames(thread.frames) || is_over()) continue;
    parker.park(ticket, kNever, nullptr);
  }
  watch_frames(thread.frames, nullptr);
}

void WaitedCall::run(Starter& starter, const Clock& clock) {
  parker_ = &Parker::mine();
  is_waited = true;
  starter.start(*this);
  if (!is_done()) wait(&starter, clock);
}

void WaitedCall::wait(Starter* helper, const Clock& clock) {
  auto& thread = this_thread_state();
  if (!thread.may_block) {
    cancel(
        {Code::kFailedPrecondition,
         "a pooled Object or an event loop may not wait for a call: use callbacks or coroutines, "
         "or give the template thread: private",
         {},
         {},
         {}});
  }
  watch_frames(thread.frames, parker_);
  for (bool is_first = true; !is_done(); is_first = false) {
    const std::uint32_t ticket = parker_->ticket();
    if (serve_frames(thread.frames)) continue;
    if (is_done()) break;
    if (!is_first && !is_cancelled() && header.deadline != kNever &&
        clock.now() >= header.deadline) {
      cancel({Code::kDeadlineExceeded, "no reply before the call's deadline", {}, {}, {}});
      continue;
    }
    const TimePoint until = is_cancelled() ? kNever : header.deadline;
    Starter* const reader = via.load(std::memory_order_acquire);
    if (reader != nullptr) helper = reader;
    if (helper != nullptr && thread.frames == nullptr && helper->help(until)) continue;
    parker_->park(ticket, until, &clock);
  }
  watch_frames(thread.frames, nullptr);
}

}  // namespace hector
