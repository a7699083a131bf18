#include "types/order/history.h"

#include <algorithm>
#include <set>

#include "hector/check.h"

namespace hector::types {

using hector::type::v1::Binding;

namespace {

/// How many steps, taken back or not, a search may take: some tenths of a second.
constexpr std::size_t kStepsMax = 100'000;

bool is_multicast(const Binding& binding, std::uint32_t interaction) {
  HECTOR_CHECK(interaction < static_cast<std::uint32_t>(binding.interactions_size()),
               "a history of another Binding type");
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

/// A symbol of one party's view as a global one.
Symbol as_global(const Binding& binding, const PartyTrace& party, Symbol seen) {
  const std::uint32_t x = symbol_interaction(seen), other = symbol_member(seen);
  if (role_from(binding, x) == party.role)
    return global_symbol(x, party.member, is_multicast(binding, x) ? 0 : other);
  return global_symbol(x, other, is_multicast(binding, x) ? 0 : party.member);
}

class Search {
 public:
  Search(const Binding& binding, const View& view, const std::vector<PartyTrace>& parties)
      : binding_(binding), view_(view) {
    for (const auto& party : parties) {
      auto& trace = traces_.emplace_back();
      for (const Symbol symbol : party.trace) trace.push_back(as_global(binding, party, symbol));
      parties_.emplace_back(party.role, party.member);
    }
    at_.resize(traces_.size());
  }
  std::optional<std::vector<Symbol>> run() {
    const Regular::Node start = choreography(binding_, view_, language_);
    if (extend(start)) return word_;
    return std::nullopt;
  }
  /// After run(): the longest word that was met, or its longest beginning after which the protocol
  /// may end.
  std::vector<Symbol> longest(Agreement agreement) {
    if (agreement == Agreement::kLast) return longest_;
    Regular::Node node = choreography(binding_, view_, language_);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < longest_.size(); ++i) {
      node = language_.after(node, longest_[i]);
      if (language_.may_end(node)) kept = i + 1;
    }
    return {longest_.begin(), longest_.begin() + static_cast<std::ptrdiff_t>(kept)};
  }

 private:
  /// Whether the symbol is the next in the trace of each party that takes part in it; those
  /// parties, by position.
  bool is_next_of_all(Symbol symbol, std::vector<std::size_t>& participants) const {
    const std::uint32_t x = global_interaction(symbol), from = role_from(binding_, x),
                        to = role_to(binding_, x);
    for (std::size_t p = 0; p < parties_.size(); ++p) {
      const auto [role, member] = parties_[p];
      const bool takes_part =
          (role == from && member == global_from(symbol)) ||
          (role == to && (is_multicast(binding_, x) || member == global_to(symbol)));
      if (!takes_part) continue;
      if (at_[p] >= traces_[p].size() || traces_[p][at_[p]] != symbol) return false;
      participants.push_back(p);
    }
    return true;
  }

  /// Extends word_, now at `node`, until every trace is at its end.
  bool extend(Regular::Node node) {
    if (word_.size() > longest_.size()) longest_ = word_;
    if (std::equal(at_.begin(), at_.end(), traces_.begin(),
                   [](std::size_t at, const auto& trace) { return at == trace.size(); }))
      return true;
    if (++steps_ > kStepsMax || !seen_.insert({node, at_}).second) return false;
    std::set<Symbol> next;
    for (std::size_t p = 0; p < traces_.size(); ++p) {
      if (at_[p] < traces_[p].size()) next.insert(traces_[p][at_[p]]);
    }
    for (const Symbol symbol : next) {
      std::vector<std::size_t> participants;
      if (!is_next_of_all(symbol, participants)) continue;
      const Regular::Node after = language_.after(node, symbol);
      if (after == Regular::kVoid || language_.is_overfull()) continue;
      for (const auto p : participants) ++at_[p];
      HECTOR_CHECK(!participants.empty(), "a step of the search that no party takes");
      word_.push_back(symbol);
      if (extend(after)) return true;
      word_.pop_back();
      for (const auto p : participants) --at_[p];
    }
    return false;
  }

  const Binding& binding_;
  const View& view_;
  Regular language_;
  std::vector<std::vector<Symbol>> traces_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> parties_;
  std::vector<std::size_t> at_;
  std::vector<Symbol> word_;
  std::vector<Symbol> longest_;
  std::set<std::pair<Regular::Node, std::vector<std::size_t>>> seen_;
  std::size_t steps_ = 0;
};

}  // namespace

std::optional<std::vector<Symbol>> common_history(const Binding& binding, const View& view,
                                                  const std::vector<PartyTrace>& parties) {
  return Search(binding, view, parties).run();
}

std::vector<Symbol> agreed_history(const Binding& binding, const View& view,
                                   const std::vector<PartyTrace>& parties, Agreement agreement) {
  Search search(binding, view, parties);
  static_cast<void>(search.run());
  return search.longest(agreement);
}

std::vector<Symbol> seen_by(const Binding& binding, const std::vector<Symbol>& history,
                            std::uint32_t role, std::uint32_t member) {
  std::vector<Symbol> trace;
  for (const Symbol symbol : history) {
    const std::uint32_t x = global_interaction(symbol);
    const bool all = is_multicast(binding, x);
    if (role_from(binding, x) == role && global_from(symbol) == member) {
      trace.push_back(view_symbol(x, all ? 0 : global_to(symbol)));
    } else if (role_to(binding, x) == role && (all || global_to(symbol) == member)) {
      trace.push_back(view_symbol(x, global_from(symbol)));
    }
  }
  return trace;
}

std::vector<Symbol> without(const Binding& binding, const PartyTrace& party, std::uint32_t role,
                            std::uint32_t member) {
  std::vector<Symbol> trace;
  for (const Symbol symbol : party.trace) {
    const std::uint32_t x = symbol_interaction(symbol);
    const bool is_sender = role_from(binding, x) == party.role;
    const bool is_with_it = symbol_member(symbol) == member &&
                            (is_sender ? role_to(binding, x) == role && !is_multicast(binding, x)
                                       : role_from(binding, x) == role);
    if (!is_with_it) trace.push_back(symbol);
  }
  return trace;
}

}  // namespace hector::types
