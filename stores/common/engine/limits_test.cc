// What: tests of the checks that every store provider makes, each limit at its maximum and above.
// Why: a transaction that one provider takes and another refuses would tie a service to one.
// Who: ctest, in store_engine_test.
#include "engine/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::stores {
namespace {

using ::testing::HasSubstr;

StoreTransaction put(const std::string& key, std::size_t octets = 1) {
  return {{}, {StoreOperation::put(key, Bytes::take(std::string(octets, 'v')))}, {}, {}};
}
Status checked(const StoreTransaction& transaction) { return check(transaction, StoreLimits{}); }
void expect_too_large(const StoreTransaction& transaction) {
  const auto refused = checked(transaction);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_EQ(refused.error().type, kStoreTooLarge);
}

TEST(StoreLimits, AKeyMayHaveItsMaximumAndNoMore) {
  const StoreLimits limits;
  EXPECT_TRUE(checked(put(std::string(limits.key_octets_max, 'k'))));
  expect_too_large(put(std::string(limits.key_octets_max + 1, 'k')));
}

TEST(StoreLimits, AKeyIsNeitherEmptyNorTheStoresOwn) {
  EXPECT_EQ(checked(put("")).error().code, Code::kInvalidArgument);
  EXPECT_THAT(checked(put(std::string("\0a", 2))).error().message, HasSubstr("0x00"));
  EXPECT_THAT(checked(put("\xff")).error().message, HasSubstr("0xff"));
  EXPECT_TRUE(checked(put("\xfe")));
}

TEST(StoreLimits, AValueMayHaveItsMaximumAndNoMore) {
  const StoreLimits limits;
  EXPECT_TRUE(checked(put("k", limits.value_octets_max)));
  expect_too_large(put("k", limits.value_octets_max + 1));
}

TEST(StoreLimits, ATransactionMayHaveItsMaximumOfOperationsAndNoMore) {
  const StoreLimits limits;
  StoreTransaction transaction;
  for (std::size_t i = 1; i < limits.operations_max; ++i)
    transaction.then.push_back(StoreOperation::put(std::to_string(i), {}));
  transaction.compares.push_back(StoreCompare::absent("a"));
  EXPECT_TRUE(checked(transaction));
  transaction.otherwise.push_back(StoreOperation::put("b", {}));
  expect_too_large(transaction);
}

TEST(StoreLimits, ATransactionMayHaveItsMaximumOfOctetsAndNoMore) {
  const StoreLimits limits;
  StoreTransaction transaction;
  for (std::size_t left = limits.transaction_octets_max; left > 0;) {
    const std::size_t value = std::min(left - 1, limits.value_octets_max);
    transaction.then.push_back(
        StoreOperation::put(std::string(1, static_cast<char>('a' + transaction.then.size())),
                            Bytes::take(std::string(value, 'v'))));
    left -= value + 1;
  }
  EXPECT_EQ(octets_of(transaction), limits.transaction_octets_max);
  EXPECT_TRUE(checked(transaction));
  transaction.idempotency_key = "1";
  expect_too_large(transaction);
}

TEST(StoreLimits, AnIdempotencyKeyMayHaveItsMaximumAndNoMore) {
  StoreTransaction transaction = put("k");
  transaction.idempotency_key = std::string(StoreLimits{}.key_octets_max / 2, 'i');
  EXPECT_TRUE(checked(transaction));
  transaction.idempotency_key += 'i';
  expect_too_large(transaction);
}

TEST(StoreLimits, AKeyChangesOnceInATransaction) {
  StoreTransaction twice = put("same");
  twice.then.push_back(StoreOperation::put("same", {}));
  EXPECT_THAT(checked(twice).error().message, HasSubstr("'same' twice"));
  StoreTransaction both = put("in/range");
  both.then.push_back(StoreOperation::erase(KeyRange::prefix("in/")));
  EXPECT_THAT(checked(both).error().message, HasSubstr("both puts and erases 'in/range'"));
  StoreTransaction beside = put("in");
  beside.then.push_back(StoreOperation::erase(KeyRange::prefix("in/")));
  EXPECT_TRUE(checked(beside));
  StoreTransaction branches = put("same");
  branches.otherwise = branches.then;
  EXPECT_TRUE(checked(branches)) << "only one branch happens";
}

TEST(StoreLimits, ACursorNeedsTheRevisionOfItsPage) {
  StoreRead read{KeyRange::prefix("a")};
  read.after = "ab";
  EXPECT_EQ(check(read, StoreLimits{}).error().code, Code::kInvalidArgument);
  read.revision = 3;
  EXPECT_TRUE(check(read, StoreLimits{}));
  read.revision = -1;
  EXPECT_EQ(check(read, StoreLimits{}).error().code, Code::kInvalidArgument);
}

TEST(StoreLimits, ALeaseLivesFromOneSecondToAYear) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  EXPECT_FALSE(check_ttl(milliseconds(999)));
  EXPECT_TRUE(check_ttl(seconds(1)));
  EXPECT_TRUE(check_ttl(hours(24 * 365)));
  EXPECT_FALSE(check_ttl(hours(24 * 365) + milliseconds(1)));
}

TEST(StoreErrors, NameTheirTypeAndWhatToDo) {
  EXPECT_EQ(compacted(3, 9).type, kStoreCompacted);
  EXPECT_EQ(compacted(3, 9).detail, "9") << "a watcher begins there";
  EXPECT_EQ(compacted(3, 9).code, Code::kOutOfRange);
  EXPECT_EQ(other_epoch(1, 2).type, kStoreOtherEpoch);
  EXPECT_EQ(in_future(9, 3).code, Code::kFailedPrecondition);
  EXPECT_EQ(lease_not_found(255).type, kStoreLeaseNotFound);
  EXPECT_THAT(lease_not_found(255).message, HasSubstr("lease ff"));
}

TEST(StoreOutcomeText, SurvivesItsWayToTextAndBack) {
  StoreOutcome outcome;
  outcome.succeeded = true;
  outcome.revision = 1'234'567'890'123;
  const auto back = outcome_of_text(outcome_text(outcome));
  EXPECT_TRUE(back.succeeded && back.replayed);
  EXPECT_EQ(back.revision, outcome.revision);
  outcome.succeeded = false;
  EXPECT_FALSE(outcome_of_text(outcome_text(outcome)).succeeded);
}

}  // namespace
}  // namespace hector::stores
