// What: errors that are longer than what is carried.
// Why: an error whose text does not fit must not become another error.
// Who: ctest.
#include "call/error_limits.h"

#include <gmock/gmock.h>

#include <string>

#include "hector/call.h"
#include "hector/system.h"

namespace hector {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Error within(Error error) {
  keep_within_limits(error);
  return error;
}

TEST(ErrorLimits, ATextOfTheMaximumStaysAndALongerOneIsCutAndMarked) {
  const std::string longest(kErrorTextOctetsMax, 'x');
  EXPECT_EQ(within(Error::internal(longest)).message, longest);
  for (const std::size_t size : {kErrorTextOctetsMax + 1, std::size_t{70'000}}) {
    const std::string cut = within(Error::internal(std::string(size, 'x'))).message;
    EXPECT_LE(cut.size(), kErrorTextOctetsMax);
    EXPECT_THAT(cut, StartsWith(std::string(8'000, 'x')));
    EXPECT_THAT(cut, EndsWith(std::to_string(size) + " octets]"));
  }
}

TEST(ErrorLimits, ATextIsNotCutInsideACharacter) {
  for (std::size_t before = 0; before < 4; ++before) {
    std::string text(before, 'x');
    while (text.size() < 9'000) text += "😀";
    const std::string cut = within(Error::internal(text)).message;
    const auto mark = cut.find(" … [cut");
    ASSERT_NE(mark, std::string::npos);
    EXPECT_EQ((mark - before) % 4, 0U) << before;
  }
}

TEST(ErrorLimits, ACutErrorIsNotCutAgain) {
  const Error once =
      within(Error::internal(std::string(70'000, 'x')).with_reasons({std::string(9'000, 'r')}));
  const Error twice = within(once);
  EXPECT_EQ(twice.message, once.message);
  EXPECT_EQ(twice.reasons, once.reasons);
}

TEST(ErrorLimits, ADetailIsWholeOrLeftOutWithAWord) {
  const std::string largest(kErrorDetailOctetsMax, 'd');
  const Error kept = within(Error::internal(std::string(9'000, 'x')).with_detail(largest));
  EXPECT_EQ(kept.detail, largest) << "a text gives way, a detail does not";
  const Error left = within(Error::internal("why").with_detail(largest + "d"));
  EXPECT_EQ(left.detail, "");
  EXPECT_THAT(left.message, StartsWith("why"));
  EXPECT_THAT(left.message, HasSubstr("detail of 65537 octets"));
}

TEST(ErrorLimits, ReasonsThatAreTooManyAreCounted) {
  const Error many = within(Error::internal("").with_reasons(std::vector<std::string>(200, "r")));
  ASSERT_EQ(many.reasons.size(), kErrorReasonsMax);
  EXPECT_THAT(many.reasons.back(), HasSubstr("73 more"));
  const Error long_ones = within(
      Error::internal("").with_reasons(std::vector<std::string>(10, std::string(8'000, 'r'))));
  ASSERT_EQ(long_ones.reasons.size(), 5U);
  EXPECT_THAT(long_ones.reasons.back(), HasSubstr("6 more"));
  const std::vector<std::string> just(kErrorReasonsMax, "r");
  EXPECT_EQ(within(Error::internal("").with_reasons(just)).reasons, just);
}

TEST(ErrorLimits, HoldForEveryCallAlsoWithinOneCapsule) {
  struct Failing final : CallTarget {
    void start(Call& call) noexcept override {
      call.fail(Error::not_found(std::string(70'000, 'x')).with_type("t").with_detail("d"));
    }
  } failing;
  WaitedCall call;
  call.run(failing, *make_system_clock());
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->code, Code::kNotFound);
  EXPECT_EQ(call.error->type, "t");
  EXPECT_EQ(call.error->detail, "d");
  EXPECT_LE(call.error->message.size(), kErrorTextOctetsMax);
}

TEST(ErrorLimits, WhatIsWithinThemPassesTheWireWhole) {
  Error sent = Error::not_found(std::string(kErrorTextOctetsMax, 'x'))
                   .with_type("diary.Busy")
                   .with_detail(std::string(kErrorDetailOctetsMax, 'd'))
                   .with_reasons(std::vector<std::string>(kErrorReasonsMax, "r"));
  keep_within_limits(sent);
  std::string octets;
  encode_outcome(&sent, {}, octets);
  Outcome outcome;
  ASSERT_TRUE(decode_outcome(octets, outcome));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->message, sent.message);
  EXPECT_EQ(outcome.error->detail, sent.detail);
  EXPECT_EQ(outcome.error->reasons, sent.reasons);
}

}  // namespace
}  // namespace hector
