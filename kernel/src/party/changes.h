// What: Changes, what changes for one party while its Binding runs: its calls are held up, its
// channels lead to other partners or over other protocols, its order has other members.
// Why: a change is a sequence of small steps that the initiator's capsule asks for one by one; each
// leaves the party in a state in which it can stay, and resume() ends it.
// Who: the coordinator.
//
// Locking: `mutex_` lets one change in at a time, for as long as it takes; it is taken before every
// other lock of the party, and never while a message is passed. Each function blocks for as long as
// it says; none is called within an epoch guard.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "hector/kernel/v1/kernel.pb.h"
#include "party/core.h"
#include "party/gate.h"
#include "party/identity.h"
#include "party/plan.h"
#include "party/plan_builder.h"

namespace hector::party {

class Changes {
 public:
  /// Everything outlives it.
  struct Options {
    Core& core;
    const Identity& self;
    const Offer& offer;
    PlanSlot& plans;
    PlanBuilder& builder;
    Arrivals& arrivals;
    Gate& gate;
    std::function<void()> enlist;              ///< messages of all present senders reach the party
    std::function<void(Place)> delist_sender;  ///< those of this one do not any more
    std::function<void()> resume;
  };
  enum class Extent : std::uint8_t { kStarts, kStartsAndArrivals };
  struct Move {
    Place to;
    std::string exclude;    ///< not this protocol: it is going away
    std::string only;       ///< this protocol and no other; empty: whichever policy chooses
    bool is_trial = false;  ///< nothing moves; what would be chosen
  };
  struct Moved {
    Profile profile;
    std::string why;
  };

  explicit Changes(Options options) : options_(std::move(options)) {}

  /// Calls to this place wait from now on; what was sent to it so far. Blocks for as long as a
  /// message takes to leave.
  OutChannel::Counts pause(Place place);
  /// The party's own calls wait, and what arrives as well if asked.
  void freeze(Extent extent);
  /// Waits until all of this has arrived. DEADLINE_EXCEEDED says what is missing.
  Status await_delivery(
      const google::protobuf::RepeatedPtrField<hector::kernel::v1::Count>& expected,
      Duration grace) const;
  /// Waits until the Object has answered all that it was asked, then freezes the party.
  Status quiesce(Duration grace);
  /// Where it stands; not the Object's state.
  [[nodiscard]] hector::kernel::v1::Position position() const;
  /// Continues from there; before the party is active.
  Status take_position(const hector::kernel::v1::Position& position);
  /// Another party plays a place from now on. The channel to it stays paused until resume().
  Status replace(const Replacement& change);
  /// Other partners, and where this party stands in the order they make. Frozen before.
  Status reconfigure(const PartySpec& spec, const std::vector<types::Symbol>& trace);
  /// The party at this place is gone without notice: calls in flight to it fail now. Where its type
  /// has it traded again, new calls and idempotent ones in flight are pending until there is a
  /// successor.
  void lose(Place place);
  /// Chooses another profile for a channel and moves it. UNAVAILABLE with the reasons if none fits;
  /// NOT_FOUND if there is no such channel to another capsule.
  Result<Moved> move(const Move& move);

 private:
  [[nodiscard]] bool is_idle() const;
  bool try_quiesce();
  [[nodiscard]] std::string missing(const hector::kernel::v1::Count& expected) const;
  Result<PartySpec> spec_after(const Replacement& change) const;
  Status connect_new(const Plan& made);
  Status connect_successor(OutChannel& channel, const OutChannel& before);
  void forget_absent(const Plan& made);
  Result<Moved> move(OutChannel& channel, const Move& move);

  const Options options_;
  mutable std::mutex mutex_;
};

/// Opens a channel: by its protocol, or to the partner in this capsule once `peers` is kNow.
enum class Peers : std::uint8_t { kLater, kNow };
Status connect(Core& core, OutChannel& channel, Peers peers);

}  // namespace hector::party
