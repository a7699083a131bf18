// What: when held messages are looked at, and what follows.
// Why: see held_watch.h.
// Who: PartySession.
#include "party/held_watch.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::party {

TimePoint HeldWatch::ends_at(const HeldMessage& message) noexcept {
  if (message.has_ended || message.deadline == kNever) return kNever;
  const Duration whole = std::max(message.deadline - message.since, Duration{});
  return message.deadline - std::min<Duration>(kEndBefore, whole / 20);
}

void HeldWatch::look_by(TimePoint when) {
  if (is_closed_ || when == kNever || (timer_ != 0 && due_ <= when)) return;
  options_.timers.cancel(timer_);
  due_ = when;
  timer_ = options_.timers.at(when, [this] { look(); });
}

void HeldWatch::held() noexcept {
  const auto held = options_.arrivals.held();
  if (held.empty()) return;  // its turn has come meanwhile
  const std::lock_guard lock(mutex_);
  if (report_at_ == kNever) {
    report_every_ = kReportAfter;
    report_at_ = options_.timers.now() + kReportAfter;
  }
  TimePoint first = report_at_;
  for (const auto& each : held) first = std::min(first, ends_at(each));
  look_by(first);
}

void HeldWatch::end_late(const HeldMessage& message, TimePoint now) noexcept {
  if (message.has_ended || (!message.is_cancelled && ends_at(message) > now)) return;
  const std::string why = options_.why(message);
  Call* const call = options_.arrivals.end_early(message.number);
  if (call == nullptr) return;  // its turn has come meanwhile
  call->fail(call->is_cancelled() ? call->why_cancelled() : Error::deadline_exceeded(why));
}

void HeldWatch::look() noexcept {
  const TimePoint now = options_.timers.now();
  {
    const std::lock_guard lock(mutex_);
    timer_ = 0;
    due_ = kNever;
  }
  for (const auto& each : options_.arrivals.held()) end_late(each, now);
  const auto left = options_.arrivals.held();
  if (left.empty()) return emptied();
  const bool is_all_over =
      std::all_of(left.begin(), left.end(), [](const HeldMessage& each) { return each.has_ended; });
  bool is_due = false;
  {
    const std::lock_guard lock(mutex_);
    is_due = report_at_ <= now;
    if (is_due) {
      HECTOR_CHECK(report_every_ > Duration{}, "held messages are reported without a pause");
      report_every_ = std::min<Duration>(2 * report_every_, kReportEveryMax);
      report_at_ = now + report_every_;
    }
    TimePoint next = is_all_over ? kNever : report_at_;
    for (const auto& each : left) next = std::min(next, ends_at(each));
    look_by(next);
  }
  if (!is_due && !is_all_over) return;
  is_reported_.store(true);
  options_.report(options_.why(left.front()));
}

void HeldWatch::emptied() noexcept {
  {
    const std::lock_guard lock(mutex_);
    report_at_ = kNever;
  }
  if (is_reported_.exchange(false)) options_.report("");
}

void HeldWatch::close() noexcept {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  options_.timers.cancel(timer_);
}

}  // namespace hector::party
