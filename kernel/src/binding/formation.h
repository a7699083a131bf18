// What: Formation, who plays which place of one Binding; PartyFinder, how parties are found, judged
// and given their channels.
// Why: the pipeline makes a Binding with it, and a Binding that runs is changed with it.
// Who: the pipeline, BindingController.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "binding/coordinator.h"
#include "channel/protocol_choice.h"
#include "hector/management/v1/management.pb.h"
#include "hector/message_calls.h"
#include "party/core.h"
#include "services/service_clients.h"

namespace hector {

struct Candidate {
  Reference reference;
  std::string how;  ///< "given as 'ana'", "traded: capacity >= 3"
  types::CompiledPtr interface;
  std::uint64_t session = 0;
};

/// The parties of one Binding: by role, then by number; nothing where a member left.
struct Formation {
  std::uint64_t id = 0;
  hector::type::v1::Binding type;
  std::vector<std::vector<std::optional<Candidate>>> parties;

  [[nodiscard]] types::View view() const;
  [[nodiscard]] std::size_t members(int role) const;
  [[nodiscard]] std::string role_name(int role) const { return type.roles(role).name(); }
  /// The places whose party is a capsule's Object, in order.
  [[nodiscard]] std::vector<std::pair<int, std::uint32_t>> places() const;
  /// One reference for each capsule that takes part.
  [[nodiscard]] std::vector<Reference> capsules() const;
};

class PartyFinder {
 public:
  PartyFinder(Core& core, const Services& services)
      : core_(core), services_(services), known_(core.protocols.all_capabilities()) {}

  /// A name, a reference, or an Object here, with its Offer. Blocks.
  Result<Reference> find(const std::string& who);
  /// The first that conforms, in the Trader's order, that is none of `not_these` (Offers). Others
  /// that were looked at are told in `refused`.
  Result<std::optional<Candidate>> trade(const Formation& formation, int role,
                                         const std::vector<std::uint64_t>& not_these,
                                         std::vector<std::string>& refused);
  /// Fetches its Interface where it is not known.
  Status know(Candidate& candidate);
  /// Why it cannot play the role; none: it can.
  Result<types::Verdict> judge(const Formation& formation, int role, const Candidate& candidate);
  /// Why its principal may not.
  std::optional<std::string> authorise(const Formation& formation, int role,
                                       const Candidate& candidate) const;
  /// All of it for one party that comes later: an error names what failed.
  Status admit(const Formation& formation, int role, Candidate& candidate);
  Result<ProtocolChoice> choose(const Formation& formation, const Reference& from, int from_role,
                                const Reference& to, int to_role) const;
  /// What its capsule is told, with a channel to each partner. UNAVAILABLE says which channels have
  /// no protocol.
  Result<hector::kernel::v1::PreparePart> part_of(const Formation& formation, int role,
                                                  std::uint32_t member) const;
  /// "$attendees" and "$attendee" stand for the number of members of role attendee.
  [[nodiscard]] std::string with_counts(const Formation& formation, std::string text) const;
  /// What people are shown of it.
  hector::management::v1::BindReply describe(
      const Formation& formation, const std::vector<std::vector<std::string>>& refused,
      const std::vector<hector::kernel::v1::PreparePart>& parts) const;

  template <class Out, class In>
  Result<Out> tell(const Reference& reference, CoordinatorOperation operation, const In& request,
                   Duration within = std::chrono::seconds(10)) {
    auto target = HECTOR_TRY(coordinator(reference));
    return call_and_wait<Out>(*target, *core_.options.clock, kByName,
                              coordinator_operation_name(operation), request,
                              core_.options.clock->now() + within);
  }
  /// Why the prices are more than the type allows; none: they are not. Parties whose Offer says no
  /// cost are free.
  Status check_prices(const Formation& formation);
  [[nodiscard]] bool has_trader() const { return services_.trading != nullptr; }

 private:
  /// Protocols that do not do what the interactions between two roles require, and why.
  std::map<std::string, std::string> unfit(const Formation& formation, const std::string& from,
                                           const std::string& to) const;
  Result<std::shared_ptr<Target>> coordinator(const Reference& reference);

  Core& core_;
  const Services services_;
  const std::map<std::string, ProtocolCapabilities> known_;  ///< of the protocols here
  std::map<std::uint64_t, std::shared_ptr<Target>> coordinators_;
};

/// A name, a reference or an Object here, as a reference; its Offer may be unknown.
Result<Reference> resolve_reference(Core& core, const Services& services, std::string_view who);

std::string id_text(std::uint64_t id);

}  // namespace hector
