#include "call/audited.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hector {

namespace {

class AuditedTest : public ::testing::Test {
 protected:
  AuditSink sink() {
    return [this](const AuditEvent& event) -> Status {
      recorded_.push_back(event);
      if (is_full_) return fail(Error::resource_exhausted("no room"));
      return {};
    };
  }
  Result<int> act(Result<int> result) {
    return audited(sink(), {.kind = "management", .action = "load"}, [&] {
      ++done_;
      return result;
    });
  }
  std::vector<AuditEvent> recorded_;
  bool is_full_ = false;
  int done_ = 0;
};

TEST_F(AuditedTest, IsRecordedBeforeAndAfter) {
  EXPECT_EQ(*act(7), 7);
  ASSERT_EQ(recorded_.size(), 2U);
  EXPECT_EQ(recorded_[0].outcome, AuditOutcome::kBegun);
  EXPECT_EQ(recorded_[1].outcome, AuditOutcome::kDone);
  EXPECT_EQ(recorded_[1].action, "load");
}

TEST_F(AuditedTest, IsNotDoneWhereItCannotBeRecorded) {
  is_full_ = true;
  const auto result = act(7);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUnavailable);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("no room"));
  EXPECT_EQ(done_, 0);
}

TEST_F(AuditedTest, SaysWhyItFailedOrWasRefused) {
  EXPECT_FALSE(act(fail(Error::not_found("no such file"))));
  EXPECT_FALSE(act(fail(Error::permission_denied("not yours"))));
  ASSERT_EQ(recorded_.size(), 4U);
  EXPECT_EQ(recorded_[1].outcome, AuditOutcome::kFailed);
  EXPECT_THAT(recorded_[1].reasons, ::testing::ElementsAre(::testing::HasSubstr("no such file")));
  EXPECT_EQ(recorded_[3].outcome, AuditOutcome::kRefused);
}

TEST_F(AuditedTest, IsDoneAtOnceWithoutALog) {
  EXPECT_EQ(*audited({}, {}, [] { return Result<int>(3); }), 3);
}

}  // namespace
}  // namespace hector
