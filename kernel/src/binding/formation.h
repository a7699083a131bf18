// What: Formation, the parties of one Binding by place: what is there, what is asked of it.
// Why: a change of a Binding is made on a copy, judged, and put in the place of the present one.
// Who: the pipeline makes one; PartyFinder and BindingController work on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hector/id.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "hector/reference.h"
#include "types/check/binding_check.h"
#include "types/model/compiled_interface.h"
#include "types/order/projection.h"

namespace hector {

using RoleIndex = std::uint32_t;    ///< a role's position in its Binding type
using MemberIndex = std::uint32_t;  ///< a member's number; one that left leaves it to the next

struct Candidate {
  Reference reference;
  std::string how;  ///< "given as 'ana'", "traded: capacity >= 3"
  types::CompiledPtr interface;
  std::uint64_t session = 0;
};

/// A value; a place must be one of this Formation's.
class Formation {
 public:
  using Members = std::vector<std::optional<Candidate>>;  ///< by number; nothing where one left

  Formation() = default;
  explicit Formation(hector::type::v1::Binding type);

  std::uint64_t id = 0;
  [[nodiscard]] const hector::type::v1::Binding& type() const { return type_; }

  // --- roles
  [[nodiscard]] std::vector<RoleIndex> roles() const;
  [[nodiscard]] const hector::type::v1::Role& role(RoleIndex role) const;
  [[nodiscard]] const std::string& name(RoleIndex role) const { return this->role(role).name(); }
  /// None if the type has no such role.
  [[nodiscard]] std::optional<RoleIndex> find_role(const std::string& name) const;
  /// INVALID_ARGUMENT with the roles there are.
  [[nodiscard]] Result<RoleIndex> role_of(const std::string& name) const;
  [[nodiscard]] const Members& members(RoleIndex role) const;
  /// Members that are there.
  [[nodiscard]] std::size_t count(RoleIndex role) const;
  /// How many there may be; none: any number.
  [[nodiscard]] std::optional<std::size_t> count_max(RoleIndex role) const;

  // --- places
  /// A number that was given to a member, whether one is there now or not.
  [[nodiscard]] bool is_place(Place place) const;
  /// Null where nobody is, or there is no such place.
  [[nodiscard]] const Candidate* find(Place place) const;
  [[nodiscard]] const Candidate& at(Place place) const;
  [[nodiscard]] Candidate& at(Place place);
  /// By the names and numbers of the wire; none: the type has no such role.
  [[nodiscard]] std::optional<Place> find_place(const std::string& role,
                                                std::uint32_t member) const;
  /// Of a member that is there. INVALID_ARGUMENT: no such role; NOT_FOUND with the members there
  /// are.
  [[nodiscard]] Result<Place> place_of(const std::string& role, std::uint32_t member) const;
  /// The places whose party is a capsule's Object, in order.
  [[nodiscard]] std::vector<Place> places() const;
  /// One reference for each capsule that takes part.
  [[nodiscard]] std::vector<Reference> capsules() const;

  /// In the first number that nobody has.
  Place add(RoleIndex role, Candidate party);
  void put(Place place, Candidate party);
  void remove(Place place);

  // --- as others see it
  [[nodiscard]] types::View view() const;
  /// "attendee 2"
  [[nodiscard]] std::string text(Place place) const;
  [[nodiscard]] kernel::v1::Place to_wire(Place place) const;

 private:
  Members& members_of(RoleIndex role);

  hector::type::v1::Binding type_;
  std::vector<Members> parties_;  ///< by role
};

/// As people see a Binding's or an Offer's: 16 hex digits.
std::string id_text(std::uint64_t id);

}  // namespace hector
