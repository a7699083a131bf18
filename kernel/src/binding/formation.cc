#include "binding/formation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hector/check.h"

namespace hector {

std::string id_text(std::uint64_t id) { return fmt::format("{:016x}", id); }

Formation::Formation(hector::type::v1::Binding type)
    : type_(std::move(type)), parties_(static_cast<std::size_t>(type_.roles_size())) {}

// --- roles
// ----------------------------------------------------------------------------------------------

std::vector<RoleIndex> Formation::roles() const {
  std::vector<RoleIndex> list;
  for (std::uint32_t r = 0; r < parties_.size(); ++r) list.emplace_back(r);
  return list;
}

const hector::type::v1::Role& Formation::role(RoleIndex role) const {
  HECTOR_CHECK(role < parties_.size(), "a role of another Binding type is asked for");
  return type_.roles(static_cast<int>(role));
}

std::optional<RoleIndex> Formation::find_role(const std::string& name) const {
  const int position = types::role_position(type_, name);
  if (position < 0) return std::nullopt;
  return RoleIndex(static_cast<std::uint32_t>(position));
}

Result<RoleIndex> Formation::role_of(const std::string& name) const {
  if (const auto role = find_role(name)) return *role;
  std::vector<std::string> names;
  for (const auto& each : type_.roles()) names.push_back(each.name());
  return fail(Error::invalid_argument(fmt::format("there is no role '{}' in {}; roles are {}", name,
                                                  type_.name(), fmt::join(names, ", "))));
}

const Formation::Members& Formation::members(RoleIndex role) const {
  HECTOR_CHECK(role < parties_.size(), "a role of another Binding type is asked for");
  return parties_[role];
}

Formation::Members& Formation::members_of(RoleIndex role) {
  HECTOR_CHECK(role < parties_.size(), "a role of another Binding type is changed");
  return parties_[role];
}

std::size_t Formation::count(RoleIndex role) const {
  const auto& all = members(role);
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const auto& each) { return each.has_value(); }));
}

std::optional<std::size_t> Formation::count_max(RoleIndex role) const {
  const auto max = this->role(role).members_max();
  if (max < 0) return std::nullopt;
  return static_cast<std::size_t>(max);
}

// --- places
// ----------------------------------------------------------------------------------------------

bool Formation::is_place(Place place) const {
  return place.role < parties_.size() && place.member < parties_[place.role].size();
}

const Candidate* Formation::find(Place place) const {
  if (!is_place(place)) return nullptr;
  const auto& party = parties_[place.role][place.member];
  return party ? &*party : nullptr;
}

const Candidate& Formation::at(Place place) const {
  const Candidate* const party = find(place);
  HECTOR_CHECK(party != nullptr, "a place of a Binding is asked for where nobody is");
  return *party;
}

Candidate& Formation::at(Place place) {
  return const_cast<Candidate&>(static_cast<const Formation&>(*this).at(place));
}

std::optional<Place> Formation::find_place(const std::string& role, std::uint32_t member) const {
  const auto known = find_role(role);
  if (!known) return std::nullopt;
  return Place{*known, MemberIndex(member)};
}

Result<Place> Formation::place_of(const std::string& role, std::uint32_t member) const {
  const auto index = HECTOR_TRY(role_of(role));
  const Place place{index, MemberIndex(member)};
  if (find(place) != nullptr) return place;
  std::vector<std::string> known;
  const auto& all = members(place.role);
  for (std::size_t m = 0; m < all.size(); ++m) {
    if (all[m]) known.push_back(fmt::format("{} ({})", m, all[m]->reference.object));
  }
  return fail(Error::not_found(
      fmt::format("role '{}' has no member {}; it has {}", role, member,
                  known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", ")))));
}

std::vector<Place> Formation::places() const {
  std::vector<Place> list;
  for (std::uint32_t r = 0; r < parties_.size(); ++r) {
    for (std::uint32_t m = 0; m < parties_[r].size(); ++m) {
      const auto& party = parties_[r][m];
      if (party && !party->reference.is_foreign()) list.push_back({RoleIndex(r), MemberIndex(m)});
    }
  }
  return list;
}

std::vector<Reference> Formation::capsules() const {
  std::vector<Reference> list;
  std::set<std::uint64_t> seen;
  for (const Place place : places()) {
    const auto& reference = at(place).reference;
    if (seen.insert(reference.capsule_id).second) list.push_back(reference);
  }
  return list;
}

Place Formation::add(RoleIndex role, Candidate party) {
  auto& all = members_of(role);
  const auto free = std::find(all.begin(), all.end(), std::nullopt);
  const auto number = static_cast<std::uint32_t>(free - all.begin());
  if (free == all.end()) all.emplace_back();
  all[number] = std::move(party);
  return {role, MemberIndex(number)};
}

void Formation::put(Place place, Candidate party) {
  HECTOR_CHECK(is_place(place), "a party is put where no member ever was");
  members_of(place.role)[place.member] = std::move(party);
}

void Formation::remove(Place place) {
  HECTOR_CHECK(find(place) != nullptr, "a party leaves that is not there");
  members_of(place.role)[place.member].reset();
}

// --- as others see it
// ----------------------------------------------------------------------------------------------

types::View Formation::view() const {
  types::View view;
  for (const auto& members : parties_) {
    view.members.push_back(static_cast<std::uint32_t>(members.size()));
    auto& absent = view.absent.emplace_back();
    for (std::uint32_t m = 0; m < members.size(); ++m) {
      if (!members[m]) absent.push_back(m);
    }
  }
  return view;
}

std::string Formation::text(Place place) const {
  return fmt::format("{} {}", name(place.role), place.member);
}

kernel::v1::Place Formation::to_wire(Place place) const {
  kernel::v1::Place wire;
  wire.set_binding(id);
  wire.set_role(name(place.role));
  wire.set_member(place.member);
  return wire;
}

}  // namespace hector
