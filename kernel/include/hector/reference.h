// What: Reference, how an Offer is named from anywhere: its type and one profile for each protocol
// that reaches it.
// Why: an interface reference is not an address (RM-ODP 8.2.2); one reference serves several
// protocols.
// Who: naming, trading, bindings, the command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"

namespace hector {

struct Profile {
  std::string protocol;
  std::string address;  ///< opaque to all but the protocol
  bool operator==(const Profile&) const = default;
};

struct Reference {
  std::uint64_t offer = 0;
  std::string object;   ///< the Object's name in its capsule
  std::string capsule;  ///< the capsule's name
  std::uint64_t capsule_id = 0;
  std::string interface_id;  ///< "diary.Calendar/1"
  std::string identity;      ///< the Interface's SHA-256
  std::string principal;
  std::vector<Profile> profiles;

  /// The Interface's name without its major version: "diary.Calendar".
  [[nodiscard]] std::string interface_name() const {
    return interface_id.substr(0, interface_id.rfind('/'));
  }
  /// The same capsule, another Object: it is found by its name, whatever its Offer is now. The
  /// identity of its Interface is not known.
  [[nodiscard]] Reference for_object(std::string name, std::string interface) const;

  /// A server that is no capsule: it has one profile, no sessions and no coordinator.
  [[nodiscard]] bool is_foreign() const { return capsule_id == 0 && offer == 0 && object.empty(); }

  /// A serialised hector.kernel.v1.Reference, and back. INVALID_ARGUMENT for anything else.
  [[nodiscard]] std::string serialised() const;
  static Result<Reference> parse(std::string_view serialised);
  /// "hector:" and base64url; fits a command line and a QR code.
  [[nodiscard]] std::string text() const;
  static Result<Reference> from_text(std::string_view text);
};

}  // namespace hector
