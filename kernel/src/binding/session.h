// What: PartySession, one Object's part in one Binding: its monitor, the channels it opened, what arrives for it.
// Why: the order is kept, early messages are held, a channel moves to another protocol, all at one place for each party.
// Who: the coordinator makes it; Objects see it as Session; inbound calls end in it.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "binding/core.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "types/binding_check.h"
#include "types/monitor.h"

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
  std::optional<MetricsInterceptor::Counts> metrics;  ///< where policy puts `metrics` on the channel
};

class PartySession final : public Session, public std::enable_shared_from_this<PartySession> {
 public:
  static constexpr std::size_t kHeldMax = 1'024;
  static Result<std::shared_ptr<PartySession>> make(Core& core, const hector::kernel::v1::PreparePart& part, OfferPtr offer);
  ~PartySession() override;

  // Session
  std::uint64_t binding() const noexcept override { return part_.binding(); }
  const std::string& binding_type() const noexcept override { return type_id_; }
  const std::string& role() const noexcept override { return part_.role(); }
  Result<std::vector<Member>> members(std::string_view role) const override;
  Result<std::uint32_t> interaction(std::string_view name) const override;
  void start(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept override;
  Starter& starter(std::uint32_t interaction, std::uint32_t member) override;
  void start_all(std::uint32_t interaction, const std::vector<Call*>& calls) noexcept override;
  std::size_t receivers(std::uint32_t interaction) const noexcept override { return interaction < plans_.size() ? plans_[interaction].channels.size() : 0; }
  Reliability reliability(std::uint32_t interaction) const noexcept override;
  const Operation& operation(std::uint32_t interaction) const override;

  /// Opens every channel (connect stage). UNAVAILABLE names the party and the protocol.
  Status connect();
  /// Channels to other capsules, each with its Starter: what the connect stage probes.
  std::vector<std::pair<std::string, std::shared_ptr<Channel>>> remote_channels() const;
  /// Commit: messages flow, the Object is told.
  void activate();
  /// Ends the session: held messages fail, the Object is told, later ones get UNAVAILABLE.
  void close(const std::string& why);

  /// From another capsule: `interaction` and the sender as the session table says.
  Status resolve(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) const;
  void accept(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) noexcept;

  /// Whether the channel to this party goes over the protocol.
  [[nodiscard]] bool uses(std::uint32_t role, std::uint32_t member, const std::string& protocol) const;
  /// Chooses another profile for a channel, without `exclude`; moves it unless dry_run.
  Result<std::pair<Profile, std::string>> move_channel(std::uint32_t role, std::uint32_t member, const std::string& exclude, bool dry_run);

  [[nodiscard]] std::vector<ChannelState> channels() const;
  [[nodiscard]] std::uint32_t member() const { return part_.member(); }
  [[nodiscard]] const hector::kernel::v1::PreparePart& part() const { return part_; }
  [[nodiscard]] const OfferPtr& offer() const { return offer_; }
  [[nodiscard]] bool is_active() const { return state_.load() == State::kActive; }
  [[nodiscard]] std::string monitor_allows() { return monitor_->allowed(); }

 private:
  enum class State { kPrepared, kActive, kClosed };
  struct OutChannel {
    std::uint32_t role = 0;
    std::uint32_t member = 0;
    Reference party;
    Profile profile;
    std::string why;
    std::uint64_t id = 0;  ///< what the receiver knows it by
    bool is_local = false;
    std::atomic<Channel*> channel{nullptr};
    std::vector<std::shared_ptr<Channel>> kept;  ///< the present one and earlier ones, whose calls still end
    std::atomic<PartySession*> peer{nullptr};    ///< in-process
    std::shared_ptr<PartySession> peer_kept;
    /// Messages carry their position: the protocol keeps no order, or the channel was moved. Set before `channel`.
    std::atomic<bool> is_sequenced{false};
    std::atomic<std::uint64_t> sequence{0};  ///< of all messages but flows
    std::atomic<std::uint64_t> sent{0};
    InterceptorList interceptors;
  };
  struct InteractionPlan {
    bool is_mine = false;     ///< this party starts it
    bool is_for_me = false;
    bool is_multicast = false;
    std::uint32_t other_role = 0;
    const Operation* own = nullptr;      ///< of this party's Offer, if it handles it
    std::vector<const Operation*> theirs;  ///< by member of the other role
    std::vector<OutChannel*> channels;     ///< by member
  };
  struct Held {
    Call* call;
    std::uint32_t interaction;
    std::uint32_t sender;
  };
  /// What arrives from one member, in order. A message with a position waits for all before it, whichever way they come: those without
  /// one, over a protocol that keeps order, are counted.
  struct InOrder {
    std::uint64_t placed = 0;  ///< messages with a position that were handed on, and positions given up
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
  class InteractionStarter final : public Starter {
   public:
    InteractionStarter(PartySession& session, std::uint32_t interaction, std::uint32_t member)
        : session_(session), interaction_(interaction), member_(member) {}
    void start(Call& call) noexcept override { session_.start(interaction_, member_, call); }
    bool help(TimePoint until) noexcept override;

   private:
    PartySession& session_;
    std::uint32_t interaction_, member_;
  };

  PartySession(Core& core, const hector::kernel::v1::PreparePart& part, OfferPtr offer);
  Status plan();
  void send(const InteractionPlan& plan, std::uint32_t interaction, OutChannel& out, Call& call) noexcept;
  /// One message for this party, from `sender` of the interaction's other role.
  void take(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept;
  /// It is its turn: past the interceptors into the Object.
  void deliver(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept;
  void hold_or_refuse(Call& call, std::uint32_t interaction, std::uint32_t sender) noexcept;
  void pump_held() noexcept;
  void in_order(Call& call, std::uint32_t sender_role, std::uint32_t sender_member) noexcept;
  void deliver_in_order(std::uint64_t key) noexcept;
  void skip_gap(std::uint64_t key) noexcept;
  /// With the lock held: what has come to its turn goes from waiting to ready.
  void make_ready(InOrder& order, std::uint64_t key) noexcept;
  std::atomic<std::uint64_t>& plain_from(std::uint32_t role, std::uint32_t member) noexcept { return plain_[first_party_[role] + member]; }
  Error order_error(std::uint32_t interaction);
  /// Moves on in the order if it allows the symbol now.
  bool step(types::Symbol symbol) noexcept;
  /// After each step of the order: phases that could start now begin, those that are left are forgotten.
  void mark_phases() noexcept;
  [[nodiscard]] const CountedPhase* phase_of(std::uint32_t interaction) const noexcept;
  [[nodiscard]] bool is_overrun(std::uint32_t interaction) const noexcept;
  Error overrun_error(std::uint32_t interaction) const;
  /// The list that policy puts on channels to a role.
  Result<InterceptorList> interceptors_for(const std::string& partner) const;
  Hop hop(std::uint32_t interaction) const;

  Core& core_;
  const hector::kernel::v1::PreparePart part_;
  OfferPtr offer_;
  std::string type_id_;
  std::uint32_t role_ = 0;
  std::vector<types::CompiledPtr> interfaces_;  ///< of all parties: by role, then member
  std::vector<std::unique_ptr<OutChannel>> out_;
  std::vector<InteractionPlan> plans_;
  std::vector<InterceptorList> arrivals_;  ///< by the sender's role
  std::vector<std::vector<std::unique_ptr<InteractionStarter>>> starters_;
  std::unique_ptr<types::Monitor> monitor_;
  std::vector<std::unique_ptr<CountedPhase>> phases_;
  std::vector<std::vector<Peer>> peers_;  ///< of in-process senders, by role and member
  std::atomic<State> state_{State::kPrepared};
  mutable std::mutex mutex_;
  std::deque<Held> held_;
  std::atomic<std::size_t> held_count_{0};
  std::map<std::uint64_t, InOrder> arriving_;
  std::atomic<std::size_t> waiting_count_{0};  ///< in all of arriving_
  std::vector<std::uint32_t> first_party_;     ///< of each role, among all
  std::unique_ptr<std::atomic<std::uint64_t>[]> plain_;  ///< messages without a position that were handed on, by sender
};

}  // namespace hector
