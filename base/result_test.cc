// What: Error's factories, causes and text; HECTOR_TRY; HECTOR_CHECK.
// Why: every failure of the system is told in this form.
// Who: base_test.
#include "hector/result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "hector/check.h"

namespace hector {
namespace {

using ::testing::ElementsAre;

TEST(Error, IsMadeByTheFactoryOfItsCode) {
  const Error error = Error::not_found("no Object is named 'hi'");
  EXPECT_EQ(error.code, Code::kNotFound);
  EXPECT_EQ(error.message, "no Object is named 'hi'");
  EXPECT_EQ(Error::cancelled("").code, Code::kCancelled);
  EXPECT_EQ(Error::invalid_argument("").code, Code::kInvalidArgument);
  EXPECT_EQ(Error::deadline_exceeded("").code, Code::kDeadlineExceeded);
  EXPECT_EQ(Error::already_exists("").code, Code::kAlreadyExists);
  EXPECT_EQ(Error::permission_denied("").code, Code::kPermissionDenied);
  EXPECT_EQ(Error::resource_exhausted("").code, Code::kResourceExhausted);
  EXPECT_EQ(Error::failed_precondition("").code, Code::kFailedPrecondition);
  EXPECT_EQ(Error::aborted("").code, Code::kAborted);
  EXPECT_EQ(Error::out_of_range("").code, Code::kOutOfRange);
  EXPECT_EQ(Error::unimplemented("").code, Code::kUnimplemented);
  EXPECT_EQ(Error::internal("").code, Code::kInternal);
  EXPECT_EQ(Error::unavailable("").code, Code::kUnavailable);
  EXPECT_EQ(Error::data_loss("").code, Code::kDataLoss);
}

TEST(Error, TellsItsReasonsAndItsCausesOneALine) {
  const Error error =
      Error::failed_precondition("a party cannot play its role")
          .with_type(kIncompatible)
          .with_detail("octets")
          .with_reasons({"R1: too little", "qos: too slow"})
          .caused_by(Error::unavailable("no answer").caused_by(Error::internal("no socket")));
  EXPECT_EQ(error.type, kIncompatible);
  EXPECT_EQ(error.detail, "octets");
  EXPECT_THAT(error.reasons, ElementsAre("R1: too little", "qos: too slow"));
  EXPECT_EQ(
      error.text(),
      "FAILED_PRECONDITION: a party cannot play its role\n  - R1: too little\n"
      "  - qos: too slow\n  caused by UNAVAILABLE: no answer\n  caused by INTERNAL: no socket");
}

TEST(Code, OutsideTheListBecomesUnknown) {
  EXPECT_EQ(code_from_number(16), Code::kUnauthenticated);
  EXPECT_EQ(code_from_number(17), Code::kUnknown);
  EXPECT_EQ(code_name(Code::kDataLoss), "DATA_LOSS");
  EXPECT_EQ(code_name(static_cast<Code>(17)), "UNKNOWN");
}

Result<std::unique_ptr<int>> number_or(Result<std::unique_ptr<int>> result) {
  auto value = HECTOR_TRY(std::move(result));
  ++*value;
  return value;
}

TEST(Try, GivesTheValueAlsoWhereItCanOnlyBeMoved) {
  const auto made = number_or(std::make_unique<int>(6));
  ASSERT_TRUE(made);
  EXPECT_EQ(**made, 7);
}

TEST(Try, ReturnsTheErrorAsItIs) {
  const auto made = number_or(fail(Error::aborted("twice").with_reasons({"why"})));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text(), "ABORTED: twice\n  - why");
}

Status steps(const Status& first, int& taken) {
  HECTOR_TRY(first);
  ++taken;
  return {};
}

TEST(Try, StopsAtTheFirstStatusThatFails) {
  int taken = 0;
  EXPECT_TRUE(steps({}, taken));
  EXPECT_EQ(taken, 1);
  const Status refused = fail(Code::kAborted, "no");
  EXPECT_EQ(steps(refused, taken).error().message, "no");
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(refused.error().message, "no") << "an lvalue keeps its error";
}

TEST(CheckDeathTest, StopsTheProcessWithPlaceMessageAndCondition) {
  const int depth = 3;
  HECTOR_CHECK(depth == 3, "not reached");
  EXPECT_DEATH(HECTOR_CHECK(depth < 3, "the queue is longer than its limit"),
               "result_test.cc:[0-9]+: the queue is longer than its limit .violated: depth < 3.");
}

TEST(Error, SaysACodeOnceThatItsMessageBeginsWith) {
  EXPECT_EQ(Error::not_found("NOT_FOUND: no type 'x'").text(), "NOT_FOUND: no type 'x'");
  EXPECT_EQ(Error::not_found("NO_MATCH: no entry").text(), "NOT_FOUND: NO_MATCH: no entry");
  EXPECT_EQ(Error::not_found("NOT_FOUND").text(), "NOT_FOUND: NOT_FOUND");
  EXPECT_EQ(Error::unavailable("CTX_GONE: CTX_GONE: CTX_GONE: nobody: there").text(),
            "UNAVAILABLE: CTX_GONE: nobody: there");
  EXPECT_EQ(Error::internal(": x").text(), "INTERNAL: : x");
}

}  // namespace
}  // namespace hector
