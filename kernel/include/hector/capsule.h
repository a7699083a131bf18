// What: Capsule, all that an Object can reach; Session, an Object's part in one Binding.
// Why: an Object reaches the world only through its Capsule handle, so what it may do is decided in
// one place.
// Who: language plugins hand it to Objects; service plugins are Objects too.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/call.h"
#include "hector/log.h"
#include "hector/reference.h"

namespace hector {

class NamingService;
class TradingService;

/// Where calls of an implicit binding go (RM-ODP 7.2.3.1): one Offer, any order. A cheap handle:
/// whoever resolves it owns it, and keeps it until start() has returned; a call in flight does not
/// need it any more.
class Target : public CallTarget {
 public:
  [[nodiscard]] virtual const InterfacePtr& interface() const noexcept = 0;
  [[nodiscard]] virtual const Reference& reference() const noexcept = 0;
};

/// A member of a role, as its partners see it.
struct Member {
  std::string object;  ///< the party's name
  std::string capsule;
  /// What start() is given for it. Members keep their numbers; one that left leaves its number to
  /// the next who joins.
  std::uint32_t number = 0;
};

/// When a multicast is complete.
enum class Reliability : std::uint8_t { kBestEffort, kAtLeastOne, kMajority, kAll };

/// One Object's part in one Binding. Valid from bound() to unbound(). Any thread.
class Session {
 public:
  virtual ~Session() = default;
  /// An owner, for a callback that may run after unbound().
  [[nodiscard]] virtual std::shared_ptr<Session> shared() = 0;
  [[nodiscard]] virtual std::uint64_t binding() const noexcept = 0;
  [[nodiscard]] virtual const std::string& binding_type() const noexcept = 0;
  [[nodiscard]] virtual const std::string& role() const noexcept = 0;
  /// This party's own, among the members of its role.
  [[nodiscard]] virtual std::uint32_t number() const noexcept = 0;
  /// The other roles' members; empty where an optional role has none, NOT_FOUND if the type has no
  /// such role.
  [[nodiscard]] virtual Result<std::vector<Member>> members(std::string_view role) const = 0;
  /// Index for start(). NOT_FOUND names the interactions this role may start.
  [[nodiscard]] virtual Result<std::uint32_t> interaction(std::string_view name) const = 0;
  /// Starts an interaction at one member of its receiving role. The monitor refuses what the Role's
  /// order forbids with FAILED_PRECONDITION, naming what is allowed.
  virtual void start(std::uint32_t interaction, std::uint32_t member, Call& call) noexcept = 0;
  /// The CallTarget of one interaction and member, for WaitedCall::run.
  [[nodiscard]] virtual CallTarget& call_target(std::uint32_t interaction,
                                                std::uint32_t member) = 0;
  /// A multicast: one call for each member of the receiving role, in the order of members(); the
  /// order sees it as one step.
  virtual void start_all(std::uint32_t interaction, const std::vector<Call*>& calls) noexcept = 0;
  /// How many members an interaction that this role starts can reach; 0 if it starts no such one.
  [[nodiscard]] virtual std::size_t receivers(std::uint32_t interaction) const noexcept = 0;
  /// What the type says of a multicast; kAll where it says nothing.
  [[nodiscard]] virtual Reliability reliability(std::uint32_t interaction) const noexcept = 0;
  /// Where a partner is reached, "udp 127.0.0.1:4242". FAILED_PRECONDITION where policy hides it
  /// (location transparency); NOT_FOUND.
  [[nodiscard]] virtual Result<std::string> location(std::string_view role,
                                                     std::uint32_t number) const = 0;
  /// The protocol's own channel to a partner: no stub, no order, calls name their Offer and
  /// operation themselves. FAILED_PRECONDITION where policy keeps any transparency; UNIMPLEMENTED
  /// in the process, where there is no protocol in between.
  [[nodiscard]] virtual Result<std::shared_ptr<CallTarget>> endpoint(
      std::string_view role, std::uint32_t number) const = 0;
  /// The message type of an interaction's request.
  [[nodiscard]] virtual const Operation& operation(std::uint32_t interaction) const = 0;
};

/// How a party of a Binding is given.
struct Party {
  std::string role;
  /// An Object's name, a "hector:" reference, or empty: the role's own trade is asked.
  std::string who;
};

struct BindRequest {
  std::string type;  ///< "diary.Meeting/1"
  std::vector<Party> parties;
  /// Whose act it is, for rights and the audit; empty: the capsule's. An Object's handle sets it.
  std::string initiator = {};
};

/// The handle of one Object. Any thread. Valid as long as the Object lives.
class Capsule {
 public:
  virtual ~Capsule() = default;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;         ///< the capsule's
  [[nodiscard]] virtual const std::string& object_name() const noexcept = 0;  ///< this Object's
  [[nodiscard]] virtual const std::string& principal() const noexcept = 0;
  [[nodiscard]] virtual const Clock& clock() const noexcept = 0;
  [[nodiscard]] virtual Executor& executor() noexcept = 0;
  [[nodiscard]] virtual Log& log() noexcept = 0;
  /// By a "hector:" reference, by the name of an Object of this capsule, or through Naming. May
  /// block while Naming is remote.
  virtual Result<std::unique_ptr<Target>> resolve(std::string_view who) = 0;
  /// UNAVAILABLE where the capsule has none.
  virtual Result<NamingService*> naming() = 0;
  virtual Result<TradingService*> trading() = 0;
  /// Instantiates a Binding and returns its id; the errors are the pipeline's. Blocks.
  virtual Result<std::uint64_t> bind(const BindRequest& request) = 0;
  virtual Status unbind(std::uint64_t binding) = 0;
  /// Puts properties of this Object's Offer into the Trader, as JSON scalars.
  virtual Status advertise(const std::map<std::string, std::string>& properties) = 0;
};

}  // namespace hector
