// What: which held messages nothing can free any more.
// Why: see wait_graph.h.
// Who: BindingController.
#include "binding/wait_graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "hector/check.h"

namespace hector {

using hector::kernel::v1::HeldMessage;
using hector::kernel::v1::PartyLook;
using hector::kernel::v1::WaitingCall;

/// A call whose message is held. It is blocked as long as all that it needs comes from parties that
/// are.
struct WaitGraph::Held {
  Place at, from;
  std::uint32_t interaction = 0;
  std::uint64_t number = 0;
  std::uint64_t held_ms = 0;
  struct Need {
    Place starter;
    std::uint32_t interaction = 0;
  };
  std::vector<Need> needs;
  bool is_blocked = true;
};

/// A party's thread waits for a call. It is blocked if the message is held and blocked, or if its
/// receiver is at the call and all that it waits for is blocked.
struct WaitGraph::Wait {
  Place from, to;
  std::uint32_t interaction = 0;
  std::string during;   ///< the operation that the party handles
  std::string handled;  ///< the operation by which the receiver handles the call
  bool is_blocked = true;
};

const type::v1::Interaction& WaitGraph::interaction(std::uint32_t index) const {
  HECTOR_CHECK(index < static_cast<std::uint32_t>(formation_.type().interactions_size()),
               "an interaction of another Binding type");
  return formation_.type().interactions(static_cast<int>(index));
}

/// Who starts an interaction, as a party at the other end, or at this one, sees it.
Place WaitGraph::from(Place at, std::uint32_t index, std::uint32_t member) const {
  const auto role = formation_.find_role(interaction(index).from()).value_or(0);
  return role == at.role ? at : Place{role, member};
}

Place WaitGraph::to(std::uint32_t index, std::uint32_t member) const {
  return {formation_.find_role(interaction(index).to()).value_or(0), member};
}

bool WaitGraph::add(const PartyLook& party) {
  const auto place = formation_.find_place(party.role(), party.member());
  const auto count = static_cast<std::uint32_t>(formation_.type().interactions_size());
  const auto is_known = [&](std::uint32_t symbol) {
    return types::symbol_interaction(symbol) < count;
  };
  if (!place || !formation_.is_place(*place) ||
      !std::all_of(party.way().begin(), party.way().end(), is_known))
    return false;
  for (const auto& each : party.held()) {
    if (each.interaction() >= count || each.sender() > 0xffff ||
        !std::all_of(each.needs().begin(), each.needs().end(), is_known))
      return false;
  }
  for (const auto& each : party.waits()) {
    if (each.interaction() >= count || each.receiver() > 0xffff) return false;
  }
  parties_[*place] = party;
  return true;
}

// --- in words

std::string WaitGraph::sender_text(const PartyLook& party, const HeldMessage& message) const {
  const Place at = formation_.find_place(party.role(), party.member()).value_or(Place{});
  return formation_.text(from(at, message.interaction(), message.sender()));
}

std::string WaitGraph::message_text(const PartyLook& party, const HeldMessage& message) const {
  return fmt::format("'{}' of {}", interaction(message.interaction()).name(),
                     sender_text(party, message));
}

std::string WaitGraph::needs_text(const PartyLook& party, const HeldMessage& message) const {
  const Place at = formation_.find_place(party.role(), party.member()).value_or(Place{});
  std::vector<std::string> needs;
  for (const auto symbol : message.needs()) {
    const auto index = types::symbol_interaction(symbol);
    needs.push_back(fmt::format("'{}' of {}", interaction(index).name(),
                                formation_.text(from(at, index, types::symbol_member(symbol)))));
  }
  return needs.empty() ? "its turn" : fmt::format("{}", fmt::join(needs, " or "));
}

std::string WaitGraph::wait_text(const WaitingCall& wait) const {
  return fmt::format("in '{}' for '{}' at {}", wait.operation(),
                     interaction(wait.interaction()).name(),
                     formation_.text(to(wait.interaction(), wait.receiver())));
}

std::vector<std::string> WaitGraph::lines() const {
  std::vector<std::string> lines;
  for (const auto& [place, party] : parties_) {
    for (const auto& each : party.held())
      lines.push_back(fmt::format("{} waits at {} for {} ({:.1f} s{})", message_text(party, each),
                                  formation_.text(place), needs_text(party, each),
                                  static_cast<double>(each.held_ms()) / 1e3,
                                  each.has_ended() ? "; its call has ended" : ""));
  }
  for (const auto& [place, party] : parties_) {
    for (const auto& each : party.waits())
      lines.push_back(fmt::format("{} waits {}", formation_.text(place), wait_text(each)));
  }
  return lines;
}

// --- what nothing can free

std::vector<WaitGraph::Held> WaitGraph::held() const {
  std::vector<Held> list;
  for (const auto& [place, party] : parties_) {
    for (const auto& each : party.held()) {
      if (each.has_ended() || each.needs().empty()) continue;
      auto& held = list.emplace_back();
      held.at = place;
      held.from = from(place, each.interaction(), each.sender());
      held.interaction = each.interaction();
      held.number = each.number();
      held.held_ms = each.held_ms();
      for (const auto symbol : each.needs()) {
        const auto index = types::symbol_interaction(symbol);
        held.needs.push_back({from(place, index, types::symbol_member(symbol)), index});
      }
    }
  }
  return list;
}

std::vector<WaitGraph::Wait> WaitGraph::waits() const {
  std::vector<Wait> list;
  for (const auto& [place, party] : parties_) {
    for (const auto& each : party.waits()) {
      auto& wait = list.emplace_back();
      wait.from = place;
      wait.to = to(each.interaction(), each.receiver());
      wait.interaction = each.interaction();
      wait.during = each.operation();
      wait.handled = interaction(each.interaction()).operation();
      if (wait.handled.empty()) wait.handled = interaction(each.interaction()).name();
    }
  }
  return list;
}

class WaitGraph::Solver {
 public:
  Solver(const WaitGraph& graph, std::vector<Held> held, std::vector<Wait> waits)
      : graph_(graph), held_(std::move(held)), waits_(std::move(waits)) {
    while (free_some()) {
    }
  }

  std::optional<Cycle> youngest() const {
    const Held* found = nullptr;
    for (const auto& each : held_) {
      if (!each.is_blocked || !comes_back(each)) continue;
      if (found == nullptr || each.held_ms < found->held_ms) found = &each;
    }
    if (found == nullptr) return std::nullopt;
    return Cycle{found->at, found->number, chain(*found)};
  }

 private:
  /// The greatest set of what is blocked is what is left when nothing can be freed any more.
  bool free_some() {
    bool is_any = false;
    for (auto& each : held_) {
      const bool is_blocked =
          std::all_of(each.needs.begin(), each.needs.end(),
                      [&](const Held::Need& need) { return is_stuck(need.starter); });
      is_any = std::exchange(each.is_blocked, each.is_blocked && is_blocked) != each.is_blocked ||
               is_any;
    }
    for (auto& each : waits_)
      is_any =
          std::exchange(each.is_blocked, each.is_blocked && is_blocked(each)) != each.is_blocked ||
          is_any;
    return is_any;
  }
  bool is_stuck(Place place) const {
    bool is_any = false;
    for (const auto& each : waits_) {
      if (each.from != place) continue;
      if (!each.is_blocked) return false;
      is_any = true;
    }
    return is_any;
  }
  const Held* held_by(const Wait& wait) const {
    const auto found = std::find_if(held_.begin(), held_.end(), [&](const Held& each) {
      return each.at == wait.to && each.from == wait.from && each.interaction == wait.interaction;
    });
    return found == held_.end() ? nullptr : &*found;
  }
  bool is_blocked(const Wait& wait) const {
    if (const Held* const held = held_by(wait)) return held->is_blocked;
    return std::any_of(waits_.begin(), waits_.end(), [&](const Wait& each) {
      return each.from == wait.to && each.during == wait.handled && each.is_blocked;
    });
  }
  /// The held messages that what a held one needs waits for.
  bool reaches(const Held& from, const Held& goal, std::set<const void*>& seen) const {
    return std::any_of(from.needs.begin(), from.needs.end(),
                       [&](const Held::Need& need) { return reaches(need.starter, goal, seen); });
  }
  bool reaches(Place from, const Held& goal, std::set<const void*>& seen) const {
    return std::any_of(waits_.begin(), waits_.end(), [&](const Wait& each) {
      if (each.from != from || !each.is_blocked || !seen.insert(&each).second) return false;
      const Held* const held = held_by(each);
      if (held == &goal) return true;
      return held != nullptr ? reaches(*held, goal, seen) : reaches(each.to, goal, seen);
    });
  }
  bool comes_back(const Held& held) const {
    std::set<const void*> seen;
    return reaches(held, held, seen);
  }

  const std::string& name(std::uint32_t interaction) const {
    return graph_.interaction(interaction).name();
  }
  std::string text(Place place) const { return graph_.formation_.text(place); }
  std::string text(const Held& held, const Held::Need& need) const {
    return fmt::format("{} holds '{}' of {} until '{}' of {}", text(held.at),
                       name(held.interaction), text(held.from), name(need.interaction),
                       text(need.starter));
  }
  /// One way around.
  std::string chain(const Held& held) const {
    std::string chain;
    std::set<const void*> seen;
    static_cast<void>(walk(held, held, seen, chain));
    return chain;
  }
  bool walk(const Held& from, const Held& goal, std::set<const void*>& seen,
            std::string& chain) const {
    for (const auto& need : from.needs) {
      std::string rest = (chain.empty() ? "" : chain + "; ") + text(from, need);
      if (!walk(need.starter, goal, seen, rest)) continue;
      chain = std::move(rest);
      return true;
    }
    return false;
  }
  bool walk(Place from, const Held& goal, std::set<const void*>& seen, std::string& chain) const {
    for (const auto& each : waits_) {
      if (each.from != from || !each.is_blocked || !seen.insert(&each).second) continue;
      const Held* const held = held_by(each);
      std::string rest = fmt::format("{}; {} waits in '{}' for '{}' at {}", chain, text(from),
                                     each.during, name(each.interaction), text(each.to));
      if (held != &goal &&
          !(held != nullptr ? walk(*held, goal, seen, rest) : walk(each.to, goal, seen, rest)))
        continue;
      chain = std::move(rest);
      return true;
    }
    return false;
  }

  const WaitGraph& graph_;
  std::vector<Held> held_;
  std::vector<Wait> waits_;
};

std::optional<WaitGraph::Cycle> WaitGraph::cycle() const {
  return Solver(*this, held(), waits()).youngest();
}

}  // namespace hector
