// What: PlanBuilder, how a party's Plan is made: out of its part in the Binding and the plan before
// it.
// Why: types, policies and interceptors are asked here, once for each plan, and not for messages.
// Who: PartySession, when it is made and for each change of its partners.
//
// Locking: none; one plan is built at a time. What it hands out by pointer (operations, targets)
// lives as long as it does: programs and calls may hold on to it, whatever the plan is.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "channel/interceptors.h"
#include "channel/protocol_choice.h"
#include "objects/offer_table.h"
#include "party/plan.h"
#include "types/registry/repository.h"

namespace hector::party {

class PlanBuilder {
 public:
  static constexpr std::uint32_t kMembersMax = 65'535;  ///< of one role

  /// Everything outlives it.
  struct Options {
    types::Repository& types;
    const Policies& policies;
    const InterceptorTable& interceptors;
    const Clock& clock;
    const std::string& capsule;
    const hector::type::v1::Binding& type;
    Place self;
    const Offer& offer;  ///< the party's
    Arrivals& arrivals;
    /// What programs start an interaction to a member on.
    std::function<std::unique_ptr<CallTarget>(std::uint32_t interaction, std::uint32_t member)>
        make_target;
    /// What was promised on a channel was not kept: of which partner, which dimension, in words.
    std::function<void(const ChannelSpec& partner, const std::string& dimension,
                       const std::string& text)>
        breach;
  };
  explicit PlanBuilder(Options options) : options_(std::move(options)) {}

  /// Channels and senders that `before` has for the same parties are taken over. The monitor is
  /// made where none is given. INVALID_ARGUMENT, FAILED_PRECONDITION for a part that does not fit
  /// the type; RESOURCE_EXHAUSTED over kMembersMax; NOT_FOUND for an interceptor nobody knows.
  Result<std::unique_ptr<Plan>> build(const PartySpec& spec, const Plan* before,
                                      std::shared_ptr<types::Monitor> monitor);
  /// The list that policy puts on channels with a role.
  [[nodiscard]] Result<InterceptorList> interceptors_for(const std::string& partner) const;

 private:
  Status add_view(Plan& plan) const;
  Status add_channels(Plan& plan, const Plan* before);
  Result<OutChannelPtr> channel(const ChannelSpec& spec, const Plan* before) const;
  Result<OutChannelPtr> new_channel(const ChannelSpec& spec, Place to) const;
  void add_senders(Plan& plan) const;
  Status add_interactions(Plan& plan);
  Result<InteractionPlan> interaction(const Plan& plan, const hector::type::v1::Interaction& model);
  Result<std::vector<Stub>> stubs(const Plan& plan, const hector::type::v1::Interaction& model);
  Result<types::CompiledPtr> compile(const hector::type::v1::Interface& model);
  [[nodiscard]] std::uint32_t position(const std::string& role) const;
  [[nodiscard]] const std::string& role_name() const {
    return options_.type.roles(static_cast<int>(options_.self.role)).name();
  }

  const Options options_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<CallTarget>> targets_;
  std::vector<types::CompiledPtr> interfaces_;
  /// Of the plan that is being built: channels and the Interface at their other end, by place.
  std::map<Place, std::pair<OutChannel*, types::CompiledPtr>> partners_;
};

}  // namespace hector::party
