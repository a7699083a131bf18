#include "types/order/history.h"

#include <algorithm>
#include <set>

namespace hector::types {

using hector::type::v1::Binding;

namespace {

/// How many steps, right and wrong ones, a search may take.
constexpr std::size_t kStepsMax = 100'000;

bool is_multicast(const Binding& binding, std::uint32_t interaction) {
  return binding.interactions(static_cast<int>(interaction)).kind() ==
         hector::type::v1::KIND_MULTICAST;
}
std::uint32_t role_from(const Binding& binding, std::uint32_t interaction) {
  return static_cast<std::uint32_t>(
      role_position(binding, binding.interactions(static_cast<int>(interaction)).from()));
}
std::uint32_t role_to(const Binding& binding, std::uint32_t interaction) {
  return static_cast<std::uint32_t>(
      role_position(binding, binding.interactions(static_cast<int>(interaction)).to()));
}

/// One party's symbol as everybody's.
Symbol as_global(const Binding& binding, const PartyWay& party, Symbol seen) {
  const std::uint32_t x = symbol_interaction(seen), other = symbol_member(seen);
  if (role_from(binding, x) == party.role)
    return global_symbol(x, party.member, is_multicast(binding, x) ? 0 : other);
  return global_symbol(x, other, is_multicast(binding, x) ? 0 : party.member);
}

class Search {
 public:
  Search(const Binding& binding, const View& view, const std::vector<PartyWay>& parties)
      : binding_(binding), view_(view) {
    for (const auto& party : parties) {
      auto& way = ways_.emplace_back();
      for (const Symbol symbol : party.way) way.push_back(as_global(binding, party, symbol));
      places_.emplace_back(party.role, party.member);
    }
    at_.resize(ways_.size());
  }
  std::optional<std::vector<Symbol>> run() {
    const Regular::Node start = choreography(binding_, view_, language_);
    if (go(start)) return word_;
    return std::nullopt;
  }

 private:
  /// The parties that take part, by their place in ways_; empty if one of them does not see it
  /// next.
  bool all_see_it_next(Symbol symbol, std::vector<std::size_t>& who) const {
    const std::uint32_t x = global_interaction(symbol), from = role_from(binding_, x),
                        to = role_to(binding_, x);
    for (std::size_t p = 0; p < places_.size(); ++p) {
      const auto [role, member] = places_[p];
      const bool takes_part =
          (role == from && member == global_from(symbol)) ||
          (role == to && (is_multicast(binding_, x) || member == global_to(symbol)));
      if (!takes_part) continue;
      if (at_[p] >= ways_[p].size() || ways_[p][at_[p]] != symbol) return false;
      who.push_back(p);
    }
    return true;
  }

  bool go(Regular::Node node) {
    if (std::equal(at_.begin(), at_.end(), ways_.begin(),
                   [](std::size_t at, const auto& way) { return at == way.size(); }))
      return true;
    if (++steps_ > kStepsMax || !seen_.insert({node, at_}).second) return false;
    std::set<Symbol> next;
    for (std::size_t p = 0; p < ways_.size(); ++p) {
      if (at_[p] < ways_[p].size()) next.insert(ways_[p][at_[p]]);
    }
    for (const Symbol symbol : next) {
      std::vector<std::size_t> who;
      if (!all_see_it_next(symbol, who)) continue;
      const Regular::Node after = language_.after(node, symbol);
      if (after == Regular::kVoid || language_.is_overfull()) continue;
      for (const auto p : who) ++at_[p];
      word_.push_back(symbol);
      if (go(after)) return true;
      word_.pop_back();
      for (const auto p : who) --at_[p];
    }
    return false;
  }

  const Binding& binding_;
  const View& view_;
  Regular language_;
  std::vector<std::vector<Symbol>> ways_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> places_;
  std::vector<std::size_t> at_;
  std::vector<Symbol> word_;
  std::set<std::pair<Regular::Node, std::vector<std::size_t>>> seen_;
  std::size_t steps_ = 0;
};

}  // namespace

std::optional<std::vector<Symbol>> common_history(const Binding& binding, const View& view,
                                                  const std::vector<PartyWay>& parties) {
  return Search(binding, view, parties).run();
}

std::vector<Symbol> seen_by(const Binding& binding, const std::vector<Symbol>& history,
                            std::uint32_t role, std::uint32_t member) {
  std::vector<Symbol> way;
  for (const Symbol symbol : history) {
    const std::uint32_t x = global_interaction(symbol);
    const bool all = is_multicast(binding, x);
    if (role_from(binding, x) == role && global_from(symbol) == member) {
      way.push_back(view_symbol(x, all ? 0 : global_to(symbol)));
    } else if (role_to(binding, x) == role && (all || global_to(symbol) == member)) {
      way.push_back(view_symbol(x, global_from(symbol)));
    }
  }
  return way;
}

std::vector<Symbol> without(const Binding& binding, const PartyWay& party, std::uint32_t role,
                            std::uint32_t member) {
  std::vector<Symbol> way;
  for (const Symbol symbol : party.way) {
    const std::uint32_t x = symbol_interaction(symbol);
    const bool is_sender = role_from(binding, x) == party.role;
    const bool is_with_it = symbol_member(symbol) == member &&
                            (is_sender ? role_to(binding, x) == role && !is_multicast(binding, x)
                                       : role_from(binding, x) == role);
    if (!is_with_it) way.push_back(symbol);
  }
  return way;
}

}  // namespace hector::types
