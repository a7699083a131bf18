// What: PartySession, one Object's part in one Binding: what the Object sees as its Session, and
// the route of each message from it and to it.
// Why: all that decides about a message is called from one place, and each part of it is a class:
// OutChannel (channel/out_channel.h has the four calls of a message, the rule of the epoch guard,
// and who may free a call), Arrivals, Gate, Phases, Plan, Changes.
// Who: the coordinator makes it; Objects see it as Session; calls from other capsules end in it.
//
// Locking: no mutex of its own. `state_` goes from prepared to active to closed only; messages pass
// within an epoch guard, and close() synchronizes after it has changed the state.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/epoch.h"
#include "party/arrivals.h"
#include "party/changes.h"
#include "party/core.h"
#include "party/gate.h"
#include "party/held_watch.h"
#include "party/identity.h"
#include "party/phases.h"
#include "party/plan.h"
#include "party/plan_builder.h"
#include "party/timers.h"

namespace hector {

struct ChannelState {
  std::string role;
  std::uint32_t member = 0;
  Reference party;
  Profile profile;
  std::string why;
  std::uint64_t sent = 0;
  std::string hides;  ///< its transparencies
  std::optional<MetricsInterceptor::Counts>
      metrics;  ///< where policy puts `metrics` on the channel
};

class PartySession final : public Session,
                           public Recovery,
                           public std::enable_shared_from_this<PartySession> {
 public:
  /// INVALID_ARGUMENT, FAILED_PRECONDITION and NOT_FOUND as PlanBuilder::build().
  static Result<std::shared_ptr<PartySession>> make(Core& core, PartySpec spec, OfferPtr offer);
  ~PartySession() override;

  // Session
  std::shared_ptr<Session> shared() override { return shared_from_this(); }
  std::uint64_t binding() const noexcept override { return self_.binding; }
  const std::string& binding_type() const noexcept override { return self_.type_id; }
  const std::string& role() const noexcept override { return self_.role; }
  std::uint32_t number() const noexcept override { return self_.place.member; }
  Result<std::vector<Member>> members(std::string_view role) const override;
  Result<std::uint32_t> interaction(std::string_view name) const override {
    return self_.interaction_position(name);
  }
  void start(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept override;
  CallTarget& call_target(std::uint32_t interaction, std::uint32_t member) override;
  void start_all(std::uint32_t interaction, const std::vector<Call*>& calls) noexcept override;
  std::size_t receivers(std::uint32_t interaction) const noexcept override;
  Reliability reliability(std::uint32_t interaction) const noexcept override {
    return self_.reliability(interaction);
  }
  const Operation& operation(std::uint32_t interaction) const override;
  Result<std::string> location(std::string_view role, std::uint32_t number) const override;
  Result<std::shared_ptr<CallTarget>> endpoint(std::string_view role,
                                               std::uint32_t number) const override;

  // Recovery: a call over a channel to another capsule failed.
  bool recover(Call& call) noexcept override;

  // --- its life: made and prepared, connected, enlisted, active, closed

  /// Opens every channel (connect stage). UNAVAILABLE names the party and the protocol.
  Status connect();
  /// Messages for it are found by their number from now on.
  void enlist();
  void delist();
  /// Commit: messages pass, the Object is told.
  void activate();
  /// Ends the session: pending messages fail, the Object is told, later ones get UNAVAILABLE.
  /// False: another thread has ended it, or is about to.
  bool close(const std::string& why, Code code = Code::kUnavailable);
  [[nodiscard]] bool is_active() const { return state_.load() == State::kActive; }
  [[nodiscard]] bool is_prepared() const { return state_.load() == State::kPrepared; }

  // --- messages from other capsules: `from` as the session table says

  Status resolve(Call& call, Place from) const;
  void accept(Call& call, Place from) noexcept;

  // --- while it runs

  [[nodiscard]] party::Changes& changes() { return changes_; }
  /// What a change held up continues, in its order.
  void resume() noexcept;
  /// Messages that the order has and that have not left yet.
  [[nodiscard]] std::uint32_t leaving() const { return leaving_.load(); }
  /// What the order has already and that waits to be sent: interaction and receiver.
  [[nodiscard]] std::vector<types::Symbol> waiting() const { return gate_.stepped(); }

  /// Ends the call of a held message, as Arrivals names it; false: it is not held any more.
  bool refuse_held(std::uint64_t number, Error why);
  /// It stands where this trace leads to from now on; what it holds is refused, `why` ("to the
  /// start") in the error. Only while it is frozen and what was sent has arrived.
  /// FAILED_PRECONDITION: its order does not allow the trace, and nothing has changed.
  Status reset(const std::vector<types::Symbol>& trace, const std::string& why);

  // --- to be looked at

  /// Where it stands and what it holds; not what its Object waits for.
  [[nodiscard]] hector::kernel::v1::PartyLook look() const;
  /// Interaction and receiver of one of its call_target()s; none: it is not one.
  [[nodiscard]] std::optional<types::Symbol> symbol_of_target(const void* target) const;
  /// The interaction from this role that its Object handles by this operation.
  [[nodiscard]] std::optional<std::uint32_t> interaction_of(const void* operation,
                                                            std::uint32_t from_role) const;
  [[nodiscard]] const party::Identity& self() const { return self_; }
  [[nodiscard]] const hector::type::v1::Binding& type() const { return self_.type; }
  [[nodiscard]] std::uint32_t role_number() const { return self_.place.role; }
  [[nodiscard]] std::uint32_t member() const { return self_.place.member; }
  [[nodiscard]] bool is_successor() const { return self_.is_successor; }
  [[nodiscard]] const OfferPtr& offer() const { return offer_; }
  /// Whether there is a channel to this party, and it goes over the protocol where one is named.
  [[nodiscard]] bool uses(Place to, const std::string& protocol) const;
  [[nodiscard]] std::vector<ChannelState> channels() const;
  /// Channels to other capsules, each with its CallTarget: what the connect stage probes.
  [[nodiscard]] std::vector<std::pair<std::string, std::shared_ptr<Channel>>> remote_channels()
      const;
  /// A copy, as these two may change: who made the Binding, and everyone in the other roles.
  [[nodiscard]] Reference initiator() const;
  [[nodiscard]] std::vector<Reference> partners() const;

 private:
  enum class State : std::uint8_t { kPrepared, kActive, kClosed };
  class InteractionTarget;
  class Leaving;

  PartySession(Core& core, PartySpec& spec, OfferPtr offer);
  [[nodiscard]] const party::Plan& plan() const noexcept { return plans_.now(); }

  // --- sending: the four calls of channel/out_channel.h

  enum class Admission : std::uint8_t { kGo, kOverrun, kOutOfOrder };
  enum class Passage : std::uint8_t { kOn, kTaken };  ///< kTaken: the call was given away
  /// The phases and the monitor: where it says kGo, the order has moved on.
  [[nodiscard]] Admission admit(const party::Plan& plan, std::uint32_t interaction,
                                std::uint32_t member) noexcept;
  /// The order has the call: binder and protocol.
  void send(const party::Plan& plan, const Stub& stub, std::uint32_t interaction,
            Call& call) noexcept;
  /// The same, looked up in the present plan.
  void send_again(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept;
  /// The binder's interceptors.
  Passage pass(const party::Plan& plan, const Stub& stub, std::uint32_t interaction,
               Call& call) noexcept;
  void pass_interceptors(const party::Plan& plan, const Stub& stub, std::uint32_t interaction,
                         Call& call) noexcept;
  void start_protocol(OutChannel& out, const Operation& operation, std::uint32_t interaction,
                      Call& call) noexcept;
  /// True: the calls are pending, or too many are and they were refused. A channel: the order has
  /// them.
  bool wait_at_gate(const OutChannel* channel, party::Gate::Pending pending) noexcept;
  void restart(party::Gate::Pending pending) noexcept;
  std::optional<Error> restart_order(const party::Gate::Pending& pending,
                                     std::vector<std::uint32_t>& members) noexcept;
  void restart_one(party::Stage stage, std::uint32_t interaction, std::uint32_t member,
                   Call& call) noexcept;
  /// A call whose channel failed waits for the successor. False: it cannot.
  bool keep_for_successor(OutChannel& out, std::uint32_t interaction, Call& call) noexcept;

  // --- arriving
  [[nodiscard]] std::optional<Error> not_the_sender(const party::Arrivals::Sender* sender,
                                                    const Call& call) const;
  void deliver_ready(party::Arrivals::Sender& sender) noexcept;
  void take(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept;
  void take_in_turn(const party::Plan& plan, Call& call, std::uint32_t interaction,
                    std::uint32_t sender) noexcept;
  /// It is its turn: past the interceptors into the Object.
  void deliver(const party::Plan& plan, Call& call, std::uint32_t interaction,
               std::uint32_t sender) noexcept;
  bool hold_sealed(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept;
  void hold_or_refuse(const party::Plan& plan, Call& call, std::uint32_t interaction,
                      std::uint32_t sender) noexcept;
  void deliver_early() noexcept;

  /// "'booked' of dispatcher 0".
  [[nodiscard]] std::string starter_text(types::Symbol symbol) const;
  [[nodiscard]] std::string held_text(const party::HeldMessage& message) const;
  void report_held(const std::string& why);

  /// Moves on in the order if it allows the symbol now.
  bool step(const party::Plan& plan, types::Symbol symbol) noexcept;
  [[nodiscard]] bool is_overrun(std::uint32_t interaction) const noexcept {
    return phases_.has_counted() && phases_.is_overrun(interaction);
  }
  [[nodiscard]] Error closed_error() const;
  [[nodiscard]] Error overrun_error(std::uint32_t interaction) const;
  [[nodiscard]] Error order_error(const party::Plan& plan, std::uint32_t interaction) const;
  [[nodiscard]] Error refusal(const party::Plan& plan, Admission admission,
                              std::uint32_t interaction) const;
  [[nodiscard]] Error absent_error(const party::Plan& plan, std::uint32_t interaction,
                                   std::uint32_t member) const;
  [[nodiscard]] Hop hop(const party::Plan& plan, std::uint32_t interaction) const;
  /// NOT_FOUND.
  [[nodiscard]] Result<OutChannelPtr> channel_to(std::string_view role, std::uint32_t number) const;
  void suspect(OutChannel& out);
  /// To the Binding's initiator: what was promised and not kept.
  void report_overrun(const types::MandatoryPhase& late);
  void report(const std::string& role, std::uint32_t member, const std::string& dimension,
              const std::string& text);

  Core& core_;
  const OfferPtr offer_;
  const party::Identity self_;
  std::vector<InterceptorList> arriving_interceptors_;  ///< by the sender's role

  std::atomic<State> state_{State::kPrepared};
  std::atomic<bool> is_closing_{false};
  /// Messages that the order has and that leave later: multicasts, and those that interceptors
  /// look at.
  std::atomic<std::uint32_t> leaving_{0};
  Error closed_;  ///< what calls are told after the end; written before `state_`

  party::Timers timers_;
  party::Phases phases_;
  party::Arrivals arrivals_;
  party::HeldWatch held_;
  party::Gate gate_;
  party::PlanBuilder builder_;
  party::PlanSlot plans_;
  party::Changes changes_;
};

}  // namespace hector
