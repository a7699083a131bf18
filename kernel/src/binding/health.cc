#include "binding/health.h"

#include "binding/coordinator.h"
#include "hector/message_calls.h"
#include "party/target.h"

namespace hector {

void Health::watch(const Reference& capsule) {
  if (capsule.capsule_id == core_.capsule_id || capsule.is_foreign()) return;
  const std::lock_guard lock(mutex_);
  Watched& watched = watched_[capsule.capsule_id];
  watched.capsule = capsule;
  if (watched.watchers++ == 0) schedule(watched, kAskEvery);
}

void Health::forget(std::uint64_t capsule_id) {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(capsule_id);
  if (found == watched_.end() || --found->second.watchers != 0) return;
  if (found->second.timer != 0) core_.options.executor->cancel(found->second.timer);
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
    if (watched.timer != 0) core_.options.executor->cancel(watched.timer);
  }
  watched_.clear();
}

void Health::schedule(Watched& watched, Duration after) {
  if (is_stopped_) return;
  if (watched.timer != 0) core_.options.executor->cancel(watched.timer);
  watched.timer = core_.options.executor->at(core_.options.clock->now() + after,
                                             [this, id = watched.capsule.capsule_id] { ask(id); });
}

void Health::ask(std::uint64_t capsule_id) {
  core_.blocking.run([this, capsule_id] {  // making a target may block
    Reference capsule;
    {
      const std::lock_guard lock(mutex_);
      const auto found = watched_.find(capsule_id);
      if (found == watched_.end() || found->second.is_asking || found->second.is_lost) return;
      found->second.is_asking = true;
      capsule = found->second.capsule;
    }
    auto made = coordinator_of(core_, capsule);
    if (!made) return answered(capsule_id, false);
    auto& call = CallbackCall::make([this, capsule_id, keep = *made](Call& ended) {
      // Whatever it answers, it is there, unless another capsule answers at its address.
      bool is_there = !ended.error || (ended.error->code != Code::kUnavailable &&
                                       ended.error->code != Code::kDeadlineExceeded);
      if (!ended.error) {
        const auto description = read_message<hector::kernel::v1::OfferDescription>(ended.reply);
        is_there = description && description->reference().capsule_id() == capsule_id;
      }
      core_.blocking.run([this, capsule_id, is_there] { answered(capsule_id, is_there); });
    });
    call.header.operation_name = coordinator_operation_name(CoordinatorOperation::kDescribe);
    call.header.deadline = core_.options.clock->now() + kAnswerWithin;
    hector::kernel::v1::OfferQuery query;
    query.set_object(kCoordinatorName);
    call.header.object = kCoordinatorName;
    call.request = write_message(query);
    (*made)->start(call);
  });
}

void Health::answered(std::uint64_t capsule_id, bool is_there) {
  bool tell_lost = false, tell_alive = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(capsule_id);
    if (found == watched_.end()) return;
    Watched& watched = found->second;
    watched.is_asking = false;
    watched.misses = is_there ? 0 : watched.misses + 1;
    if (is_there) {
      tell_alive = std::exchange(watched.is_doubted, false);
      schedule(watched, kAskEvery);
    } else if (watched.misses >= kMissesMax) {
      tell_lost = !std::exchange(watched.is_lost, true);
    } else {
      schedule(watched, std::chrono::milliseconds(50));
    }
  }
  if (tell_lost && lost_) lost_(capsule_id);
  if (tell_alive && alive_) alive_(capsule_id);
}

}  // namespace hector
