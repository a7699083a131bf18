#include "hector/call.h"

#include <algorithm>
#include <mutex>

#include "base/parker.h"
#include "call/call_state.h"
#include "call/error_limits.h"
#include "call/frame.h"
#include "call/wait.h"

namespace hector {

static_assert(alignof(CallState) <= alignof(std::max_align_t));

Call::Call() noexcept {
  static_assert(sizeof(CallState) <= kStateOctets, "a Call has no room for its state");
  new (state_) CallState();
}

Call::~Call() { CallState::of(*this).~CallState(); }

void Call::end() noexcept {
  CallState& state = CallState::of(*this);
  HECTOR_CHECK(!state.has_ended, "a call was ended twice");
  if (error && state.recovery) [[unlikely]] {
    if (state.has_recovered(*this)) return;
  }
  state.has_ended = true;
  if (error) [[unlikely]]
    keep_within_limits(*error);
  if (state.has_cancel_action.load(std::memory_order_acquire)) state.drop_cancel_action();
  if (state.in_flight != nullptr) std::exchange(state.in_flight, nullptr)->ended(*this);
  if (state.observers) [[unlikely]]
    state.tell_observers(*this);
  finished();
}

bool CallState::has_recovered(Call& call) noexcept {
  const auto asked = std::move(recovery);
  return asked->recover(call);
}

void CallState::drop_cancel_action() noexcept {
  Callback<void()> dropped;
  const std::lock_guard lock(cancel_mutex);
  has_cancel_action.store(false, std::memory_order_release);
  dropped = std::move(cancel_action);
}

void CallState::tell_observers(const Call& call) noexcept {
  for (auto each = std::move(observers); each; each = std::move(each->next)) each->ended(call);
}

void Call::cancel(Error why) noexcept {
  CallState& state = CallState::of(*this);
  Callback<void()> action;
  {
    const std::lock_guard lock(state.cancel_mutex);
    if (state.is_cancelled.load(std::memory_order_relaxed)) return;
    state.why_cancelled = std::move(why);
    state.is_cancelled.store(true, std::memory_order_release);
    action = std::move(state.cancel_action);
  }
  if (action) action();
}

bool Call::is_cancelled() const noexcept {
  return CallState::of(*this).is_cancelled.load(std::memory_order_acquire);
}

Error Call::why_cancelled() const {
  return CallState::of(*this).why_cancelled.value_or(Error::cancelled("the call was cancelled"));
}

void Call::on_cancel(Callback<void()> action) {
  CallState& state = CallState::of(*this);
  {
    const std::lock_guard lock(state.cancel_mutex);
    state.has_cancel_action.store(true, std::memory_order_release);
    if (!state.is_cancelled.load(std::memory_order_relaxed)) {
      state.cancel_action = std::move(action);
      return;
    }
  }
  action();
}

void Call::set_recovery(std::shared_ptr<Recovery> recovery) noexcept {
  CallState::of(*this).recovery = std::move(recovery);
}

bool Call::is_waited() const noexcept { return CallState::of(*this).is_waited; }

void Call::reset_call() noexcept {
  CallState& state = CallState::of(*this);
  HECTOR_CHECK(state.in_flight == nullptr, "a call is used again while an Object handles it");
  request.reset();
  reply.reset();
  error.reset();
  initial.clear();
  trailing.clear();
  stream.reset();
  stream_out = nullptr;
  operation = nullptr;
  peer = nullptr;
  state.route.to.reset();
  state.recovery.reset();
  state.helper.store(nullptr, std::memory_order_relaxed);
  state.next = nullptr;
  state.is_waited = false;
  state.is_local = false;
  state.has_ended = false;
  state.is_cancelled.store(false, std::memory_order_relaxed);
  state.why_cancelled.reset();
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
  for (; frame != nullptr; frame = frame->outer)
    served = frame->object.load(std::memory_order_relaxed)->serve() || served;
  return served;
}

void watch_frames(Frame* frame, Parker* parker) noexcept {
  for (; frame != nullptr; frame = frame->outer)
    frame->object.load(std::memory_order_relaxed)->wake_also(parker);
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

void WaitedCall::run(CallTarget& target, const Clock& clock) {
  HECTOR_CHECK(!is_done(), "a waited call is run again before its reset()");
  parker_ = &Parker::mine();
  CallState::of(*this).is_waited = true;
  target.start(*this);
  if (!is_done()) wait(&target, clock);
}

void WaitedCall::wait(CallTarget* helper, const Clock& clock) {
  if (!this_thread_may_block) {
    cancel(
        {Code::kFailedPrecondition,
         "a pooled Object or an event loop may not wait for a call: use callbacks or coroutines, "
         "or give the template thread: private"});
  }
  watch_frames(frames_of_this_thread, parker_);
  Frame* const innermost = frames_of_this_thread;
  if (innermost != nullptr) innermost->waits_for.store(helper, std::memory_order_release);
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
    CallTarget* const reader = CallState::of(*this).helper.load(std::memory_order_acquire);
    if (reader != nullptr) helper = reader;
    if (helper != nullptr && frames_of_this_thread == nullptr && helper->help(until)) continue;
    parker_->park(ticket, until, &clock);
  }
  if (innermost != nullptr) innermost->waits_for.store(nullptr, std::memory_order_release);
  watch_frames(frames_of_this_thread, nullptr);
}

}  // namespace hector
