// What: PartySession, one Object's part in one Binding: its monitor, the channels it opened, what
// arrives for it.
// Why: the order is kept, early messages are held, a channel moves to another protocol or to
// another party, all at one place for each party.
// Who: the coordinator makes it; Objects see it as Session; inbound calls end in it.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/epoch.h"
#include "channel/transparency.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "party/core.h"
#include "types/check/binding_check.h"
#include "types/order/monitor.h"

namespace hector {

/// The id that messages from one member of a role to a session carry.
std::uint64_t channel_id(std::uint64_t session, std::uint32_t role, std::uint32_t member);

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

/// What changes in a Binding that runs, changes in a Plan: a new one is made beside the old one,
/// and put in its place while nobody uses it.
class PartySession final : public Session,
                           public Recovery,
                           public std::enable_shared_from_this<PartySession> {
 public:
  static constexpr std::size_t kHeldMax = 1'024;
  static constexpr std::size_t kParkedMax = 65'536;
  static constexpr std::uint32_t kMembersMax = 65'535;  ///< of one role
  static Result<std::shared_ptr<PartySession>> make(Core& core,
                                                    const hector::kernel::v1::PreparePart& part,
                                                    OfferPtr offer);
  ~PartySession() override;

  // Session
  std::shared_ptr<Session> shared() override { return shared_from_this(); }
  std::uint64_t binding() const noexcept override { return binding_; }
  const std::string& binding_type() const noexcept override { return type_id_; }
  const std::string& role() const noexcept override { return role_name_; }
  std::uint32_t number() const noexcept override { return member_; }
  Result<std::vector<Member>> members(std::string_view role) const override;
  Result<std::uint32_t> interaction(std::string_view name) const override;
  void start(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept override;
  CallTarget& call_target(std::uint32_t interaction, std::uint32_t member) override;
  void start_all(std::uint32_t interaction, const std::vector<Call*>& calls) noexcept override;
  std::size_t receivers(std::uint32_t interaction) const noexcept override;
  Reliability reliability(std::uint32_t interaction) const noexcept override;
  const Operation& operation(std::uint32_t interaction) const override;
  Result<std::string> location(std::string_view role, std::uint32_t number) const override;
  Result<std::shared_ptr<CallTarget>> endpoint(std::string_view role,
                                               std::uint32_t number) const override;

  // Recovery: a call over a channel to another capsule failed.
  bool recover(Call& call) noexcept override;

  /// Opens every channel (connect stage). UNAVAILABLE names the party and the protocol.
  Status connect();
  /// Channels to other capsules, each with its CallTarget: what the connect stage probes.
  std::vector<std::pair<std::string, std::shared_ptr<Channel>>> remote_channels() const;
  /// Messages for it are found by their id from now on.
  void enlist();
  void delist();
  /// Commit: messages flow, the Object is told.
  void activate();
  /// Ends the session: held messages fail, the Object is told, later ones get UNAVAILABLE.
  /// False: another has ended it, or is about to.
  bool close(const std::string& why, Code code = Code::kUnavailable);

  /// From another capsule: `interaction` and the sender as the session table says.
  Status resolve(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) const;
  void accept(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) noexcept;

  /// Whether the channel to this party goes over the protocol; an empty name: whether there is one.
  [[nodiscard]] bool uses(std::uint32_t role, std::uint32_t member,
                          const std::string& protocol) const;
  /// Chooses another profile for a channel, without `exclude`, and `only` this protocol if it is
  /// not empty; moves it unless dry_run.
  Result<std::pair<Profile, std::string>> move_channel(std::uint32_t role, std::uint32_t member,
                                                       const std::string& exclude,
                                                       const std::string& only, bool dry_run);

  // --- while it runs (session_change.cc). One change at a time; each blocks for as long as it
  // says.
  /// Calls to this party wait from now on; what was sent to it so far. Blocks for as long as a
  /// message takes to leave.
  hector::kernel::v1::Count pause(std::uint32_t role, std::uint32_t member);
  /// The calls of its own Object wait; with `seal`, what arrives waits as well.
  void freeze(bool seal);
  /// What waits goes on, in its order.
  void resume() noexcept;
  /// Waits until all of this has arrived, and all of it is answered if `is_answered`.
  /// DEADLINE_EXCEEDED says what is missing.
  Status await(const google::protobuf::RepeatedPtrField<hector::kernel::v1::Count>& expected,
               Duration grace) const;
  /// Waits until its Object has answered all that it was asked, then freezes it.
  Status come_to_rest(Duration grace);
  /// Where it stands; not the Object's state.
  hector::kernel::v1::Position position() const;
  /// Goes on from there; before activate().
  Status take_position(const hector::kernel::v1::Position& position);
  /// Another party plays this member from now on. The channel to it stays paused until resume().
  Status replace(const hector::kernel::v1::Replace& change);
  /// Other parties, and where this one stands in the order they make. Sealed before.
  Status reconfigure(const hector::kernel::v1::PreparePart& part,
                     const std::vector<types::Symbol>& way);
  /// The party at this place is gone without a word: calls under way to it fail now. Where its type
  /// has it traded again, calls that come and those under way that may be done twice wait for the
  /// successor.
  void lose(std::uint32_t role, std::uint32_t member);
  /// Messages that the order has and that have not left yet.
  [[nodiscard]] std::uint32_t leaving() const { return leaving_.load(); }
  /// What the order has already and that waits to be sent: interaction and receiver.
  [[nodiscard]] std::vector<types::Symbol> waiting() const;

  [[nodiscard]] std::vector<ChannelState> channels() const;
  [[nodiscard]] std::uint32_t role_number() const { return role_; }
  [[nodiscard]] std::uint32_t member() const { return member_; }
  /// A copy: it may change.
  [[nodiscard]] hector::kernel::v1::PreparePart part() const;
  [[nodiscard]] const hector::type::v1::Binding& type() const { return type_; }
  [[nodiscard]] const OfferPtr& offer() const { return offer_; }
  [[nodiscard]] bool is_active() const { return state_.load() == State::kActive; }
  [[nodiscard]] bool is_prepared() const { return state_.load() == State::kPrepared; }
  [[nodiscard]] bool is_successor() const { return is_successor_; }

 private:
  enum class State { kPrepared, kActive, kClosed };
  /// Bits of gate_: something does not go straight on.
  static constexpr std::uint32_t kStartsWait = 1, kArrivalsWait = 2, kSomePaused = 4;
  struct OutChannel {
    std::uint32_t role = 0;
    std::uint32_t member = 0;
    Reference party;
    Profile profile;
    std::string why;
    std::uint64_t session = 0;  ///< the receiver's
    std::uint64_t id = 0;       ///< what the receiver knows this sender by
    bool is_local = false;
    std::atomic<Channel*> channel{nullptr};
    std::vector<std::shared_ptr<Channel>>
        kept;  ///< the present one and earlier ones, whose calls still end
    std::atomic<PartySession*> peer{nullptr};  ///< in-process
    std::shared_ptr<PartySession> peer_kept;
    /// Messages carry their position: the protocol keeps no order, or the channel was moved. Set
    /// before `channel`.
    std::atomic<bool> is_sequenced{false};
    std::atomic<std::uint64_t> sequence{0};  ///< of all messages but flows, to other capsules
    std::atomic<std::uint64_t> flows{0};
    std::atomic<std::uint64_t> sent{0};
    std::atomic<bool> is_paused{false};
    std::atomic<bool> is_suspected{false};  ///< the binder was told
    InterceptorList interceptors;
    Transparencies hides;
  };
  using OutChannelPtr = std::shared_ptr<OutChannel>;  ///< one plan's, and the next one's
  /// What came from one member over channels from other capsules.
  struct Sender {
    std::atomic<std::uint64_t> plain{0};  ///< messages without a position that were handed on
    std::atomic<std::uint64_t> flows{0};
    std::atomic<const Peer*> peer{nullptr};  ///< who it is, in this process
  };
  struct InteractionPlan {
    bool is_mine = false;  ///< this party starts it
    bool is_for_me = false;
    bool is_multicast = false;
    std::uint32_t other_role = 0;
    const Operation* own = nullptr;        ///< of this party's Offer, if it handles it
    std::vector<const Operation*> theirs;  ///< by member of the other role; null where nobody is
    std::vector<OutChannel*> channels;     ///< by member; null where nobody is
  };
  class InteractionTarget final : public CallTarget {
   public:
    InteractionTarget(PartySession& session, std::uint32_t interaction, std::uint32_t member)
        : session_(session), interaction_(interaction), member_(member) {}
    void start(Call& call) noexcept override { session_.start(interaction_, member_, call); }

   private:
    PartySession& session_;
    std::uint32_t interaction_, member_;
  };
  struct Plan {
    hector::kernel::v1::PreparePart part;
    types::View view;
    std::vector<InteractionPlan> interactions;
    std::vector<OutChannelPtr> out;
    std::vector<std::vector<Sender*>> senders;  ///< by role and member; none of the own role
    std::vector<std::vector<CallTarget*>> starters;
    std::shared_ptr<types::Monitor> monitor;
  };
  struct Held {
    Call* call;
    std::uint32_t interaction;
    std::uint32_t sender;
  };
  /// How far a call had come when it had to wait: kStepped, the order has it; kPassed, it was past
  /// the interceptors and comes back.
  enum class Stage { kNew, kStepped, kPassed };
  /// A call of the own Object that waits for the Binding to go on.
  struct Parked {
    std::vector<Call*> calls;  ///< several: a multicast
    std::uint32_t interaction = 0;
    std::uint32_t member = 0;
    Stage stage = Stage::kNew;
    TimerId timer = 0;
    std::uint64_t number = 0;
  };
  /// What arrives from one member, in order. A message with a position waits for all before it,
  /// whichever way they come: those without one, over a protocol that keeps order, are counted.
  struct InOrder {
    Sender* sender = nullptr;
    std::uint64_t placed =
        0;  ///< messages with a position that were handed on, and positions given up
    std::map<std::uint64_t, Call*> waiting;
    std::deque<Call*> ready;  ///< in order; one thread at a time hands them on
    bool is_delivering = false;
    TimerId timer = 0;
  };
  /// A timed phase whose time this party counts.
  struct CountedPhase {
    types::TimedPhase phase;
    /// When its time is over; 0 while nothing of it may come.
    std::atomic<TimePoint::rep> until{0};
    /// It was open, and has been left since: what comes of it now is late, not early.
    std::atomic<bool> was_left{false};
  };

  /// A phase that this party may begin and that must be over in time.
  struct WatchedPhase {
    types::MandatoryPhase phase;
    bool is_open = false;
    std::uint64_t opening = 0;  ///< which one
    TimerId timer = 0;
  };

  PartySession(Core& core, const hector::kernel::v1::PreparePart& part, OfferPtr offer);

  // session_plan.cc
  /// A plan for these parties; channels and senders that `before` has for the same parties are
  /// taken over. The monitor is made where none is given.
  Result<std::unique_ptr<Plan>> make_plan(const hector::kernel::v1::PreparePart& part,
                                          const Plan* before,
                                          std::shared_ptr<types::Monitor> monitor);
  Result<OutChannelPtr> plan_channel(const hector::kernel::v1::ChannelPlan& planned,
                                     const Plan* before);
  Status plan_interactions(Plan& plan, const std::vector<types::CompiledPtr>& interfaces);
  void plan_senders(Plan& plan);
  Result<types::CompiledPtr> interface_of(const hector::type::v1::Interface& model);
  Status connect(OutChannel& out);
  void connect_here(OutChannel& out);
  /// Puts the plan in the place of the present one and waits until nobody uses that any more.
  void put(std::unique_ptr<Plan> plan);
  void add_phases();

  // session.cc
  [[nodiscard]] const Plan& plan() const noexcept { return *plan_.load(std::memory_order_acquire); }
  /// One member of another role, as a key.
  static constexpr std::uint64_t order_key(std::uint32_t role, std::uint32_t member) {
    return static_cast<std::uint64_t>(role) << 32 | member;
  }
  /// The channel on which an interaction goes to a member; null where there is none.
  static OutChannel* channel_of(const Plan& plan, std::uint32_t interaction,
                                std::uint32_t member) noexcept;
  /// The members that an interaction of this party reaches.
  static std::vector<std::uint32_t> reached(const Plan& plan, std::uint32_t interaction);
  void send(const Plan& plan, std::uint32_t interaction, std::uint32_t member, Call& call) noexcept;
  /// Past the interceptors onto the channel.
  void pass(const Plan& plan, OutChannel& out, std::uint32_t interaction, Call& call) noexcept;
  void send_on(OutChannel& out, const Operation& operation, std::uint32_t interaction,
               Call& call) noexcept;
  /// The channel to a partner, as it is now. NOT_FOUND.
  [[nodiscard]] Result<OutChannelPtr> channel_to(std::string_view role, std::uint32_t number) const;
  [[nodiscard]] Sender* sender(std::uint32_t role, std::uint32_t member) const noexcept;
  /// One message for this party, from `sender` of the interaction's other role.
  void take(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept;
  /// It is its turn: past the interceptors into the Object.
  void deliver(const Plan& plan, Call& call, std::uint32_t interaction,
               std::uint32_t sender) noexcept;
  void hold_or_refuse(const Plan& plan, Call& call, std::uint32_t interaction,
                      std::uint32_t sender) noexcept;
  void pump_held() noexcept;
  void in_order(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) noexcept;
  void deliver_in_order(std::uint64_t key) noexcept;
  void skip_gap(std::uint64_t key) noexcept;
  /// With the lock held: what has come to its turn goes from waiting to ready.
  void make_ready(InOrder& order) noexcept;
  /// What start() does when the gate is not open; true: the calls wait. With a channel, the order
  /// has them already.
  bool wait_at_gate(const OutChannel* out, std::uint32_t interaction, std::uint32_t member,
                    const std::vector<Call*>& calls) noexcept;
  /// With the lock held.
  void park(const std::vector<Call*>& calls, std::uint32_t interaction, std::uint32_t member,
            Stage stage);
  /// It waited for too long, or is not wanted any more.
  void give_up(std::uint64_t number, Call* call, Error why) noexcept;
  void go_on(Parked parked) noexcept;
  [[nodiscard]] bool is_retraded(std::uint32_t role) const;
  void suspect(OutChannel& out);
  void tell_breach(const std::string& role, std::uint32_t member, const std::string& dimension,
                   const std::string& text);
  bool wait_to_arrive(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept;
  Error closed_error() const;
  Error order_error(const Plan& plan, std::uint32_t interaction) const;
  Error absent_error(const Plan& plan, std::uint32_t interaction, std::uint32_t member) const;
  /// Moves on in the order if it allows the symbol now.
  bool step(const Plan& plan, types::Symbol symbol) noexcept;
  /// After each step of the order: phases that could start now begin, those that are left are
  /// forgotten.
  void mark_phases(const Plan& plan, std::optional<std::uint32_t> stepped) noexcept;
  void watch_phases(const Plan& plan, std::optional<std::uint32_t> stepped);
  void overrun(std::size_t phase, std::uint64_t opening);
  [[nodiscard]] const CountedPhase* phase_of(std::uint32_t interaction) const noexcept;
  [[nodiscard]] bool is_overrun(std::uint32_t interaction) const noexcept;
  Error overrun_error(std::uint32_t interaction) const;
  /// The list that policy puts on channels to a role.
  Result<InterceptorList> interceptors_for(const std::string& partner) const;
  Hop hop(const Plan& plan, std::uint32_t interaction) const;
  [[nodiscard]] std::uint64_t received(std::uint32_t role, std::uint32_t member) const;

  Core& core_;
  const OfferPtr offer_;
  const std::uint64_t binding_;
  const std::uint64_t session_;
  const hector::type::v1::Binding type_;
  const std::string type_id_;
  const std::string role_name_;
  const std::uint32_t member_;
  const bool is_successor_;
  std::uint32_t role_ = 0;
  std::vector<InterceptorList> arrivals_;  ///< by the sender's role
  std::vector<std::unique_ptr<CountedPhase>> phases_;
  std::mutex watched_mutex_;
  std::vector<WatchedPhase> watched_phases_;
  bool has_phases_ = false;  ///< of either kind

  std::atomic<const Plan*> plan_{nullptr};
  std::unique_ptr<Plan> plan_kept_;
  // What calls and programs may still hold on to, whatever the plan is: it grows with each change
  // and goes with the session.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<Sender>> senders_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<InteractionTarget>> starters_;
  std::vector<types::CompiledPtr> interfaces_;
  std::vector<OutChannelPtr> earlier_;
  std::deque<Peer> peers_;

  std::atomic<State> state_{State::kPrepared};
  std::atomic<bool> is_closing_{false};
  Error closed_;  ///< what calls are told after the end; written before `state_`
  std::atomic<std::uint32_t> gate_{0};
  /// Messages that the order has and that leave by and by: multicasts, and what interceptors look
  /// at.
  std::atomic<std::uint32_t> leaving_{0};
  class Leaving {
   public:
    explicit Leaving(PartySession& session) : session_(session.shared_from_this()) {
      session_->leaving_.fetch_add(1);
    }
    ~Leaving() { session_->leaving_.fetch_sub(1); }
    Leaving(const Leaving&) = delete;
    Leaving& operator=(const Leaving&) = delete;

   private:
    const std::shared_ptr<PartySession> session_;
  };
  mutable std::mutex change_mutex_;  ///< one change at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::deque<Held> held_;
  std::atomic<std::size_t> held_count_{0};
  std::map<std::uint64_t, InOrder> arriving_;
  std::atomic<std::size_t> waiting_count_{0};  ///< in all of arriving_
  std::deque<Parked> parked_;
  std::uint64_t parked_ever_ = 0;
  std::deque<Held> sealed_;  ///< what arrived while arrivals wait
};

}  // namespace hector
