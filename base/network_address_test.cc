// What: network addresses as text and as keys.
// Why: references carry them between capsules, and tables are looked up by them.
// Who: base_test.
#include <gtest/gtest.h>

#include "hector/network.h"

namespace hector {
namespace {

std::string round_trip(const std::string& text) {
  const auto address = NetworkAddress::parse(text);
  return address ? address->text() : address.error().message;
}

TEST(NetworkAddress, IsReadAndWrittenInOneForm) {
  EXPECT_EQ(round_trip("127.0.0.1:7300"), "127.0.0.1:7300");
  EXPECT_EQ(round_trip("[::1]:0"), "[::1]:0");
  for (const char* wrong : {"localhost:1", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:", "::1:5"})
    EXPECT_NE(round_trip(wrong).find("is not an address"), std::string::npos) << wrong;
}

TEST(NetworkAddress, KnowsItsFamilyAndMulticast) {
  EXPECT_TRUE(NetworkAddress::parse("224.0.0.1:1")->is_multicast());
  EXPECT_TRUE(NetworkAddress::parse("[ff02::1]:1")->is_multicast());
  EXPECT_FALSE(NetworkAddress::parse("223.255.255.255:1")->is_multicast());
  EXPECT_TRUE(NetworkAddress::parse("1.2.3.4:1")->is_ipv4());
  EXPECT_FALSE(NetworkAddress::parse("[::1]:1")->is_ipv4());
}

TEST(NetworkAddress, HashesItsPortToo) {
  const NetworkAddressHash hash;
  EXPECT_EQ(hash(*NetworkAddress::parse("1.2.3.4:1")), hash(*NetworkAddress::parse("1.2.3.4:1")));
  EXPECT_NE(hash(*NetworkAddress::parse("1.2.3.4:1")), hash(*NetworkAddress::parse("1.2.3.4:2")));
}

}  // namespace
}  // namespace hector
