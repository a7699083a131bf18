// What: a trust domain for tests: its key, its tokens, and the state of a service that trusts it.
// Why: each test says only what its token has beside a good one's.
// Who: the unit tests beside it.
#pragma once

#include <gtest/gtest.h>

#include "bounds.h"
#include "credentials.h"
#include "fake_store.h"
#include "simulation.h"
#include "trust_changes.h"

namespace hector::authentication::testing {

inline constexpr std::int64_t kNow = 1'717'243'200;
inline const std::string kAudience = "spiffe://td/service/authentication";

/// The state behind a replica on a store that does everything at once.
class World {
 public:
  World() {
    EXPECT_TRUE(replica.start());
    EXPECT_EQ(trust("td", key), "OK");
  }
  /// "OK", or the type of the refusal.
  std::string change(state::Replica::Plan plan) {
    std::string ended = "not told";
    replica.change(std::move(plan), [&](Result<Revision> done) {
      ended = done ? "OK" : done.error().type;
      revision = done.value_or(0);
    });
    return ended;
  }
  template <class In>
  std::string change(Result<StoreTransaction> (*plan)(const TrustState&, const In&),
                     const In& asked) {
    return change([&] { return plan(state, asked); });
  }
  std::string trust(const std::string& domain, const identity::TokenKey& signer) {
    v1::Bundle bundle;
    bundle.set_domain(domain);
    bundle.set_jwks(identity::key_set_with("", {signer.web_key()}));
    return change(plan_federate, bundle);
  }
  std::string revoke(const std::string& principal) {
    v1::Revocation asked;
    asked.set_principal(principal);
    return change(plan_revoke, asked);
  }

  hector::testing::FakeStore store;
  hector::testing::Simulation world{1};
  TrustState state;
  state::Replica replica{{&store, &world, &world, &world}, "au/", state};
  identity::TokenKey key = identity::TokenKey::make();
  Revision revision = 0;
};

inline identity::TokenPlan plan_for(const std::string& subject = "spiffe://td/a") {
  identity::TokenPlan plan{subject, {kAudience}, kNow, kNow + 300};
  plan.details.token_id = "one";
  return plan;
}

inline Result<Shown> show(const World& world, const std::string& token, std::int64_t now_s = kNow) {
  v1::Credential credential;
  credential.set_jwt(token);
  return examine_credential(credential, {world.state.bundles(), {now_s, 0}, "td", kAudience});
}
inline Result<Shown> show(const World& world, const identity::TokenPlan& plan,
                          std::int64_t now_s = kNow) {
  return show(world, world.key.sign(plan), now_s);
}

template <class T>
std::string name_of(const Result<T>& result) {
  return result ? "OK" : result.error().type;
}

}  // namespace hector::authentication::testing
