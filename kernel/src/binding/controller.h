// What: BindingController, one Binding that runs: members join and leave, parties are replaced, it
// is suspended and resumed, and it replaces parties that are lost.
// Why: all changes of one Binding are made at one place, one after the other, each whole or not at
// all (RM-ODP: a binding object with a control interface).
// Who: the capsule that made the Binding; its control Object; management.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "binding/binding_look.h"
#include "binding/event_log.h"
#include "binding/formation.h"
#include "binding/health.h"
#include "binding/membership.h"
#include "binding/party_replacement.h"
#include "binding/pipeline.h"
#include "hector/binding/v1/binding.pb.h"

namespace hector {

/// What a change of rights did to a Binding.
struct RightsLoss {
  std::vector<std::string> happened;  ///< a line each
  bool is_known = true;               ///< else Policy could not be asked: to be done again
};

/// Any thread that may block. Lock order: change_mutex_, held for a whole change, over calls to
/// other capsules; then mutex_, for the fields that state(), events() and formation() read. What a
/// change alone reads (formation_, lost_) is written under both.
class BindingController {
 public:
  /// `services` is asked whenever a party is looked for; `end` ends this Binding, later.
  BindingController(Core& core, Health& health, std::function<Services()> services,
                    BindingRecord record, std::function<void()> end);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const hector::type::v1::Binding& type() const { return type_; }
  /// What is known here, in short: "active", "stuck: WHY". Does not block.
  [[nodiscard]] std::string state_text() const;
  /// All of it, with where each party stands: asks their capsules.
  [[nodiscard]] hector::binding::v1::State state();
  [[nodiscard]] hector::management::v1::BindReply formation() const;
  [[nodiscard]] hector::binding::v1::Events events(std::uint64_t after) const;

  /// FAILED_PRECONDITION: the order lets no member join now; FAILED_PRECONDITION
  /// (hector.Incompatible) with the reasons: it cannot play the role; RESOURCE_EXHAUSTED: the role
  /// is full. Nothing has changed then.
  Result<hector::binding::v1::Joined> join(const hector::binding::v1::JoinRequest& request);
  Status leave(const hector::binding::v1::LeaveRequest& request);
  /// Under traffic: calls to the place wait until the other party has taken it over, with the state
  /// where the template hands one over. DEADLINE_EXCEEDED: the party did not quiesce in time. On
  /// every error the Binding goes on as it was.
  Result<hector::binding::v1::Rebound> rebind(const hector::binding::v1::RebindRequest& request);
  Status suspend();
  Status resume();
  Result<hector::binding::v1::Moved> move(const hector::binding::v1::MoveRequest& request);
  /// Brings all parties, or none, to a state that they agree on: the last one after which the order
  /// may end ("round", the default), the last one at all ("last") or the start ("start"). Messages
  /// that are held, and those on their way, are refused. INVALID_ARGUMENT; FAILED_PRECONDITION:
  /// a party is lost; the errors of capsules that do not answer.
  Result<hector::binding::v1::ResetDone> reset(const hector::binding::v1::ResetRequest& request);
  void close() { end_(); }

  /// A party doubts that this one is there, or says that a promise was not kept.
  void suspect(const hector::kernel::v1::Place& place);
  void lost(std::uint64_t capsule_id);
  /// Rights have changed: a party that has not all it needs any more leaves, or where the Binding
  /// cannot be without it, it ends. Where Policy cannot be asked nothing happens.
  RightsLoss check_rights();
  void alive(std::uint64_t capsule_id);
  /// Ends it in every capsule.
  void release();

 private:
  enum class State { kActive, kSuspended, kFailed, kClosed };
  static const char* text(State state);

  // --- with change_mutex_ held
  PartyFinder finder() const { return {core_, services_()}; }
  Result<Candidate> candidate(PartyFinder& finder, RoleIndex role, const std::string& who) const;
  Result<Candidate> traded(PartyFinder& finder, RoleIndex role) const;
  Result<hector::binding::v1::Rebound> rebind(PartyFinder& finder, Place place,
                                              const std::string& who, Duration grace);
  Status add_member(PartyFinder& finder, const Formation& next, Place place, Duration longest);
  MembershipChange membership(PartyFinder& finder, const std::set<std::uint64_t>& lost);
  Status prepare(PartyFinder& finder, const Formation& formation, Place place);
  void drop(PartyFinder& finder, const Candidate& party, Place place) const;
  /// Unless it is suspended.
  void resume(PartyFinder& finder, const Formation& formation);
  Participants participants(PartyFinder& finder) const {
    return {finder.coordinators(), formation_, lost_capsules()};
  }
  hector::kernel::v1::PlacedOffer placed(const Candidate& party, Place place) const;
  void put_formation(PartyFinder& finder, Formation next);
  /// A party's capsule does not answer any more: the others are told.
  void lose(PartyFinder& finder, Place place);
  /// Without asking whether it may be without it.
  Status take_out(PartyFinder& finder, Place place, Duration longest);
  [[nodiscard]] bool can_be_without(Place place) const;
  /// Its parties are told this, by PERMISSION_DENIED.
  std::string end_denied(const std::string& why);
  std::string take_out_denied(PartyFinder& finder, const MissingRight& missing);
  [[nodiscard]] std::set<std::uint64_t> lost_capsules() const;
  /// HECTOR_CHECKs what must hold before and after each change; with mutex_ held.
  void check_invariants() const;
  void verify() const;
  /// Where all stand, frozen; what is on its way has arrived, or time is up.
  Result<PartyPositions> freeze_all(PartyFinder& finder);
  Status put_positions(PartyFinder& finder, const std::vector<types::PartyTrace>& present,
                       const std::vector<types::Symbol>& history, const std::string& why);

  // --- any time
  [[nodiscard]] Formation formation_now() const;
  /// A party holds a message, or (empty) none any more.
  void held(const hector::kernel::v1::Place& place);
  /// Ends a call where parties wait for each other in a circle.
  void break_cycle();
  void end_youngest_of_cycle();
  void note(const std::string& kind, const std::string& text);
  void watch();
  /// A promise was not kept: an event, and another party where the role says so.
  void breached(const hector::kernel::v1::Place& place);
  void overrun(const std::string& text);
  void show_move(const hector::kernel::v1::MovedChannel::Move& move, const std::string& to);

  Core& core_;
  Health& health_;
  const std::function<Services()> services_;
  const std::function<void()> end_;
  const std::uint64_t id_;
  const hector::type::v1::Binding type_;
  const std::string initiator_;

  mutable std::mutex change_mutex_;
  mutable std::mutex mutex_;
  Formation formation_;
  std::set<Place> lost_;
  hector::management::v1::BindReply explained_;
  State state_ = State::kActive;
  std::map<Place, std::string> held_;    ///< by party: what it said that it holds
  std::string disagreement_;             ///< how the parties' positions were last seen not to fit
  std::atomic<bool> is_looking_{false};  ///< for circles: one thread at a time
  std::vector<std::uint64_t> watched_;   ///< capsules that Health watches for this Binding
  EventLog events_;
  bool is_released_ = false;
  ReleaseReason reason_;
};

}  // namespace hector
