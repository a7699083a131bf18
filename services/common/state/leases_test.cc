// What: Leases: one lease an owner, and what hangs on an earlier one.
// Why: what a capsule put into a service goes when it goes, and when it comes back.
// Who: ctest, in service_state_test.
#include "state/leases.h"

#include <gtest/gtest.h>

#include "fake_store.h"

namespace hector::state {
namespace {

class LeasesTest : public ::testing::Test {
 protected:
  Result<LeaseId> open(const std::string& owner) {
    Result<LeaseId> opened = fail(Error::internal("it was not told"));
    leases_.open(owner, std::chrono::seconds(5),
                 [&](Result<LeaseId> lease) { opened = std::move(lease); });
    return opened;
  }
  hector::testing::FakeStore store_;
  Leases leases_{store_, "leases/", "here"};
};

TEST_F(LeasesTest, AnOwnersEarlierLeaseEndsWithEverythingOnIt) {
  const auto first = open("north");
  ASSERT_TRUE(first);
  store_.put("name", "north's", *first);
  const auto other = open("south");
  ASSERT_TRUE(other);
  store_.put("other", "south's", *other);
  const auto second = open("north");
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
  EXPECT_EQ(store_.value("name"), "(none)");
  EXPECT_EQ(store_.value("other"), "south's");
  EXPECT_EQ(store_.value("leases/north"), "") << "the owner's entry is on its new lease";
}

TEST_F(LeasesTest, AnEarlierLeaseThatHasExpiredIsNoError) {
  store_.put("leases/north", "", 77);
  ASSERT_TRUE(open("north"));
}

TEST_F(LeasesTest, AreRenewedAndClosed) {
  const auto lease = open("north");
  ASSERT_TRUE(lease);
  Status renewed = fail(Error::internal("")), closed = renewed;
  leases_.renew(*lease, [&](Status done) { renewed = std::move(done); });
  EXPECT_TRUE(renewed);
  leases_.close(*lease, [&](Status done) { closed = std::move(done); });
  EXPECT_TRUE(closed);
  EXPECT_EQ(store_.value("leases/north"), "(none)");
}

TEST_F(LeasesTest, NameTheOwnersThatWouldLoseSomethingButNotTheServicesOwnCapsule) {
  ASSERT_TRUE(open("capsule:here"));
  ASSERT_TRUE(open("capsule:north"));
  const auto lines = leases_.dependants();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].starts_with("capsule:north "));
}

TEST_F(LeasesTest, AnErrorOfTheStoreIsTheCallers) {
  store_.broken = Error::unavailable("away");
  const auto refused = open("north");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace hector::state
