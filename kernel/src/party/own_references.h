// What: OwnReferences, how this capsule and its Offers are named from anywhere.
// Why: a reference is put together at one place, with the profiles of the protocols that listen
// now.
// Who: targets, the coordinator, publication; whatever hands out a reference of this capsule.
#pragma once

#include <string>
#include <vector>

#include "channel/protocol_table.h"
#include "objects/offer_table.h"

namespace hector {

/// Any thread.
class OwnReferences {
 public:
  OwnReferences(std::string capsule, std::uint64_t capsule_id, const ProtocolTable& protocols)
      : capsule_(std::move(capsule)), capsule_id_(capsule_id), protocols_(protocols) {}

  [[nodiscard]] Reference of(const Offer& offer) const {
    return {offer.id,          offer.object,          capsule_,
            capsule_id_,       offer.interface->id(), offer.interface->identity(),
            offer.principal(), protocols_.profiles()};
  }
  /// An Object of this capsule by its name alone: its Offer and Interface are found where it is
  /// called.
  [[nodiscard]] Reference of_object(const std::string& object) const {
    Reference reference;
    reference.object = object;
    reference.capsule = capsule_;
    reference.capsule_id = capsule_id_;
    reference.profiles = protocols_.profiles();
    return reference;
  }
  [[nodiscard]] bool is_own(const Reference& reference) const {
    return reference.capsule_id == capsule_id_;
  }
  /// Whether another capsule can reach this one at all.
  [[nodiscard]] bool is_reached() const { return !protocols_.profiles().empty(); }
  [[nodiscard]] const std::string& capsule() const { return capsule_; }
  [[nodiscard]] std::uint64_t capsule_id() const { return capsule_id_; }

 private:
  const std::string capsule_;
  const std::uint64_t capsule_id_;
  const ProtocolTable& protocols_;
};

}  // namespace hector
