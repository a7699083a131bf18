// What: when timed phases begin and end, as the monitor moves on.
// Why: see phases.h.
// Who: PartySession.
#include "party/phases.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::party {

namespace {

bool has(const std::vector<std::uint32_t>& list, std::uint32_t interaction) {
  return std::find(list.begin(), list.end(), interaction) != list.end();
}

}  // namespace

Phases::Phases(const hector::type::v1::Binding& type, const std::string& role, Timers& timers,
               Overran overran)
    : timers_(timers), overran_(std::move(overran)) {
  for (auto& phase : types::timed_phases(type)) {
    if (phase.counting_role != role) continue;
    counted_.push_back(std::make_unique<Counted>());
    counted_.back()->phase = std::move(phase);
  }
  for (auto& phase : types::mandatory_phases(type)) {
    const bool begins =
        std::any_of(phase.first.begin(), phase.first.end(), [&](std::uint32_t each) {
          return type.interactions(static_cast<int>(each)).from() == role;
        });
    if (begins) watched_.push_back({std::move(phase), false, 0, 0});
  }
  is_empty_ = counted_.empty() && watched_.empty();
}

void Phases::advance(types::Monitor& monitor, std::optional<std::uint32_t> stepped) noexcept {
  if (!watched_.empty()) watch(monitor, stepped);
  for (auto& counted : counted_) count(*counted, monitor);
}

void Phases::count(Counted& counted, types::Monitor& monitor) noexcept {
  if (!monitor.allows_any(counted.phase.interactions)) {
    if (counted.until.exchange(0) != 0) counted.was_left.store(true);
    return;
  }
  TimePoint::rep until = counted.until.load();
  if (until != 0) return;
  counted.was_left.store(false);
  const TimePoint end = timers_.now() + std::chrono::milliseconds(counted.phase.time_ms);
  counted.until.compare_exchange_strong(until, end.time_since_epoch().count());
}

void Phases::watch(types::Monitor& monitor, std::optional<std::uint32_t> stepped) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  for (std::size_t p = 0; p < watched_.size(); ++p) {
    Watched& watched = watched_[p];
    const bool is_of_it = stepped && has(watched.phase.interactions, *stepped);
    const bool may_begin = monitor.allows_any(watched.phase.first);
    const bool is_under_way = monitor.allows_any(watched.phase.interactions);
    if (watched.is_open && is_under_way && !(is_of_it && may_begin)) continue;
    timers_.cancel(watched.timer);
    watched.is_open = may_begin;
    if (may_begin) open(p);
  }
  check();
}

void Phases::open(std::size_t phase) {
  HECTOR_CHECK(phase < watched_.size(), "a phase begins that is not watched");
  Watched& watched = watched_[phase];
  HECTOR_CHECK(watched.is_open && watched.timer == 0, "a phase begins that has a timer already");
  watched.timer =
      timers_.after(std::chrono::milliseconds(watched.phase.time_ms),
                    [this, phase, opening = ++watched.opening] { expire(phase, opening); });
}

void Phases::expire(std::size_t phase, std::uint64_t opening) {
  {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(phase < watched_.size(), "a phase ends that is not watched");
    Watched& watched = watched_[phase];
    HECTOR_CHECK(opening <= watched.opening, "a phase's openings only grow");
    if (is_closed_ || !watched.is_open || watched.opening != opening) return;
    watched.timer = 0;
  }
  overran_(watched_[phase].phase);  // which phase it is never changes
}

const Phases::Counted* Phases::find(std::uint32_t interaction) const noexcept {
  const auto at = std::find_if(counted_.begin(), counted_.end(), [&](const auto& each) {
    return has(each->phase.interactions, interaction);
  });
  return at == counted_.end() ? nullptr : at->get();
}

const types::TimedPhase* Phases::counted(std::uint32_t interaction) const noexcept {
  const Counted* const found = find(interaction);
  return found == nullptr ? nullptr : &found->phase;
}

bool Phases::is_overrun(std::uint32_t interaction) const noexcept {
  const Counted* const counted = find(interaction);
  if (counted == nullptr) return false;
  if (counted->was_left.load()) return counted->phase.is_refusable;
  const TimePoint::rep until = counted->until.load();
  return until != 0 && timers_.now().time_since_epoch().count() > until;
}

void Phases::restart(types::Monitor& monitor) noexcept {
  for (auto& counted : counted_) {
    counted->until.store(0);
    counted->was_left.store(false);
  }
  {
    const std::lock_guard lock(mutex_);
    for (auto& watched : watched_) {
      timers_.cancel(watched.timer);
      watched.is_open = false;
    }
  }
  if (!is_empty_) advance(monitor, std::nullopt);
}

void Phases::close() noexcept {
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(!is_closed_, "a party's phases are closed twice");
  is_closed_ = true;
  for (auto& watched : watched_) {
    timers_.cancel(watched.timer);
    watched.is_open = false;
  }
  check();
}

void Phases::check() const {
  for (const auto& watched : watched_) {
    HECTOR_CHECK(watched.is_open || watched.timer == 0, "a phase that is not open has a timer");
    HECTOR_CHECK(!is_closed_ || !watched.is_open, "a phase is open after the end of its party");
  }
}

}  // namespace hector::party
