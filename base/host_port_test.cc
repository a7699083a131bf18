// What: HOST:PORT, what it is and what it is not.
// Why: what passes here is what a capsule listens at.
// Who: base_test.
#include "hector/host_port.h"

#include <gtest/gtest.h>

namespace hector {
namespace {

TEST(HostPort, IsReadAndWrittenInOneForm) {
  for (const char* text :
       {"127.0.0.1:7300", "0.0.0.0:0", "localhost:1", "a-b.example.org:65535", "my_host:50051",
        "[::1]:0", "[fe80::1%eth0]:7300", "[::ffff:127.0.0.1]:80", "*:5555"}) {
    const auto read = HostPort::parse(text);
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(read->text(), text);
  }
  EXPECT_EQ(HostPort::parse("h:080")->port, 80) << "decimal, whatever it begins with";
}

TEST(HostPort, RefusesWhatIsNoPort) {
  for (const char* text : {"127.0.0.1:65536",
                           "127.0.0.1:70000",
                           "127.0.0.1:131073",
                           "127.0.0.1:4294967376",
                           "127.0.0.1:99999999999999999999",
                           "127.0.0.1:",
                           "127.0.0.1",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1:80x",
                           "127.0.0.1:0x50",
                           "127.0.0.1: 80",
                           "127.0.0.1:80 ",
                           "127.0.0.1:8.0",
                           "127.0.0.1:8e1",
                           "[::1]",
                           "[::1]:",
                           "[::1]:70000",
                           "localhost:http",
                           "h:\xd9\xa1",
                           ":",
                           ""}) {
    const auto read = HostPort::parse(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kInvalidArgument);
    EXPECT_NE(read.error().message.find("port"), std::string::npos) << read.error().message;
  }
}

TEST(HostPort, RefusesWhatIsNoHost) {
  for (const char* text : {":80", "::1:80", "fe80::1:80", "[]:80", "[::1:80", "::1]:80",
                           "[127.0.0.1]:80", "[x]:80", "1.2.3:80", "1.2.3.4.5:80", "256.0.0.1:80",
                           "a b:80", "http://h:80", "a/b:80", "h\n:80", "ä:80", "**:80", "u@h:80"})
    EXPECT_FALSE(HostPort::parse(text)) << text;
  EXPECT_FALSE(HostPort::parse(std::string(254, 'a') + ":80"));
  EXPECT_TRUE(HostPort::parse(std::string(253, 'a') + ":80"));
}

TEST(HostPort, ThatIsToBeReachedNamesOnePlace) {
  EXPECT_TRUE(HostPort::parse_reachable("localhost:1"));
  EXPECT_FALSE(HostPort::parse_reachable("localhost:0"));
  EXPECT_FALSE(HostPort::parse_reachable("*:1"));
  EXPECT_FALSE(HostPort::parse_reachable("localhost:65536"));
}

}  // namespace
}  // namespace hector
