// What: CallRights, whether a call that comes without a Binding may enter its Object.
// Why: an Object's capsule decides who calls it, whatever the caller's capsule thinks: over every
// protocol, and among its own Objects.
// Who: KernelInbound, LocalTarget, management's `call`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/blocking_pool.h"
#include "channel/rights.h"
#include "channel/rights_cache.h"
#include "hector/call.h"
#include "objects/offer_table.h"

namespace hector {

/// Who calls, as this capsule knows it. Valid as long as what it was made of.
struct Caller {
  std::string_view principal;  ///< proved, or of this process; empty: not known
  std::string_view claimed;    ///< what the peer says where it is not known
  std::string_view protocol;
  Security security = Security::kNone;
  bool is_own_user = false;  ///< Peer::is_own_user
};
/// A peer whose channel proves its principal may speak as that, and as one of its Objects.
Caller caller_of(const Peer* peer, const Header& header) noexcept;

/// The same for as long as it lives itself.
struct KeptCaller {
  explicit KeptCaller(const Caller& caller)
      : principal(caller.principal),
        claimed(caller.claimed),
        protocol(caller.protocol),
        security(caller.security),
        is_own_user(caller.is_own_user) {}
  [[nodiscard]] Caller view() const noexcept {
    return {principal, claimed, protocol, security, is_own_user};
  }
  std::string principal, claimed, protocol;
  Security security;
  bool is_own_user;
};

/// What is called.
struct Called {
  std::string_view capsule, object, interface_id, operation;
};

/// Any thread.
class CallRights {
 public:
  /// All of it outlives it. `options`: which capsule this is.
  CallRights(const KernelOptions& options, Rights& rights, BlockingPool& blocking)
      : options_(options),
        rights_(rights),
        blocking_(blocking),
        cache_(std::make_shared<RightsCache>()) {}
  /// Only where rights are asked. Hands the call to its Object, at once or when Policy has said so;
  /// else it ends with PERMISSION_DENIED.
  void enter(const OfferPtr& offer, Call& call, const Caller& caller) noexcept;

  /// Whether an operation changes rights, or what the kernel chooses by: who may call it is asked
  /// though it is a service's.
  static bool changes_rights(const Interface& interface, const Operation& operation) noexcept;
  /// The capsule itself, the user it runs as on its own machine, and who administrates it: they
  /// load code into it.
  [[nodiscard]] bool is_owner(const Caller& caller) const noexcept;
  [[nodiscard]] static RightsQuestion question(const Called& called, const Caller& caller);
  [[nodiscard]] static Error refusal(const Called& called, const Caller& caller,
                                     const std::string& why);

 private:
  [[nodiscard]] Called called(const Offer& offer, const Operation& operation) const noexcept;
  [[nodiscard]] bool is_asked(const Offer& offer, const Call& call,
                              const Caller& caller) const noexcept;
  void ask(const OfferPtr& offer, Call& call, const Caller& caller);

  const KernelOptions& options_;
  Rights& rights_;
  BlockingPool& blocking_;
  const std::shared_ptr<RightsCache> cache_;  ///< owners: this, and who frees it
};

}  // namespace hector
