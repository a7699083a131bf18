#include "frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace hector::unix_sockets {

namespace {

/// The frames of these octets, given in pieces of `step`; then the error, if there was one.
struct Read {
  std::vector<Frame> frames;
  Status end;
};
Read read(const std::string& octets, std::size_t step) {
  FrameReader reader;
  Read read;
  for (std::size_t at = 0; at < octets.size();) {
    const auto room = reader.room();
    const std::size_t size = std::min({step, room.size(), octets.size() - at});
    std::memcpy(room.data(), octets.data() + at, size);
    reader.advance(size);
    at += size;
    for (;;) {
      auto frame = reader.next();
      if (!frame) {
        read.end = fail(frame.error());
        return read;
      }
      if (!*frame) break;
      read.frames.push_back(std::move(**frame));
    }
  }
  return read;
}

std::string frame(FrameType type, std::uint64_t call, const std::string& body) {
  return frame_head(type, call, body.size()) + body;
}

TEST(Frames, AreReadHoweverTheyArrive) {
  std::string large(300'000, 'x');
  for (std::size_t i = 0; i < large.size(); i += 1'000) large[i] = static_cast<char>(i / 1'000);
  const std::string all =
      frame(FrameType::kHello, kVersion, "") + frame(FrameType::kRequest, 7, "abc") +
      frame(FrameType::kReply, UINT64_MAX, large) + frame(FrameType::kCancel, 0, "\1");
  for (const std::size_t step : {1UL, 2UL, 12UL, 13UL, 14UL, 16'384UL, 100'000UL, 1'000'000UL}) {
    const auto got = read(all, step);
    ASSERT_TRUE(got.end) << step;
    ASSERT_EQ(got.frames.size(), 4U) << step;
    EXPECT_EQ(got.frames[0].body.size(), 0U);
    EXPECT_EQ(got.frames[1].type, FrameType::kRequest);
    EXPECT_EQ(got.frames[1].call, 7U);
    EXPECT_EQ(got.frames[1].body.view(), "abc");
    EXPECT_EQ(got.frames[2].call, UINT64_MAX);
    EXPECT_TRUE(got.frames[2].body.view() == large) << step;
    EXPECT_EQ(got.frames[3].body.view(), "\1");
  }
}

TEST(Frames, HaveTheOctetsOfTheReadme) {
  EXPECT_EQ(frame(FrameType::kRequest, 0x0102, "ab"),
            std::string("\2\0\0\0\2\2\1\0\0\0\0\0\0ab", 15));
}

TEST(Frames, OfNoTypeOrTooLongEndTheReading) {
  std::string longest = frame_head(FrameType::kReply, 1, kBodyOctetsMax);
  EXPECT_TRUE(read(longest, 100).end);
  longest[0] = static_cast<char>(longest[0] + 1);
  EXPECT_EQ(read(longest, 100).end.error().code, Code::kInvalidArgument);
  for (const char type : {'\0', '\x9', '\xff'}) {
    std::string wrong = frame(FrameType::kReply, 1, "");
    wrong[4] = type;
    const auto got = read(frame(FrameType::kHello, 1, "") + wrong, 100);
    EXPECT_EQ(got.frames.size(), 1U);
    ASSERT_FALSE(got.end);
    EXPECT_THAT(got.end.error().message, testing::HasSubstr("types 1 to 8"));
  }
}

}  // namespace
}  // namespace hector::unix_sockets
