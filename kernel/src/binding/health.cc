#include "binding/health.h"

#include <utility>

#include "hector/check.h"

namespace hector {

void Health::check_invariants(const Watched& watched) {
  HECTOR_CHECK(watched.watchers > 0, "a capsule is watched that nobody watches");
  HECTOR_CHECK(watched.misses >= 0 && watched.misses <= kMissesMax, "a capsule missed too often");
  HECTOR_CHECK(!watched.is_lost || watched.misses == kMissesMax, "a capsule is lost too early");
}

void Health::watch(const Reference& capsule) {
  if (capsule.capsule_id == options_.own || capsule.is_foreign()) return;
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return;
  Watched& watched = watched_[capsule.capsule_id];
  watched.capsule = capsule;
  if (watched.watchers++ == 0) schedule(watched, kAskEvery);
  check_invariants(watched);
}

void Health::forget(std::uint64_t capsule_id) {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(capsule_id);
  if (found == watched_.end()) return;
  check_invariants(found->second);
  if (--found->second.watchers != 0) return;
  if (found->second.timer != 0) options_.executor.cancel(found->second.timer);
  watched_.erase(found);
}

void Health::ask_now(std::uint64_t capsule_id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(capsule_id);
    if (found == watched_.end()) return;
    found->second.is_doubted = true;
  }
  ask(capsule_id);
}

void Health::stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
  for (auto& [id, watched] : watched_) {
    if (watched.timer != 0) options_.executor.cancel(watched.timer);
  }
  watched_.clear();
}

void Health::schedule(Watched& watched, Duration after) {
  HECTOR_CHECK(!is_stopped_, "a capsule is to be asked after the end");
  if (watched.timer != 0) options_.executor.cancel(watched.timer);
  watched.timer = options_.executor.at(options_.clock.now() + after,
                                       [this, id = watched.capsule.capsule_id] { ask(id); });
}

void Health::ask(std::uint64_t capsule_id) {
  options_.blocking.run([this, capsule_id] {  // a ping may block before it is on its way
    Reference capsule;
    std::uint64_t ping = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = watched_.find(capsule_id);
      if (found == watched_.end() || found->second.ping != 0 || found->second.is_lost) return;
      found->second.ping = ping = ++pings_ever_;
      capsule = found->second.capsule;
    }
    const Deadline deadline = options_.clock.now() + kAnswerWithin;
    options_.ping(capsule, deadline, [this, capsule_id, ping](bool is_there) {
      options_.blocking.run(
          [this, capsule_id, ping, is_there] { answered(capsule_id, ping, is_there); });
    });
  });
}

Health::Finding Health::judge(Watched& watched, bool is_there) {
  HECTOR_CHECK(watched.ping != 0, "an answer is judged that nothing was asked for");
  watched.ping = 0;
  if (is_there) {
    watched.misses = 0;
    schedule(watched, kAskEvery);
    return std::exchange(watched.is_doubted, false) ? Finding::kAlive : Finding::kNothing;
  }
  if (++watched.misses < kMissesMax) {
    schedule(watched, kAskAgain);
    return Finding::kNothing;
  }
  return std::exchange(watched.is_lost, true) ? Finding::kNothing : Finding::kLost;
}

void Health::answered(std::uint64_t capsule_id, std::uint64_t ping, bool is_there) {
  Finding finding = Finding::kNothing;
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(capsule_id);
    if (found == watched_.end() || found->second.ping != ping) return;  // of an earlier watch
    finding = judge(found->second, is_there);
    check_invariants(found->second);
  }
  if (finding == Finding::kLost && lost_) lost_(capsule_id);
  if (finding == Finding::kAlive && alive_) alive_(capsule_id);
}

}  // namespace hector
