// What: tests of CBOR to values and back, with the octets of RFC 8949's appendix A.
// Why: HEROS' peers use cbor2; a difference of one octet is another key or another value.
// Who: ctest, in heros_wire_test.
#include "values_cbor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace hector::heros {
namespace {

using ::testing::HasSubstr;

std::string octets(std::initializer_list<int> list) {
  std::string made;
  for (const int each : list) made.push_back(static_cast<char>(each));
  return made;
}
void expect_both_ways(const Value& value, const std::string& written) {
  EXPECT_EQ(cbor_of(value), written) << value.print();
  const auto read = read_cbor(written);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, value);
}

TEST(Cbor, WritesAndReadsTheExamplesOfTheRfc) {
  expect_both_ways(Value::of(0), octets({0x00}));
  expect_both_ways(Value::of(23), octets({0x17}));
  expect_both_ways(Value::of(24), octets({0x18, 24}));
  expect_both_ways(Value::of(1000), octets({0x19, 0x03, 0xe8}));
  expect_both_ways(Value::of(std::numeric_limits<std::int64_t>::max()),
                   octets({0x1b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  expect_both_ways(Value::of(-1), octets({0x20}));
  expect_both_ways(Value::of(-1000), octets({0x39, 0x03, 0xe7}));
  expect_both_ways(Value::of(std::numeric_limits<std::int64_t>::min()),
                   octets({0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  expect_both_ways(Value::of(1.1), octets({0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a}));
  expect_both_ways(Value::null(), octets({0xf6}));
  expect_both_ways(Value::of(true), octets({0xf5}));
  expect_both_ways(Value::of("a"), octets({0x61, 'a'}));
  expect_both_ways(Value::octets("\x01\x02"), octets({0x42, 1, 2}));
  expect_both_ways(Value::list({Value::of(1), Value::list()}), octets({0x82, 0x01, 0x80}));
  expect_both_ways(Value::tagged(258, Value::list()), octets({0xd9, 0x01, 0x02, 0x80}));
  Value map = Value::map();
  map.put("a", Value::of(1));
  expect_both_ways(map, octets({0xa1, 0x61, 'a', 0x01}));
}

TEST(Cbor, ReadsWhatItDoesNotWrite) {
  EXPECT_EQ(*read_cbor(octets({0xf9, 0x3c, 0x00})), Value::of(1.0)) << "a half";
  EXPECT_EQ(*read_cbor(octets({0xf7})), Value::null()) << "undefined";
  EXPECT_EQ(*read_cbor(octets({0x9f, 0x01, 0xff})), Value::list({Value::of(1)}));
  EXPECT_EQ(*read_cbor(octets({0x7f, 0x61, 'a', 0x61, 'b', 0xff})), Value::of("ab"));
  EXPECT_EQ(*read_cbor(octets({0x5f, 0x41, 1, 0x41, 2, 0xff})), Value::octets("\x01\x02"));
  Value map = Value::map();
  map.items = {Value::of(1), Value::of(2)};
  EXPECT_EQ(*read_cbor(octets({0xbf, 0x01, 0x02, 0xff})), map);
}

TEST(Cbor, IntegersBeyond64BitsBecomeBignums) {
  const auto large = read_cbor(octets({0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0}));
  ASSERT_TRUE(large);
  EXPECT_EQ(large->kind, Value::Kind::kTagged);
  EXPECT_EQ(large->tag, 2U);
  EXPECT_EQ(large->items.at(0).text, octets({0x80, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(read_cbor(octets({0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0}))->tag, 3U);
}

void expect_refused(const std::string& text, const char* why) {
  const auto refused = read_cbor(text);
  ASSERT_FALSE(refused) << why;
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr(why));
}

TEST(Cbor, RefusesWhatIsMalformedWithThePlace) {
  expect_refused("", "there is nothing");
  expect_refused(octets({0x19, 0x03}), "within an item");
  expect_refused(octets({0x82, 0x01}), "within an item");
  expect_refused(octets({0x01, 0x02}), "octet 1: there is more");
  expect_refused(octets({0xff}), "a break");
  expect_refused(octets({0xbf, 0x01, 0xff}), "a break where nothing can end");
  expect_refused(octets({0x61, 0xff}), "not UTF-8");
  expect_refused(octets({0x7f, 0x41, 1, 0xff}), "a chunk of another kind");
  expect_refused(octets({0x1c}), "no CBOR item");
}

TEST(Cbor, DoesNotReserveWhatAHostileLengthSays) {
  expect_refused(octets({0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "within an item");
  expect_refused(octets({0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "cannot be");
}

TEST(Cbor, NestsToTheMaximumAndNoDeeper) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '\x81') + std::string(1, '\x00');
  };
  EXPECT_TRUE(read_cbor(nested(kCborDepthMax)));
  expect_refused(nested(kCborDepthMax + 1), "nested more than");
}

}  // namespace
}  // namespace hector::heros
