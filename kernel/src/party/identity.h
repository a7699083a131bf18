// What: Identity, which party of which Binding; and the errors that name it.
// Why: a refusal says what was tried, by whom and what is allowed: its words stand here once.
// Who: PartySession and its parts.
//
// Locking: none; it never changes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hector/capsule.h"
#include "hector/id.h"
#include "hector/type/v1/type.pb.h"

namespace hector::party {

struct Identity {
  std::uint64_t binding = 0;
  SessionId session{};
  hector::type::v1::Binding type;
  std::string type_id;
  std::string role;
  Place place;
  bool is_successor = false;
  std::string object;  ///< the Offer's, that plays the role

  /// "role 'host' of meeting.Schedule/1".
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] const std::string& role_name(std::uint32_t role) const;
  [[nodiscard]] const std::string& interaction_name(std::uint32_t interaction) const;
  /// NOT_FOUND names the roles there are.
  [[nodiscard]] Result<std::uint32_t> role_position(std::string_view name) const;
  /// Of those this party starts. NOT_FOUND names them.
  [[nodiscard]] Result<std::uint32_t> interaction_position(std::string_view name) const;
  [[nodiscard]] Reliability reliability(std::uint32_t interaction) const noexcept;
  /// Whether the type has a lost party of this role traded again.
  [[nodiscard]] bool is_retraded(std::uint32_t role) const;

  [[nodiscard]] Error closed() const;
  [[nodiscard]] Error closed(Code code, const std::string& why) const;
  [[nodiscard]] Error out_of_order(std::uint32_t interaction, const std::string& allowed) const;
  [[nodiscard]] Error overrun(std::uint32_t interaction, std::uint64_t time_ms) const;
  /// The member has left.
  [[nodiscard]] Error absent(std::uint32_t interaction, std::uint32_t member) const;
  [[nodiscard]] Error outcome_unknown(std::uint32_t interaction, const std::string& object,
                                      const std::string& cause) const;
};

}  // namespace hector::party
