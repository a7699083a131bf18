// What: FrameWatch over frames made by hand, whole and in pieces.
// Why: what it misses, gRPC keeps.
// Who: ctest.
#include "frame_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "testing.h"

namespace hector::grpcp {
namespace {

constexpr std::uint8_t kData = 0, kHeaders = 1, kSettings = 4, kPing = 6, kContinuation = 9;
constexpr std::uint8_t kAck = 1, kEndHeaders = 4;
constexpr std::size_t kFrameMax = 16'384;

Octets preface() {
  const std::string text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  return {text.begin(), text.end()};
}

struct Begun {
  FrameWatch watch;
  Begun() { EXPECT_EQ(watch.feed(preface()), Offence::kNone); }
};

TEST(FrameWatch, CountsAHeaderThatFitsOneFrame) {
  Begun begun;
  EXPECT_EQ(begun.watch.feed(frame(kHeaders, kEndHeaders, 200)), Offence::kNone);
  EXPECT_EQ(begun.watch.headers(), 1U);
  EXPECT_EQ(begun.watch.open_header(), 0U);
}

TEST(FrameWatch, HasAnOpenHeaderUntilItsLastFrame) {
  Begun begun;
  EXPECT_EQ(begun.watch.feed(frame(kHeaders, 0, 100)), Offence::kNone);
  EXPECT_EQ(begun.watch.open_header(), 109U);
  EXPECT_EQ(begun.watch.feed(frame(kContinuation, 0, 10)), Offence::kNone);
  EXPECT_EQ(begun.watch.open_header(), 128U);
  EXPECT_EQ(begun.watch.headers(), 0U);
  EXPECT_EQ(begun.watch.feed(frame(kContinuation, kEndHeaders, 10)), Offence::kNone);
  EXPECT_EQ(begun.watch.open_header(), 0U);
  EXPECT_EQ(begun.watch.headers(), 1U);
}

/// Frames of this size until the offence; how many were taken.
std::size_t taken(std::size_t size) {
  Begun begun;
  std::size_t count = 1;
  EXPECT_EQ(begun.watch.feed(frame(kHeaders, 0, size)), Offence::kNone);
  while (begun.watch.feed(frame(kContinuation, 0, size)) == Offence::kNone) ++count;
  return count;
}

TEST(FrameWatch, EndsAHeaderBeyondTheLimitAndNoneAtIt) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1'000}, kFrameMax})
    EXPECT_EQ(taken(size), kHeaderBlockOctetsMax / (size + 9)) << size;
}

TEST(FrameWatch, EndsOneFrameBeyondTheLimitBeforeItsOctetsCome) {
  Begun begun;
  auto octets = frame(kHeaders, kEndHeaders, kHeaderBlockOctetsMax);
  octets.resize(9);
  EXPECT_EQ(begun.watch.feed(octets), Offence::kLongHeader);
}

TEST(FrameWatch, EndsAPeerThatCallsWithoutAcknowledgingTheSettings) {
  Begun begun;
  for (std::uint64_t i = 0; i < kUnsettledCallsMax; ++i)
    ASSERT_EQ(begun.watch.feed(frame(kHeaders, kEndHeaders, 9)), Offence::kNone);
  EXPECT_EQ(begun.watch.feed(frame(kHeaders, kEndHeaders, 9)), Offence::kIgnoredSettings);
}

TEST(FrameWatch, TakesManyHeadersThatEnd) {
  Begun begun;
  ASSERT_EQ(begun.watch.feed(frame(kSettings, kAck, 0)), Offence::kNone);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(begun.watch.feed(frame(kHeaders, 0, kFrameMax)), Offence::kNone);
    ASSERT_EQ(begun.watch.feed(frame(kContinuation, kEndHeaders, kFrameMax)), Offence::kNone);
  }
  EXPECT_EQ(begun.watch.headers(), 1'000U);
}

TEST(FrameWatch, CountsPingsAndSettingsThatAreNoAnswers) {
  Begun begun;
  for (const auto type : {kPing, kSettings}) {
    EXPECT_EQ(begun.watch.feed(frame(type, 0, 8)), Offence::kNone);
    EXPECT_EQ(begun.watch.feed(frame(type, kAck, 8)), Offence::kNone);
  }
  EXPECT_EQ(begun.watch.questions(), 2U);
}

TEST(FrameWatch, SeesTheSameInPiecesOfAnySize) {
  Octets all = preface();
  for (const auto& each :
       {frame(kSettings, 0, 12), frame(kHeaders, 0, 300), frame(kContinuation, kEndHeaders, 0),
        frame(kData, 0, 5'000), frame(kHeaders, kEndHeaders, 7), frame(kPing, 0, 8),
        frame(kHeaders, 0, 20)})
    all.insert(all.end(), each.begin(), each.end());
  for (std::size_t size = 1; size < 64; ++size) {
    FrameWatch watch;
    const std::span<const std::uint8_t> left(all);
    for (std::size_t at = 0; at < all.size(); at += size)
      ASSERT_EQ(watch.feed(left.subspan(at, std::min(size, all.size() - at))), Offence::kNone);
    EXPECT_EQ(watch.headers(), 2U) << size;
    EXPECT_EQ(watch.questions(), 2U) << size;
    EXPECT_EQ(watch.open_header(), 29U) << size;
  }
}

TEST(FrameWatch, LooksAtNothingWithinAFrame) {
  Begun begun;
  const auto trick = frame(kHeaders, 0, kFrameMax);
  Octets inside = frame(kData, 0, trick.size());
  std::copy(trick.begin(), trick.end(), inside.begin() + 9);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(begun.watch.feed(inside), Offence::kNone);
  EXPECT_EQ(begun.watch.open_header(), 0U);
}

}  // namespace
}  // namespace hector::grpcp
