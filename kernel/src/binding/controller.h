// What: BindingController, one Binding that runs: its parties come, go and are replaced, it is
// suspended and goes on, and it looks after itself.
// Why: all changes of one Binding are made at one place, one after the other, each whole or not at
// all (RM-ODP: a binding object with a control interface).
// Who: the capsule that made the Binding; its control Object; management.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "binding/formation.h"
#include "binding/health.h"
#include "binding/pipeline.h"
#include "hector/binding/v1/binding.pb.h"
#include "types/order/history.h"

namespace hector {

/// Any thread that may block.
class BindingController : public std::enable_shared_from_this<BindingController> {
 public:
  /// `services` is asked whenever a party is looked for; `end` ends this Binding.
  BindingController(Core& core, Health& health, std::function<Services()> services,
                    BindingRecord record, std::function<void()> end);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] hector::binding::v1::State state() const;
  [[nodiscard]] hector::management::v1::BindReply formation() const;
  [[nodiscard]] const hector::type::v1::Binding& type() const { return type_; }
  [[nodiscard]] hector::binding::v1::Events events(std::uint64_t after) const;

  /// FAILED_PRECONDITION: the order lets no member join now; FAILED_PRECONDITION
  /// (hector.Incompatible) with the reasons: it cannot play the role; RESOURCE_EXHAUSTED: the role
  /// is full. Nothing has changed then.
  Result<hector::binding::v1::Joined> join(const hector::binding::v1::JoinRequest& request);
  Status leave(const hector::binding::v1::LeaveRequest& request);
  /// Under traffic: calls to the place wait until the other party has taken it over, with the state
  /// where the template hands one over. DEADLINE_EXCEEDED: the party did not come to rest in time.
  /// On every error the Binding goes on as it was.
  Result<hector::binding::v1::Rebound> rebind(const hector::binding::v1::RebindRequest& request);
  Status suspend();
  Status resume();
  Result<hector::binding::v1::Moved> move(const hector::binding::v1::MoveRequest& request);
  void close() { end_(); }

  /// A party doubts that this one is there.
  void suspect(const hector::kernel::v1::Place& place);
  void lost(std::uint64_t capsule_id);
  void alive(std::uint64_t capsule_id);
  /// A promise was not kept: an event, and another party where the role says so.
  void breached(const hector::kernel::v1::Place& place);
  /// Ends it in every capsule.
  void release();

 private:
  using Parts = std::vector<hector::kernel::v1::PreparePart>;
  PartyFinder finder() { return {core_, services_()}; }
  Result<int> role_of(const std::string& name) const;
  Result<std::pair<int, std::uint32_t>> place_of(const std::string& name,
                                                 std::uint32_t number) const;
  /// Nobody starts anything any more; sealed, what arrives waits as well. Where each party stands.
  Result<std::vector<hector::kernel::v1::PartyPosition>> freeze(PartyFinder& finder, bool seal);
  /// Looked for, admitted and put there; `who` empty: traded.
  Result<hector::binding::v1::Rebound> rebind(PartyFinder& finder, int role, std::uint32_t member,
                                              const std::string& who, Duration grace);
  Result<Candidate> candidate(PartyFinder& finder, int role, const std::string& who);
  /// One Object's reference for each capsule that takes part and is there.
  [[nodiscard]] std::vector<Reference> live(const Formation& formation) const;
  void note(const std::string& kind, const std::string& text);
  void watch();
  /// The same to every capsule that takes part; the first error.
  template <class In>
  Status tell_all(PartyFinder& finder, const Formation& formation, CoordinatorOperation operation,
                  const In& message);
  void go_on(PartyFinder& finder, const Formation& formation);
  Status prepare(PartyFinder& finder, const Formation& formation, int role, std::uint32_t member);
  void drop(PartyFinder& finder, const Candidate& candidate, int role, std::uint32_t member);
  hector::kernel::v1::PlacedOffer placed(const Candidate& candidate, int role,
                                         std::uint32_t member) const;

  /// A replacement in the making.
  struct Change {
    int role = 0;
    std::uint32_t member = 0;
    Candidate before, after;
    Formation formation;  ///< with the successor
    hector::kernel::v1::Replace replace;
    Duration grace{};
  };
  Result<hector::binding::v1::Rebound> replace(PartyFinder& finder, Change& change, bool is_lost);
  Result<hector::kernel::v1::Replace> ways_to(PartyFinder& finder, const Formation& formation,
                                              int role, std::uint32_t member);
  Result<hector::kernel::v1::Position> take_over(PartyFinder& finder, const Change& change);
  Result<hector::kernel::v1::Position> reconstruct(PartyFinder& finder, const Change& change);

  /// Whether what another capsule says of a party can be of this Binding.
  [[nodiscard]] bool is_sound(const kernel::v1::PartyPosition& party) const;
  /// All parties' positions with nothing on its way between them; the Binding is frozen then. None:
  /// something was on its way for too long.
  std::optional<std::vector<hector::kernel::v1::PartyPosition>> at_rest(PartyFinder& finder);
  /// Waits for a moment at which `next` can be made of it, freezes the Binding there; the history
  /// all believe in.
  Result<std::vector<types::Symbol>> moment_for(
      PartyFinder& finder, const Formation& next,
      std::optional<std::pair<int, std::uint32_t>> leaving, Duration wait, const std::string& what);
  Status reconfigure(PartyFinder& finder, const Formation& next,
                     const std::vector<types::Symbol>& history,
                     std::optional<std::pair<int, std::uint32_t>> except);
  void adopt_formation(PartyFinder& finder, Formation next);

  Core& core_;
  Health& health_;
  const std::function<Services()> services_;
  const std::function<void()> end_;
  const std::uint64_t id_;
  const hector::type::v1::Binding type_;

  std::mutex change_mutex_;   ///< one change at a time
  mutable std::mutex mutex_;  ///< of what is read; taken after change_mutex_
  Formation formation_;
  hector::management::v1::BindReply explained_;
  std::string state_ = "active";
  std::set<std::pair<int, std::uint32_t>> lost_;
  std::vector<std::uint64_t> watched_;
  std::deque<hector::binding::v1::Event> events_;
  std::uint64_t events_ever_ = 0;
  bool is_released_ = false;
  std::string why_ = "it was released";  ///< what calls are told after the end
  Code code_ = Code::kUnavailable;
};

}  // namespace hector
