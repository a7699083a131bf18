// What: tests of Conversation on the simulated clock and network.
// Why: who sends when (at once, corked, on a timer) and how silence ends is decided here.
// Who: ctest, in udp_test.
#include "conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dtls_wire.h"
#include "simulation.h"

namespace hector::udp {
namespace {

using hector::testing::Simulation;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Side final : public Conversation {
 public:
  using Conversation::Conversation;
  std::vector<std::string> messages;
  std::vector<std::string> gone;
  bool waits = false;
  std::string answer;

 private:
  bool is_waiting() const override { return waits; }
  void on_message(Bytes message, TimePoint) override {
    messages.push_back(message.str());
    if (!answer.empty()) send(0, "", Bytes::copy(answer));
  }
  void on_gone(const std::string& why) override {
    gone.push_back(why);
    shut();
  }
};

class ConversationTest : public ::testing::Test {
 protected:
  ConversationTest() {
    context.clock = &world;
    context.random = &world;
    context.executor = &world;
    context.log = &world;
    for (auto* host : {&left_host, &right_host}) {
      host->socket = *host->network->open(
          {*NetworkAddress::parse(host->address), std::nullopt, Reading::kNetworkThread},
          [host](const NetworkAddress&, Octets datagram) {
            ++host->datagrams;
            if (host->side) host->side->on_data(datagram.subspan(9));  // after type and id
          });
    }
    left_host.side = side(left_host, right_host);
    right_host.side = side(right_host, left_host);
  }
  struct Host {
    Host(Simulation& world, const char* ip)
        : address(std::string(ip) + ":7000"), network(world.host(ip)) {}
    std::string address;
    std::unique_ptr<Network> network;
    std::unique_ptr<DatagramSocket> socket;
    std::shared_ptr<Side> side;
    int datagrams = 0;
  };
  std::shared_ptr<Side> side(Host& here, Host& there) {
    const auto peer = *NetworkAddress::parse(there.address);
    return std::make_shared<Side>(context, std::make_shared<PlainLink>(*here.socket, peer), peer,
                                  1);
  }
  Side& left() { return *left_host.side; }
  Side& right() { return *right_host.side; }

  Simulation world{3};
  ProtocolContext context;
  Host left_host{world, "10.0.0.1"}, right_host{world, "10.0.0.2"};
};

TEST_F(ConversationTest, CarriesMessagesBothWays) {
  right().answer = "pong";
  left().send(0, "p", Bytes::copy("ing"));
  world.run_for(seconds(1));
  EXPECT_THAT(right().messages, ElementsAre("ping"));
  EXPECT_THAT(left().messages, ElementsAre("pong"));
}

TEST_F(ConversationTest, AReplyMadeInOnMessageCarriesTheAcknowledgement) {
  right().answer = "pong";
  left().send(0, "", Bytes::copy("ping"));
  world.run_for(milliseconds(1));
  EXPECT_EQ(left_host.datagrams, 1) << "one datagram holds both";
}

TEST_F(ConversationTest, SendsAgainWhatWasLost) {
  world.cut("10.0.0.1", "10.0.0.2");
  left().send(0, "", Bytes::copy("late"));
  world.run_for(milliseconds(10));
  world.heal();
  world.run_for(seconds(1));
  EXPECT_THAT(right().messages, ElementsAre("late"));
  EXPECT_TRUE(left().gone.empty());
}

TEST_F(ConversationTest, EndsAfterTheSilenceLimitAndNotBefore) {
  world.cut("10.0.0.1", "10.0.0.2");
  left().send(0, "", Bytes::copy("lost"));
  world.run_for(ConnectionLimits{}.silence_max - milliseconds(500));
  EXPECT_TRUE(left().gone.empty());
  world.run_for(seconds(1));
  EXPECT_THAT(left().gone, ElementsAre(HasSubstr("silent")));
}

TEST_F(ConversationTest, PingsAPeerThatItWaitsFor) {
  left().send(0, "", Bytes::copy("request"));
  world.run_for(milliseconds(100));
  const int before = right_host.datagrams;
  world.run_for(seconds(3));
  EXPECT_EQ(right_host.datagrams, before) << "nothing is awaited";
  left().waits = true;
  left().send(0, "", Bytes::copy("another"));
  world.run_for(milliseconds(100));
  world.cut("10.0.0.1", "10.0.0.2");
  world.run_for(seconds(8));
  EXPECT_EQ(left().gone.size(), 1U) << "the ping found the peer gone";
}

TEST_F(ConversationTest, TellsThePeerWhenItIsShutAndSendsNothingAfterwards) {
  left().shut();
  left().shut();
  world.run_for(milliseconds(10));
  EXPECT_THAT(right().gone, ElementsAre(HasSubstr("closed")));
  const int before = right_host.datagrams;
  left().send(0, "", Bytes::copy("too late"));
  world.run_for(seconds(1));
  EXPECT_EQ(right_host.datagrams, before);
  EXPECT_TRUE(right().messages.empty());
}

TEST(UdpLimits, ALoopbackPeerGetsLargerDatagrams) {
  EXPECT_EQ(limits_for(*NetworkAddress::parse("10.1.2.3:1")).datagram_octets, 1'400U);
  EXPECT_EQ(limits_for(*NetworkAddress::parse("127.0.0.1:1")).datagram_octets, 16'384U);
  EXPECT_EQ(limits_for(*NetworkAddress::parse("[::1]:1")).datagram_octets, 16'384U);
  EXPECT_EQ(limits_for(*NetworkAddress::parse("10.1.2.3:1"), Security::kPrivacy).datagram_octets,
            1'400U - kRecordOverhead);
}

}  // namespace
}  // namespace hector::udp
