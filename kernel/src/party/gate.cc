// What: how calls wait for a change to end, and leave before its end.
// Why: see gate.h.
// Who: PartySession.
#include "party/gate.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::party {

Gate::Entry Gate::enter(Pending calls) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_closed_ || (waits_.load() & kStarts) == 0) return Entry::kOpen;
  return push(std::move(calls));
}

Gate::Entry Gate::enter(const OutChannel& channel, Pending call) noexcept {
  HECTOR_CHECK(call.calls.size() == 1, "a channel is entered by more than one call of a message");
  const std::lock_guard lock(mutex_);
  if (is_closed_ || (waits_.load() & kSomeChannel) == 0 || !channel.is_paused())
    return Entry::kOpen;
  return push(std::move(call));
}

Gate::Entry Gate::keep(OutChannel& channel, Pending call) noexcept {
  HECTOR_CHECK(call.calls.size() == 1, "more than one call of a message is kept for a channel");
  const std::lock_guard lock(mutex_);
  if (is_closed_) return Entry::kOpen;
  if (pending_.is_full()) return Entry::kFull;
  pause(channel);
  return push(std::move(call));
}

Gate::Entry Gate::push(Pending&& pending) {
  HECTOR_CHECK(!is_closed_ && waits_.load() != 0, "a call waits at an open gate");
  HECTOR_CHECK(!pending.calls.empty(), "nothing waits at the gate");
  if (pending_.is_full()) return Entry::kFull;
  pending.number = ++last_number_;
  watch(pending);
  HECTOR_CHECK(pending_.push(std::move(pending)), "the queue of the gate filled up meanwhile");
  return Entry::kPending;
}

void Gate::watch(Pending& pending) {
  HECTOR_CHECK(pending.timer == 0, "a pending call has a timer before it is watched");
  TimePoint first = kNever;
  for (auto* call : pending.calls) {
    call->request.own();
    first = std::min(first, call->header.deadline);
  }
  if (first != kNever) {
    pending.timer =
        timers_.at(first, [this, number = pending.number] { give_up(number, nullptr); });
  }
  for (auto* call : pending.calls) {
    // Deferred: the call may be cancelled already, and the lock is held here.
    call->on_cancel(
        timers_.deferred([this, call, number = pending.number] { give_up(number, call); }));
  }
}

void Gate::give_up(std::uint64_t number, const Call* call) noexcept {
  std::vector<Call*> given;
  {
    const std::lock_guard lock(mutex_);
    Pending* const found =
        pending_.find([&](const Pending& each) { return each.number == number; });
    if (found == nullptr) return;
    for (auto& each : found->calls) {
      if (each == nullptr || (call != nullptr && each != call)) continue;
      given.push_back(std::exchange(each, nullptr));  // the others of a multicast keep their places
    }
    if (std::all_of(found->calls.begin(), found->calls.end(),
                    [](const Call* each) { return each == nullptr; })) {
      timers_.cancel(found->timer);
      static_cast<void>(
          pending_.take_first([&](const Pending& each) { return each.number == number; }));
    }
  }
  for (auto* each : given) {
    each->fail(call != nullptr
                   ? each->why_cancelled()
                   : Error::deadline_exceeded("the deadline passed while the Binding was being "
                                              "changed or was suspended"));
  }
}

std::optional<Gate::Pending> Gate::next(const std::function<void()>& open) noexcept {
  std::optional<Pending> next;
  {
    const std::lock_guard lock(mutex_);
    next = pending_.pop();
    if (!next) {
      open();
      waits_.store(0);
      check();
      return std::nullopt;
    }
  }
  timers_.cancel(next->timer);
  for (auto& call : next->calls) {
    if (call == nullptr) continue;
    call->on_cancel([] {});
    if (!call->is_cancelled()) continue;
    Call* const cancelled = std::exchange(call, nullptr);
    cancelled->fail(cancelled->why_cancelled());
  }
  return next;
}

std::vector<types::Symbol> Gate::stepped() const {
  const std::lock_guard lock(mutex_);
  std::vector<types::Symbol> symbols;
  for (const auto& each : pending_.entries()) {
    if (each.stage != Stage::kNew)
      symbols.push_back(types::view_symbol(each.interaction, each.member));
  }
  return symbols;
}

std::vector<Call*> Gate::take_stepped() noexcept {
  std::vector<Call*> taken;
  const std::lock_guard lock(mutex_);
  const auto is_stepped = [](const Pending& each) { return each.stage != Stage::kNew; };
  while (auto next = pending_.take_first(is_stepped)) {
    timers_.cancel(next->timer);
    for (auto* call : next->calls) {
      if (call != nullptr) taken.push_back(call);
    }
  }
  return taken;
}

std::vector<Call*> Gate::close() noexcept {
  std::vector<Call*> left;
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(!is_closed_, "a gate is closed twice");
  is_closed_ = true;
  for (auto& each : pending_.take_all()) {
    timers_.cancel(each.timer);
    for (auto* call : each.calls) {
      if (call != nullptr) left.push_back(call);
    }
  }
  check();
  return left;
}

void Gate::check() const noexcept {
  HECTOR_CHECK(waits_.load() != 0 || pending_.empty(), "calls are pending at an open gate");
  HECTOR_CHECK(!is_closed_ || pending_.empty(), "calls are pending in a closed party");
}

}  // namespace hector::party
