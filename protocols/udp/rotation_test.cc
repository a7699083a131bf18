// What: a hundred capsules bind to each other over DTLS while their realm's authority and all of
// their identities are replaced.
// Why: certificates that live for a day are worth nothing if their replacement fails Bindings.
// Who: ctest.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "kit_capsule.h"
#include "simulation.h"
#include "tls/testing.h"

namespace hector::udp {
namespace {

using hector::testing::Simulation;

constexpr int kCapsules = 100;

class Rotation : public ::testing::Test {
 protected:
  void SetUp() override {
    // A site's network: a Binding takes less than a millisecond, handshake and all.
    world_.rules.delay_min = std::chrono::microseconds(5);
    world_.rules.delay_max = std::chrono::microseconds(20);
    for (int i = 1; i <= kCapsules; ++i) {
      credentials_.push_back(
          std::make_unique<tls::TestCredentials>(realm_, "capsule/c" + std::to_string(i)));
      capsules_.push_back(std::make_unique<Capsule>(world_, i, std::vector<PolicyEntry>{},
                                                    credentials_.back().get()));
    }
  }
  /// Each between two others than before.
  void bind(int times) {
    for (int i = 0; i < times; ++i, ++bound_) {
      const int from = bound_ % kCapsules;
      const int to = (from + 1 + bound_ / kCapsules % (kCapsules - 1)) % kCapsules;
      auto& client = capsules_[static_cast<std::size_t>(from)]->kernel->capsule();
      const auto made =
          client.bind({"kit.Pair/1",
                       {{"sender", "sender"},
                        {"receiver", capsules_[static_cast<std::size_t>(to)]->reference()}}});
      if (made)
        static_cast<void>(client.unbind(*made));
      else if (++failed_ <= 3)
        ADD_FAILURE() << "Binding " << bound_ << ": " << made.error().text();
    }
  }
  void read_trust() {
    for (const auto& each : credentials_) each->refresh();
  }
  void renew(int number) {
    const auto issued =
        realm_->renew({"capsule/c" + std::to_string(number), 3600, {}}, tls::test_now());
    ASSERT_TRUE(issued);
    const auto text = identity::read_identity_file(issued->file);
    ASSERT_TRUE(text);
    credentials_[static_cast<std::size_t>(number) - 1]->refresh(
        std::make_shared<OwnIdentity>(OwnIdentity{text->chain, text->key}));
  }

  Simulation world_{1};
  tls::TestRealm realm_;
  std::vector<std::unique_ptr<tls::TestCredentials>> credentials_;
  std::vector<std::unique_ptr<Capsule>> capsules_;
  int bound_ = 0, failed_ = 0;
};

/// Case A9.
TEST_F(Rotation, FailsNoBindingOfAHundredCapsules) {
  const TimePoint began = world_.now();
  bind(500);
  ASSERT_TRUE(realm_->prepare_authority(identity::KeyKind::kP256, tls::test_now()));
  for (const auto& each : credentials_) {  // one by one, as each notices
    each->refresh();
    bind(2);
  }
  ASSERT_TRUE(realm_->activate_authority(tls::test_now()));
  for (int number = 1; number <= kCapsules; ++number) {
    renew(number);
    bind(10);
  }
  ASSERT_TRUE(realm_->retire_authorities(identity::Realm::Retire::kNow, tls::test_now()));
  read_trust();
  bind(500);
  EXPECT_EQ(failed_, 0);
  const double seconds = std::chrono::duration<double>(world_.now() - began).count();
  EXPECT_GE(bound_ / seconds, 1'000) << bound_ << " Bindings in " << seconds << " s";
  RecordProperty("bindings", bound_);
  RecordProperty("bindings_a_second", static_cast<int>(bound_ / seconds));
}

/// The test above would pass with peers that trust everybody.
TEST_F(Rotation, RefusesWhoHasNotBeenRenewedAfterTheEnd) {
  ASSERT_TRUE(realm_->prepare_authority(identity::KeyKind::kP256, tls::test_now()));
  ASSERT_TRUE(realm_->activate_authority(tls::test_now()));
  renew(1);
  ASSERT_TRUE(realm_->retire_authorities(identity::Realm::Retire::kNow, tls::test_now()));
  read_trust();
  auto& client = capsules_[0]->kernel->capsule();
  const auto made =
      client.bind({"kit.Pair/1", {{"sender", "sender"}, {"receiver", capsules_[1]->reference()}}});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text().find("no path leads to an authority"), std::string::npos)
      << made.error().text();
}

}  // namespace
}  // namespace hector::udp
