// What: look-ups in a Plan, and its replacement under the epoch.
// Why: see plan.h.
// Who: PartySession.
#include "party/plan.h"

#include <algorithm>

#include "base/epoch.h"
#include "hector/check.h"

namespace hector::party {

std::vector<std::uint32_t> Plan::receivers(std::uint32_t interaction) const {
  std::vector<std::uint32_t> members;
  if (interaction >= interactions.size()) return members;
  const auto& stubs = interactions[interaction].stubs;
  for (std::uint32_t m = 0; m < stubs.size(); ++m) {
    if (stubs[m].channel != nullptr) members.push_back(m);
  }
  return members;
}

OutChannelPtr Plan::channel_to(Place place) const {
  const auto found =
      std::find_if(out.begin(), out.end(), [&](const auto& each) { return each->to == place; });
  return found == out.end() ? nullptr : *found;
}

OutChannelPtr Plan::keep(const OutChannel& channel) const {
  const auto found = std::find_if(out.begin(), out.end(),
                                  [&](const auto& each) { return each.get() == &channel; });
  HECTOR_CHECK(found != out.end(), "a message is on a channel that is not of its plan");
  return *found;
}

void PlanSlot::put(std::unique_ptr<Plan> plan) {
  HECTOR_CHECK(plan != nullptr && plan->monitor != nullptr, "a plan has no order");
  std::unique_ptr<Plan> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(kept_, std::move(plan));
    plan_.store(kept_.get(), std::memory_order_seq_cst);
  }
  if (!before) return;
  EpochGuard::synchronize();
  const std::lock_guard lock(mutex_);
  for (const auto& out : before->out) {
    if (std::find(kept_->out.begin(), kept_->out.end(), out) == kept_->out.end())
      earlier_.push_back(out);
  }
}

void PlanSlot::disconnect_peers() noexcept {
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(kept_ != nullptr, "a party without a plan is closed");
  for (auto* list : {&kept_->out, &earlier_}) {
    for (const auto& out : *list) out->disconnect_peer();
  }
}

}  // namespace hector::party
