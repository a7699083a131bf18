#include "binding/positions.h"

#include <algorithm>

#include "hector/check.h"

namespace hector {

namespace {

Place place_of(const kernel::v1::Count& count) {
  return {RoleIndex(count.role()), MemberIndex(count.member())};
}

std::vector<types::Symbol> symbols(const google::protobuf::RepeatedField<std::uint32_t>& list) {
  return {list.begin(), list.end()};
}

}  // namespace

bool PartyPositions::are_places(const Counts& counts) const {
  return std::all_of(counts.begin(), counts.end(),
                     [&](const auto& count) { return formation_.is_place(place_of(count)); });
}

bool PartyPositions::are_symbols(const google::protobuf::RepeatedField<std::uint32_t>& list) const {
  const auto interactions = static_cast<std::uint32_t>(formation_.type().interactions_size());
  return std::all_of(list.begin(), list.end(), [&](types::Symbol symbol) {
    return types::symbol_interaction(symbol) < interactions;
  });
}

bool PartyPositions::add(const kernel::v1::PartyPosition& party) {
  const auto place = formation_.find_place(party.role(), party.member());
  const auto& position = party.position();
  if (!place || !formation_.is_place(*place) || !are_places(position.sent()) ||
      !are_places(position.received()) || !are_symbols(position.way()) ||
      !are_symbols(party.waiting()))
    return false;
  parties_.push_back({*place, party});
  return true;
}

std::uint64_t PartyPositions::received(Place from, Place to) const {
  for (const auto& party : parties_) {
    if (party.place != to) continue;
    for (const auto& count : party.told.position().received()) {
      if (place_of(count) == from) return count.messages();
    }
  }
  return 0;
}

bool PartyPositions::is_quiescent() const {
  for (const auto& [place, told] : parties_) {
    if (told.leaving() != 0) return false;
    for (const auto& count : told.position().sent()) {
      const Place to = place_of(count);
      const Candidate* const partner = formation_.find(to);
      if (partner == nullptr || partner->reference.is_foreign()) continue;
      if (received(place, to) < count.messages()) return false;
    }
  }
  return true;
}

std::vector<types::PartyTrace> PartyPositions::traces(std::optional<Place> leaving) const {
  std::vector<types::PartyTrace> traces;
  for (const auto& [place, told] : parties_) {
    if (leaving && place == *leaving) continue;
    types::PartyTrace trace{place.role, place.member, symbols(told.position().way())};
    if (leaving)
      trace.trace = types::without(formation_.type(), trace, leaving->role, leaving->member);
    traces.push_back(std::move(trace));
  }
  return traces;
}

std::string PartyPositions::last_interaction(const Formation& formation,
                                             const std::vector<types::PartyTrace>& traces) {
  for (const auto& trace : traces) {
    if (trace.trace.empty()) continue;
    const auto interaction = types::symbol_interaction(trace.trace.back());
    HECTOR_CHECK(interaction < static_cast<std::uint32_t>(formation.type().interactions_size()),
                 "a trace of another Binding type");
    return formation.type().interactions(static_cast<int>(interaction)).name();
  }
  return {};
}

std::vector<types::Symbol> PartyPositions::unsent_to(Place lost) const {
  std::vector<types::Symbol> unsent;
  for (const auto& [place, told] : parties_) {
    for (const types::Symbol symbol : told.waiting()) {
      const auto index = types::symbol_interaction(symbol);
      const auto& interaction = formation_.type().interactions(static_cast<int>(index));
      if (interaction.to() == formation_.name(lost.role) &&
          types::symbol_member(symbol) == lost.member)
        unsent.push_back(types::view_symbol(index, place.member));
    }
  }
  return unsent;
}

std::optional<kernel::v1::Position> PartyPositions::reconstruct(Place lost) const {
  HECTOR_CHECK(formation_.is_place(lost), "a place of another Binding is reconstructed");
  const auto& type = formation_.type();
  const auto history = types::common_history(type, formation_.view(), traces());
  if (!history) return std::nullopt;
  kernel::v1::Position position;
  // What a party sent to the lost one was received by it, and the other way round.
  const auto mirror = [&](const Counts& from, Place partner, Counts& to) {
    for (const auto& count : from) {
      if (place_of(count) != lost) continue;
      auto& added = *to.Add();
      added = count;
      added.set_role(partner.role);
      added.set_member(partner.member);
    }
  };
  for (const auto& [place, told] : parties_) {
    mirror(told.position().sent(), place, *position.mutable_received());
    mirror(told.position().received(), place, *position.mutable_sent());
  }
  auto trace = types::seen_by(type, *history, lost.role, lost.member);
  for (const auto symbol : unsent_to(lost)) {
    const auto last = std::find(trace.rbegin(), trace.rend(), symbol);
    if (last != trace.rend()) trace.erase(std::next(last).base());
  }
  for (const auto symbol : trace) position.add_way(symbol);
  return position;
}

}  // namespace hector
