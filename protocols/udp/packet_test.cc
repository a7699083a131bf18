// What: tests of the udp wire format: numbers, number sets, frames.
// Why: the format is a contract with capsules of other builds; malformed input must end in false.
// Who: ctest, in udp_test.
#include "packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::udp {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// The text has to outlive what reads it.
Octets octets(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(UdpNumber, SurvivesAtEachLengthOfItsEncoding) {
  for (int bits = 0; bits < 64; ++bits) {
    const std::uint64_t number = (1ULL << bits) - (bits % 2);
    std::string out;
    Writer(out).number(number);
    Reader reader(octets(out));
    EXPECT_EQ(reader.number(), number);
    EXPECT_TRUE(reader.ok() && reader.at_end()) << bits;
    EXPECT_EQ(out.size(), number < 0x80 ? 1U : (63U - __builtin_clzll(number)) / 7U + 1U);
  }
}

TEST(UdpNumber, IsRefusedWhenItsEncodingHasNoEnd) {
  const std::string open = "\x80";
  Reader cut(octets(open));
  EXPECT_EQ(cut.number(), 0U);
  EXPECT_FALSE(cut.ok());
  const std::string endless(11, '\x80');
  Reader long_one(octets(endless));
  long_one.number();
  EXPECT_FALSE(long_one.ok());
}

TEST(UdpReader, YieldsZerosAfterTheFirstMistake) {
  const std::string text = "\x05";
  Reader reader(octets(text));
  EXPECT_EQ(reader.fixed(), 0U);
  EXPECT_EQ(reader.octet(), 0U) << "the octet that is there is no longer trusted";
  EXPECT_TRUE(reader.raw(0).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(NumberSet, MergesNeighboursAndRefusesDuplicates) {
  NumberSet set;
  for (const std::uint64_t n : {5, 3, 9, 4, 1}) EXPECT_TRUE(set.add(n)) << n;
  EXPECT_THAT(set.ranges(), ElementsAre(Pair(1, 1), Pair(3, 5), Pair(9, 9)));
  for (const std::uint64_t n : {1, 3, 4, 5, 9}) {
    EXPECT_TRUE(set.contains(n));
    EXPECT_FALSE(set.add(n)) << n;
  }
  EXPECT_TRUE(set.add(2));
  EXPECT_THAT(set.ranges(), ElementsAre(Pair(1, 5), Pair(9, 9)));
  EXPECT_FALSE(set.contains(6));
}

TEST(NumberSet, CountsWhatItForgetsAsReceived) {
  NumberSet set;
  for (const std::uint64_t n : {2, 4, 6, 8}) set.add(n);
  set.keep(2);
  EXPECT_THAT(set.ranges(), ElementsAre(Pair(6, 6), Pair(8, 8)));
  for (const std::uint64_t n : {1, 2, 3, 4}) EXPECT_TRUE(set.contains(n)) << n;
  EXPECT_FALSE(set.add(3)) << "below what is remembered nothing is delivered a second time";
  EXPECT_TRUE(set.add(5)) << "above it the gaps are still open";
}

TEST(UdpPacket, FramesSurviveTheirWayToOctetsAndBack) {
  std::string out;
  Writer writer(out);
  const std::string text = "payload";
  write_fragment(writer, {9, 5, 3, 100, 20, octets(text)});
  NumberSet numbers;
  for (const std::uint64_t n : {1, 2, 3, 7, 8, 20}) EXPECT_TRUE(numbers.add(n));
  write_acknowledgement(writer, numbers);
  writer.type(FrameType::kLimit).number(1ULL << 40);
  Reader reader(octets(out));
  Frame fragment, acknowledgement, limit;
  ASSERT_TRUE(read_frame(reader, fragment));
  EXPECT_EQ(fragment.fragment.message, 9U);
  EXPECT_EQ(fragment.fragment.group, 5U);
  EXPECT_EQ(fragment.fragment.position, 3U);
  EXPECT_EQ(fragment.fragment.total, 100U);
  EXPECT_EQ(fragment.fragment.offset, 20U);
  EXPECT_EQ(fragment.fragment.data.size(), text.size());
  ASSERT_TRUE(read_frame(reader, acknowledgement));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [from, to] : acknowledgement.acknowledgement.ranges())
    ranges.emplace_back(from, to);
  EXPECT_THAT(ranges, ElementsAre(Pair(20, 20), Pair(7, 8), Pair(1, 3)));
  ASSERT_TRUE(read_frame(reader, limit));
  EXPECT_EQ(limit.limit, 1ULL << 40);
  EXPECT_FALSE(read_frame(reader, limit));
  EXPECT_TRUE(reader.ok());
}

TEST(UdpPacket, AnAcknowledgementNamesItsHighestRangesUpToTheLimit) {
  NumberSet numbers;
  for (std::uint64_t n = 1; n <= 2 * kRangesMax + 2; n += 2) numbers.add(n);
  ASSERT_EQ(numbers.ranges().size(), kRangesMax + 1);
  std::string out;
  Writer writer(out);
  write_acknowledgement(writer, numbers);
  Reader reader(octets(out));
  Frame frame;
  ASSERT_TRUE(read_frame(reader, frame));
  ASSERT_EQ(frame.acknowledgement.count, kRangesMax);
  EXPECT_EQ(frame.acknowledgement.ranges().front().last, 2 * kRangesMax + 1);
  EXPECT_EQ(frame.acknowledgement.ranges().back().first, 3U) << "the lowest range is left out";

  std::string over;
  Writer(over).type(FrameType::kAcknowledge).number(kRangesMax + 1);
  Reader refused(octets(over));
  EXPECT_FALSE(read_frame(refused, frame));
  EXPECT_FALSE(refused.ok());
}

/// A fragment frame with any fields, as no Connection would write it.
std::string raw_fragment(std::uint64_t message, std::uint64_t group, std::uint64_t position,
                         std::uint64_t total, std::uint64_t offset, const std::string& data) {
  std::string out;
  Writer writer(out);
  writer.type(FrameType::kFragment).number(message).number(group);
  if (group != 0) writer.number(position);
  writer.number(total).number(offset).number(data.size()).raw(data.data(), data.size());
  return out;
}

TEST(UdpPacket, AFragmentThatContradictsItselfIsRefused) {
  const auto is_read = [](const std::string& packet) {
    Reader reader(octets(packet));
    Frame frame;
    const bool read = read_frame(reader, frame);
    EXPECT_EQ(read, reader.ok());
    return read;
  };
  EXPECT_TRUE(is_read(raw_fragment(1, 0, 0, 4, 0, "abcd")));
  EXPECT_TRUE(is_read(raw_fragment(1, 0, 0, 0, 0, ""))) << "an empty message is one";
  EXPECT_TRUE(is_read(raw_fragment(1, 0, 0, kMessageOctetsMax, 0, "a")));
  EXPECT_FALSE(is_read(raw_fragment(1, 0, 0, kMessageOctetsMax + 1, 0, "a")));
  EXPECT_FALSE(is_read(raw_fragment(0, 0, 0, 4, 0, "abcd"))) << "messages count from 1";
  EXPECT_FALSE(is_read(raw_fragment(1, 2, 0, 4, 0, "abcd"))) << "positions count from 1";
  EXPECT_FALSE(is_read(raw_fragment(1, 0, 0, 4, 1, "abcd"))) << "beyond its end";
  EXPECT_FALSE(is_read(raw_fragment(1, 0, 0, 4, 5, "")));
  EXPECT_FALSE(is_read(raw_fragment(1, 0, 0, 4, 0, ""))) << "it brings nothing";
  EXPECT_FALSE(is_read(std::string(1, '\x7f'))) << "no frame has this type";
}

TEST(UdpPacket, EveryCutAndEveryFlippedOctetIsHandled) {
  std::string out;
  Writer writer(out);
  const std::string text = "some payload of a message";
  write_fragment(writer, {9, 5, 3, 100, 20, octets(text)});
  NumberSet numbers;
  for (const std::uint64_t n : {1, 2, 3, 7, 8, 20}) numbers.add(n);
  write_acknowledgement(writer, numbers);
  for (std::size_t cut = 0; cut <= out.size(); ++cut) {
    for (std::size_t flip = 0; flip < cut; ++flip) {
      std::string broken = out.substr(0, cut);
      broken[flip] = static_cast<char>(broken[flip] ^ 0xff);
      Reader reader(octets(broken));
      int frames = 0;
      Frame frame;
      while (read_frame(reader, frame)) ASSERT_LT(++frames, 200);
    }
  }
}

}  // namespace
}  // namespace hector::udp
