// What: Signing, the key that tokens are signed with, and when it becomes another one.
// Why: a private key never leaves its process: each capsule has its own, and publishes its public
// half on the store before it signs with it, so that tokens outlive kill -9.
// Who: the Authentication servant.
#pragma once

#include <memory>
#include <mutex>

#include "hector/guarded_self.h"
#include "hector/service.h"
#include "hector/token.h"
#include "trust_state.h"

namespace hector::authentication {

/// Any thread. `replica` and `state` outlive it.
class Signing {
 public:
  /// Another key takes its place at half of this.
  static constexpr std::int64_t kKeySeconds = 3'600;
  /// A key is trusted for so long after that, which is longer than any token of it lives.
  static constexpr std::int64_t kTrustedLongerSeconds = 3'600;

  Signing(const ServiceContext& context, state::Replica& replica, const TrustState& state,
          std::string domain);
  ~Signing();
  /// Makes the first key, and goes on until the end.
  void start() { rotate(); }
  /// UNAVAILABLE: the first key is not on the store yet.
  Result<std::string> sign(const identity::TokenPlan& plan) const;

 private:
  void rotate();
  void published(std::shared_ptr<const identity::TokenKey> key, const Result<Revision>& done);

  const Clock& clock_;
  Executor& executor_;
  Log& log_;
  state::Replica& replica_;
  const TrustState& state_;
  const std::string domain_;
  mutable std::mutex mutex_;
  std::shared_ptr<const identity::TokenKey> key_;  ///< owned by this and by what signs meanwhile
  GuardedSelf<Signing> guard_{*this};
};

}  // namespace hector::authentication
