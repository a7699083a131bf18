// What: tests of multicasts in reassembly and of the question to their sender.
// Why: what anybody can send must cost little and do nothing.
// Who: ctest, in udp_test.
#include "multicasts.h"

#include <gtest/gtest.h>

#include "conversation.h"

namespace hector::udp {
namespace {

struct Counting final : Random {
  std::uint64_t next() noexcept override { return ++last; }
  std::uint64_t last = 100;
};

class MulticastsTest : public ::testing::Test {
 protected:
  struct Place {
    std::uint64_t index, count;
  };
  std::optional<Multicasts::Question> give(const NetworkAddress& from, std::uint64_t message,
                                           Place place, const std::string& data) {
    std::string packet;
    Writer(packet)
        .fixed(message)
        .number(place.index)
        .number(place.count)
        .raw(data.data(), data.size());
    Reader reader(octets_of(packet));
    return multicasts.take(from, reader);
  }
  Counting random;
  Multicasts multicasts{random};
  NetworkAddress here = *NetworkAddress::parse("10.0.0.1:1"),
                 there = *NetworkAddress::parse("10.0.0.1:2");
};

TEST_F(MulticastsTest, AWholeOneIsAskedForAndGivenOnceItsSenderSaysSo) {
  EXPECT_FALSE(give(here, 7, {1, 2}, "lo"));
  const auto question = give(here, 7, {0, 2}, "hel");
  ASSERT_TRUE(question);
  EXPECT_EQ(question->digest, digest_of("hello"));
  EXPECT_FALSE(multicasts.confirmed(here, 7, question->token + 1)) << "a guess";
  EXPECT_FALSE(multicasts.confirmed(there, 7, question->token)) << "another address";
  EXPECT_FALSE(multicasts.confirmed(here, 8, question->token)) << "another message";
  EXPECT_EQ(multicasts.confirmed(here, 7, question->token), "hello");
  EXPECT_FALSE(multicasts.confirmed(here, 7, question->token)) << "once";
  EXPECT_FALSE(give(here, 7, {0, 1}, "again")) << "a duplicate";
  EXPECT_EQ(multicasts.octets(), 0U);
}

TEST_F(MulticastsTest, TheSameNumberFromAnotherAddressIsAnotherMessage) {
  EXPECT_FALSE(give(there, 7, {0, 2}, "spoofed"));
  EXPECT_TRUE(give(here, 7, {0, 1}, "real"));
}

TEST_F(MulticastsTest, WhatNeverBecomesWholeHasABoundAndTheOldestGoesFirst) {
  const std::string block(60'000, 'x');
  for (std::uint64_t n = 0; n < 3'000; ++n) {
    EXPECT_FALSE(give(here, n % 60, {n / 60, 1'024}, block));
    ASSERT_LE(multicasts.octets(), Multicasts::kOctetsMax + 60'000 * 51);
  }
  for (std::uint64_t n = 0; n < 100'000; ++n) give(here, 1'000 + n, {0, 2}, "");
  EXPECT_LE(multicasts.octets(), Multicasts::kPendingMax * 128) << "many small ones";
  EXPECT_FALSE(give(here, 1'000 + 99'999, {0, 3}, "")) << "of another count";
  EXPECT_TRUE(give(here, 1'000 + 99'999, {1, 2}, "x")) << "the latest is still there";
  EXPECT_FALSE(give(here, 1'000, {1, 2}, "x")) << "the oldest is not";
}

TEST_F(MulticastsTest, MalformedOnesAreDropped) {
  EXPECT_FALSE(give(here, 1, {0, 0}, "x"));
  EXPECT_FALSE(give(here, 1, {1, 1}, "x"));
  EXPECT_FALSE(give(here, 1, {0, kMulticastFragmentsMax + 1}, "x"));
  Reader cut(Octets{});
  EXPECT_FALSE(multicasts.take(here, cut));
  EXPECT_EQ(multicasts.octets(), 0U);
}

}  // namespace
}  // namespace hector::udp
