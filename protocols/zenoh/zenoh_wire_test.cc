// What: tests of the marks, keys and addresses of Hector's use of zenoh.
// Why: both sides and capsules of other builds read them.
// Who: ctest, in zenoh_test.
#include "zenoh_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::zenohp {
namespace {

using ::testing::HasSubstr;

TEST(ZenohMark, SurvivesItsWay) {
  const Mark mark{Type::kFlowCredit, 0x0123456789abcdef, 42, UINT64_MAX};
  std::string out = "";
  write_mark(mark, out);
  out += "what follows";
  Mark read;
  const auto used = read_mark(out, read);
  ASSERT_TRUE(used);
  EXPECT_EQ(out.substr(*used), "what follows");
  EXPECT_EQ(read.type, mark.type);
  EXPECT_EQ(read.client, mark.client);
  EXPECT_EQ(read.call, mark.call);
  EXPECT_EQ(read.number, mark.number);
}

TEST(ZenohMark, ThatIsCutOrOfAnotherFormatIsNone) {
  std::string out;
  write_mark({Type::kRequest, 1, 2, 3}, out);
  Mark read;
  for (std::size_t size = 0; size < out.size(); ++size)
    EXPECT_FALSE(read_mark(out.substr(0, size), read)) << size;
  std::string other = out;
  other[2] = '2';
  EXPECT_FALSE(read_mark(other, read)) << "another version";
  for (const int type : {0, 7, 255}) {
    std::string wrong = out;
    wrong[3] = static_cast<char>(type);
    EXPECT_FALSE(read_mark(wrong, read)) << type;
  }
}

TEST(ZenohAddress, HasACapsuleAndALocator) {
  const auto read = Address::parse("south@tcp/127.0.0.1:7449");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->capsule, "south");
  EXPECT_EQ(read->locator, "tcp/127.0.0.1:7449");
  EXPECT_EQ(read->text(), "south@tcp/127.0.0.1:7449");
}

TEST(ZenohAddress, OfAnotherShapeIsRefusedWithAnExample) {
  for (const char* text : {"", "south", "@tcp/127.0.0.1:1", "south@", "south@127.0.0.1:1"}) {
    const auto refused = Address::parse(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("south@tcp/127.0.0.1:7449"));
  }
}

TEST(ZenohAddress, OfAPortThatThereIsNotIsRefused) {
  for (const char* text : {"south@tcp/127.0.0.1:65536", "south@tcp/127.0.0.1:70000",
                           "south@tcp/127.0.0.1:", "south@tcp/127.0.0.1", "south@tls/[::1]:80x",
                           "south@tcp/127.0.0.1:0", "south@udp/*:1", "south@tcp/127.0.0.1:1\"",
                           "south@/127.0.0.1:1", "south@tcp/"})
    EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(ZenohLocator, KeepsAllItsParts) {
  for (const char* text : {"tcp/127.0.0.1:7449", "tcp/[::1]:0", "quic/localhost:7447?rel=0",
                           "tcp/localhost:7447#iface=eth0", "unixsock-stream//tmp/a.sock"}) {
    const auto read = Locator::parse(text);
    ASSERT_TRUE(read) << text << ": " << read.error().text();
    EXPECT_EQ(read->text(), text);
  }
}

TEST(ZenohKeys, AreThoseOfTheReadme) {
  EXPECT_EQ(object_key("south", "echo", "call"), "hector/south/echo/call");
  EXPECT_EQ(session_key("south"), "hector/south/@session");
  EXPECT_EQ(inbox_key("south"), "hector/south/@in");
  EXPECT_EQ(ping_key("south"), "hector/south/@ping");
  EXPECT_EQ(presence_key("south"), "hector/@live/south");
  EXPECT_EQ(client_key(0xab), "hector/@client/00000000000000ab");
}

}  // namespace
}  // namespace hector::zenohp
