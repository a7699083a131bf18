// What: Plan, what one party's messages are sent and taken by: its partners, its channels, its
// order; PlanSlot, where the present one is found.
// Why: what changes in a Binding that runs, changes in a Plan: a new one is made beside the present
// one and put in its place while messages pass, which pay nothing for it.
// Who: PlanBuilder makes them; PartySession reads the present one for each message.
//
// Locking: a Plan never changes once it is in the slot, but for the atomics of what it points to.
// PlanSlot::now() is read within an epoch guard, or by the one change that is being made. put()
// blocks until no guard that could see the plan before is open; never call it within one.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "channel/out_channel.h"
#include "party/arrivals.h"
#include "party/party_spec.h"
#include "types/order/monitor.h"

namespace hector::party {

struct InteractionPlan {
  bool is_mine = false;  ///< this party starts it
  bool is_for_me = false;
  bool is_multicast = false;
  std::uint32_t other_role = 0;
  const Operation* own = nullptr;  ///< of this party's Offer, if it handles it
  std::vector<Stub> stubs;         ///< by member of the other role, where this party starts it
};

struct Plan {
  PartySpec spec;
  types::View view;
  std::vector<InteractionPlan> interactions;
  std::vector<OutChannelPtr> out;
  std::vector<std::vector<Arrivals::Sender*>>
      senders;                                    ///< by role and member; none of the own role
  std::vector<std::vector<CallTarget*>> targets;  ///< by interaction and member
  std::shared_ptr<types::Monitor> monitor;        ///< owners: this plan, and the one after it

  /// How an interaction goes to a member; null where it does not.
  [[nodiscard]] const Stub* stub(std::uint32_t interaction, std::uint32_t member) const noexcept {
    if (interaction >= interactions.size()) return nullptr;
    const auto& stubs = interactions[interaction].stubs;
    return member < stubs.size() && stubs[member].channel != nullptr ? &stubs[member] : nullptr;
  }
  /// The members that an interaction of this party reaches.
  [[nodiscard]] std::vector<std::uint32_t> receivers(std::uint32_t interaction) const;
  [[nodiscard]] Arrivals::Sender* sender(Place place) const noexcept {
    return place.role < senders.size() && place.member < senders[place.role].size()
               ? senders[place.role][place.member]
               : nullptr;
  }
  /// Null where there is none.
  [[nodiscard]] OutChannelPtr channel_to(Place place) const;
  [[nodiscard]] OutChannelPtr keep(const OutChannel& channel) const;
};

class PlanSlot {
 public:
  [[nodiscard]] const Plan& now() const noexcept { return *plan_.load(std::memory_order_acquire); }
  void put(std::unique_ptr<Plan> plan);
  /// The end of the party: no channel leads to a partner of this capsule any more. No message is on
  /// its way.
  void disconnect_peers() noexcept;

 private:
  std::atomic<const Plan*> plan_{nullptr};
  std::mutex mutex_;  ///< for moments: the two below
  std::unique_ptr<Plan> kept_;
  std::vector<OutChannelPtr> earlier_;  ///< of plans before: calls in flight still end on them
};

}  // namespace hector::party
