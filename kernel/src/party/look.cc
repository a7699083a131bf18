// What: threads' words, read as calls of one Binding.
// Why: see look.h.
// Who: the coordinator.
#include "party/look.h"

#include <algorithm>

#include "call/operation_of.h"
#include "call/thread_activity.h"
#include "party/party_session.h"

namespace hector {

namespace {

struct Level {
  const void* object;
  const void* operation;
  const void* waits_for;
};
using Stack = std::vector<Level>;  ///< of one thread, the outermost first

std::vector<Stack> stacks() {
  std::vector<Stack> all;
  ThreadActivities::each([&](std::uint64_t /*id*/, const ThreadActivity& activity) {
    const std::uint32_t depth = activity.depth();
    if (depth == 0) return;
    Stack& stack = all.emplace_back();
    for (std::uint32_t d = 1; d <= depth; ++d) {
      const auto& level = activity.level(d);
      stack.push_back({level.object.load(std::memory_order_relaxed),
                       level.operation.load(std::memory_order_relaxed),
                       level.waits_for.load(std::memory_order_acquire)});
    }
  });
  return all;
}

/// The thread has entered another party's Object from this one's, by a call of the Binding.
std::optional<types::Symbol> call_into(const Level& inner, const PartySession& from,
                                       const PartyTable::Sessions& sessions) {
  for (const auto& to : sessions) {
    if (to->offer()->host->seen_as() != inner.object || to.get() == &from) continue;
    if (const auto interaction = to->interaction_of(inner.operation, from.role_number()))
      return types::view_symbol(*interaction, to->member());
  }
  return std::nullopt;
}

void add_waits(const Stack& stack, const PartySession& session,
               const PartyTable::Sessions& sessions, kernel::v1::PartyLook& look) {
  for (std::size_t i = 0; i < stack.size(); ++i) {
    if (stack[i].object != session.offer()->host->seen_as()) continue;
    auto symbol = session.symbol_of_target(stack[i].waits_for);
    if (!symbol && stack[i].waits_for == nullptr && i + 1 < stack.size())
      symbol = call_into(stack[i + 1], session, sessions);
    if (!symbol) continue;
    auto& wait = *look.add_waits();
    wait.set_interaction(types::symbol_interaction(*symbol));
    wait.set_receiver(types::symbol_member(*symbol));
    const auto& interface = *session.offer()->interface;
    if (const auto* const operation = operation_at(interface, stack[i].operation))
      wait.set_operation(operation->name);
  }
}

}  // namespace

kernel::v1::Look look_at(const PartyTable::Sessions& sessions) {
  kernel::v1::Look look;
  const auto threads = stacks();
  for (const auto& session : sessions) {
    if (!session->is_active()) continue;
    auto& party = *look.add_parties();
    party = session->look();
    for (const auto& stack : threads) add_waits(stack, *session, sessions, party);
  }
  return look;
}

}  // namespace hector
