// What: PartyFinder, how parties of a Binding are found, judged and given their channels.
// Why: the pipeline makes a Binding with it, and a Binding that runs is changed with it, by the
// same rules.
// Who: the pipeline, BindingController.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "binding/binding_rights.h"
#include "binding/coordinators.h"
#include "binding/formation.h"
#include "channel/protocol_choice.h"
#include "hector/management/v1/management.pb.h"
#include "party/core.h"
#include "services/service_clients.h"

namespace hector {

/// For one making or one change of a Binding: it remembers the protocols and coordinators it began
/// with. One thread, that may block.
class PartyFinder {
 public:
  PartyFinder(Core& core, const Services& services)
      : core_(core),
        services_(services),
        known_(core.protocols.all_capabilities()),
        coordinators_(core) {}

  /// A name, a reference, or an Object here, with its Offer.
  Result<Reference> find(const std::string& who);
  struct Traded {
    std::optional<Candidate> chosen;
    std::vector<std::string> refused;  ///< those that were looked at, and why not
  };
  /// The first that conforms, in the Trader's order, that is none of `not_these` (Offers).
  Result<Traded> trade(const Formation& formation, RoleIndex role,
                       const std::vector<std::uint64_t>& not_these);
  /// Fetches its Interface where it is not known.
  Status know(Candidate& candidate);
  /// Why it cannot play the role; no reasons: it can.
  Result<Conformance> judge(const Formation& formation, RoleIndex role, const Candidate& candidate);
  /// Why its principal may not; none: it may.
  [[nodiscard]] std::optional<std::string> authorise(const Formation& formation, RoleIndex role,
                                                     const Candidate& candidate) const;
  /// The rights that Policy does not give the parties; none where rights are not asked.
  [[nodiscard]] std::vector<MissingRight> missing_rights(
      const Formation& formation, const std::string& initiator,
      std::optional<Place> only = std::nullopt) const;
  /// All of it for one party that comes later: an error names what failed.
  Status admit(const Formation& formation, RoleIndex role, Candidate& candidate);
  /// FAILED_PRECONDITION with the prices that are more than the type allows. Parties whose Offer
  /// says no cost are free.
  Status check_prices(const Formation& formation);
  /// The protocol for calls from a party to one of a role.
  struct Ends {
    const Reference& from;
    RoleIndex from_role;
    const Reference& to;
    RoleIndex to_role;
  };
  [[nodiscard]] Result<ProtocolChoice> choose(const Formation& formation, const Ends& ends) const;
  /// What its capsule is told, with a channel to each partner. UNAVAILABLE says which channels have
  /// no protocol.
  [[nodiscard]] Result<kernel::v1::PreparePart> part_of(const Formation& formation,
                                                        Place place) const;
  /// "$attendees" and "$attendee" stand for the number of members of role attendee.
  [[nodiscard]] static std::string with_counts(const Formation& formation, std::string text);
  /// What people are shown of it. `refused`: by role.
  [[nodiscard]] management::v1::BindReply describe(
      const Formation& formation, const std::vector<std::vector<std::string>>& refused,
      const std::vector<kernel::v1::PreparePart>& parts) const;

  Coordinators& coordinators() { return coordinators_; }
  [[nodiscard]] bool has_trader() const { return services_.trading != nullptr; }

 private:
  /// Why this offer is not taken; none: it is.
  std::optional<std::string> why_not(const Formation& formation, RoleIndex role,
                                     Candidate& candidate);
  /// Protocols that do not do what the interactions between two roles require, and why.
  [[nodiscard]] std::map<std::string, std::string> unfit(const Formation& formation, RoleIndex from,
                                                         RoleIndex to) const;
  [[nodiscard]] double cost_of(const Reference& reference) const;
  [[nodiscard]] Reference initiator() const;
  void describe_parties(const Formation& formation,
                        const std::vector<std::vector<std::string>>& refused,
                        management::v1::BindReply& reply) const;
  static void describe_channels(const Formation& formation, const kernel::v1::PreparePart& part,
                                management::v1::BindReply& reply);

  Core& core_;
  const Services services_;
  const std::map<std::string, ProtocolCapabilities> known_;  ///< of the protocols here
  Coordinators coordinators_;
};

/// A name, a reference or an Object here, as a reference; its Offer may be unknown.
Result<Reference> resolve_reference(Core& core, const Services& services, std::string_view who);

}  // namespace hector
