// What: ObjectLifecycle, how an Object is made, adopted and ended: name, servant, Offer,
// publication, in this order, and back.
// Why: each step has its undo beside it, and every Object goes the same way, whoever asks for it.
// Who: KernelImpl, for management, protocols, tests and the end of the capsule.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "capsule/object_registry.h"
#include "capsule/offer_maker.h"
#include "capsule/publication.h"
#include "capsule/templates.h"
#include "party/party_table.h"

namespace hector {

/// Any thread that may block. Holds no mutex of its own: two threads that make or end the same
/// Object meet in the ObjectRegistry.
class ObjectLifecycle {
 public:
  /// All of it outlives the lifecycle.
  struct Options {
    ObjectRegistry& registry;
    Templates& templates;
    Publication& publication;
    const OfferMaker& maker;
    const PartyTable& parties;
    const Clock& clock;
    Log& log;
    const std::atomic<Duration>& grace;  ///< that calls and sessions get to end
    /// An Object's handle; `principal` is the Object's.
    std::function<std::unique_ptr<Capsule>(const std::string& object, const std::string& principal)>
        make_handle;
    /// Ends the sessions of a Binding in this capsule.
    std::function<void(std::uint64_t binding, const std::string& why)> close_parties;
    /// Waits for a short time; false: nothing will happen any more.
    std::function<bool(Duration)> pause;
    /// Objects came or went.
    std::function<void()> changed;
    /// What calls an Object is at, for the log; empty: none.
    std::function<std::string(const ObjectHost&)> running;
  };
  explicit ObjectLifecycle(Options options) : on_(std::move(options)) {}

  /// INVALID_ARGUMENT: not an Object's name; NOT_FOUND: no such template; ALREADY_EXISTS: the name
  /// is taken, here or in Naming. Others are the template's. Nothing is left behind by an error.
  Result<OfferPtr> create(const CreateOptions& options);
  /// How an adopted Object runs, and who brought it.
  struct Adoption {
    std::string kind = "adopted";  ///< in the place of a template's name
    ThreadModel thread = ThreadModel::kPooled;
    bool parallel = false;
    const void* owner = nullptr;  ///< the protocol; null: none
  };
  using MakeServant = std::function<Result<std::unique_ptr<Servant>>()>;
  /// ALREADY_EXISTS as create(); others are those of `make_servant`, which runs when the name is
  /// taken.
  Result<OfferPtr> adopt(const CreateOptions& options, const Adoption& adoption,
                         types::CompiledPtr interface, const MakeServant& make_servant);
  /// Ends its sessions and its calls, within the grace; what does not end is kept, not destroyed.
  void end(const OfferPtr& offer, Publication::NameGoes name);
  /// The capsule ends: from now on all graces together last until then, and hardly longer.
  void end_all_by(TimePoint until) { all_end_ = until; }

 private:
  TimePoint grace_end() const;
  Status serve(ObjectRecord& record, const OfferPtr& offer, Publication::NameIs name);
  void wait_until_unbound(const Offer& offer);
  /// Its Offer is out: its last calls end within the grace.
  void finish(ObjectRecord& record);

  const Options on_;
  std::atomic<TimePoint> all_end_{kNever};
};

}  // namespace hector
