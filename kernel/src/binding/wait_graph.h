// What: WaitGraph, who of a Binding's parties waits for whom: calls that Objects' threads wait for,
// and messages that are held until others have come.
// Why: parties that wait for each other in a circle would do so until their deadlines; one of the
// calls has to end, and its error has to name the circle.
// Who: BindingController, for `describe` and whenever a party reports that it holds a message.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "binding/formation.h"

namespace hector {

/// A value, made of the looks of all capsules at nearly the same time. One thread; the Formation
/// outlives it.
class WaitGraph {
 public:
  explicit WaitGraph(const Formation& formation) : formation_(formation) {}

  /// False: it speaks of places or interactions that this Binding has not, and nothing is added.
  /// What another capsule says is not trusted.
  bool add(const kernel::v1::PartyLook& party);
  /// A line each: held messages first.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// "'booked' of dispatcher 0 or 'refused' of dispatcher 0".
  [[nodiscard]] std::string needs_text(const kernel::v1::PartyLook& party,
                                       const kernel::v1::HeldMessage& message) const;
  /// "courier 0".
  [[nodiscard]] std::string sender_text(const kernel::v1::PartyLook& party,
                                        const kernel::v1::HeldMessage& message) const;
  /// "'arrived' of courier 0".
  [[nodiscard]] std::string message_text(const kernel::v1::PartyLook& party,
                                         const kernel::v1::HeldMessage& message) const;
  /// "in 'assign' for 'arrived' at customer 0".
  [[nodiscard]] std::string wait_text(const kernel::v1::WaitingCall& wait) const;

  /// The held message that waits, by whatever way, for what only its own sender's waiting keeps
  /// from coming; of several the one that came last.
  struct Cycle {
    Place at;
    std::uint64_t number = 0;
    std::string chain;  ///< who waits for whom, around
  };
  [[nodiscard]] std::optional<Cycle> cycle() const;

 private:
  struct Held;
  struct Wait;
  class Solver;
  [[nodiscard]] const hector::type::v1::Interaction& interaction(std::uint32_t index) const;
  [[nodiscard]] Place from(Place at, std::uint32_t interaction, std::uint32_t member) const;
  [[nodiscard]] Place to(std::uint32_t interaction, std::uint32_t member) const;
  [[nodiscard]] std::vector<Held> held() const;
  [[nodiscard]] std::vector<Wait> waits() const;

  const Formation& formation_;
  std::map<Place, kernel::v1::PartyLook> parties_;
};

}  // namespace hector
