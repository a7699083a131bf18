// What: tests of the Majordomo messages: 7/MDP and 18/MDP out of frames and into them.
// Why: brokers and workers of other implementations send both; what fits neither must be dropped.
// Who: ctest, in zeromq_wire_test.
#include "frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::zeromq {
namespace {

using ::testing::ElementsAre;

Frames from_client(int version, const std::string& service, const Frames& body) {
  return write_mdp({version, Side::kClient, Command::kRequest, service, {}, body}, Sender::kPeer);
}

TEST(MdpRequest, OfAClientSurvivesItsWayToTheBroker) {
  for (const int version : {1, 2}) {
    const auto read = read_at_broker(from_client(version, "echo", {"a", "b"}));
    ASSERT_TRUE(read) << version;
    EXPECT_EQ(read->version, version);
    EXPECT_EQ(read->side, Side::kClient);
    EXPECT_EQ(read->service, "echo");
    EXPECT_THAT(read->body, ElementsAre("a", "b"));
    EXPECT_TRUE(read->is_delimited);
  }
}

TEST(MdpRequest, HasTheFramesOfTheRfcs) {
  EXPECT_THAT(from_client(1, "echo", {"x"}), ElementsAre("", "MDPC01", "echo", "x"));
  EXPECT_THAT(from_client(2, "echo", {"x"}), ElementsAre("", "MDPC02", "\x01", "echo", "x"));
}

TEST(MdpRequest, OfVersion2MayLackTheEmptyFrameAndOfVersion1MayNot) {
  const auto read = read_at_broker({"MDPC02", "\x01", "echo", "x"});
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->is_delimited);
  EXPECT_FALSE(read_at_broker({"MDPC01", "echo", "x"}));
}

TEST(MdpRequest, OfAClientThatNumbersFrom2IsAnsweredInKind) {
  auto read = read_at_broker({"", "MDPC02", "\x02", "echo", "x"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first_command, 2);
  read->command = Command::kReply;
  EXPECT_THAT(write_mdp(*read, Sender::kBroker), ElementsAre("", "MDPC02", "\x04", "echo", "x"));
}

TEST(MdpRequest, NeedsAServiceOfTheRightLengthAndABody) {
  const std::string longest(kServiceOctetsMax, 's');
  EXPECT_TRUE(read_at_broker(from_client(1, longest, {"x"})));
  EXPECT_FALSE(read_at_broker(from_client(1, longest + "s", {"x"})));
  EXPECT_FALSE(read_at_broker(from_client(1, "", {"x"})));
  EXPECT_FALSE(read_at_broker(from_client(1, "echo", {})));
}

TEST(MdpMessage, MayHaveItsMaximumOfFramesAndNoMore) {
  EXPECT_TRUE(read_at_broker(from_client(1, "echo", Frames(kFramesMax - 3, "x"))));
  EXPECT_FALSE(read_at_broker(from_client(1, "echo", Frames(kFramesMax - 2, "x"))));
}

TEST(MdpWorker, SpeaksEachCommandInTheOctetsOfItsVersion) {
  const auto octet = [](int version, Command command) {
    const auto frames =
        write_mdp({version, Side::kWorker, command, "s", "client", {"x"}}, Sender::kPeer);
    return static_cast<int>(frames.at(2).at(0));
  };
  EXPECT_EQ(octet(1, Command::kReply), 3);
  EXPECT_EQ(octet(2, Command::kReply), 4);
  EXPECT_EQ(octet(1, Command::kHeartbeat), 4);
  EXPECT_EQ(octet(2, Command::kHeartbeat), 5);
  EXPECT_EQ(octet(1, Command::kDisconnect), 5);
  EXPECT_EQ(octet(2, Command::kDisconnect), 6);
}

TEST(MdpWorker, ReadsARequestWithItsClientsAddress) {
  const auto read = read_at_worker(
      write_mdp({1, Side::kWorker, Command::kRequest, {}, "client", {"x", "y"}}, Sender::kBroker));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->client, "client");
  EXPECT_THAT(read->body, ElementsAre("x", "y"));
  EXPECT_FALSE(read_at_worker({"", "MDPW01", "\x02", "client", "not empty", "x"}));
  EXPECT_FALSE(read_at_worker({"", "MDPW01", "\x02", "", "", "x"})) << "an address is not empty";
  EXPECT_FALSE(read_at_worker({"", "MDPW01", "\x02", "client", ""})) << "a body has a frame";
}

TEST(MdpWorker, TakesNoCommandThatItAloneSends) {
  EXPECT_FALSE(read_at_worker(write_mdp({1, Side::kWorker, Command::kReady, "s"}, Sender::kPeer)));
  EXPECT_FALSE(read_at_broker(
      write_mdp({1, Side::kWorker, Command::kRequest, {}, "client", {"x"}}, Sender::kBroker)));
}

TEST(MdpClient, TellsAPartFromTheLastReply) {
  const auto part = read_at_client(
      write_mdp({2, Side::kClient, Command::kPartial, "s", {}, {"x"}}, Sender::kBroker));
  ASSERT_TRUE(part);
  EXPECT_EQ(part->command, Command::kPartial);
  const auto last = read_at_client(
      write_mdp({2, Side::kClient, Command::kReply, "s", {}, {"x"}}, Sender::kBroker));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->command, Command::kReply);
  EXPECT_FALSE(read_at_client({"", "MDPW01", "\x04"})) << "a worker's heartbeat";
}

TEST(MdpMessage, OfOctetsThatAreNoneIsDropped) {
  EXPECT_FALSE(read_at_broker({}));
  EXPECT_FALSE(read_at_broker({""}));
  EXPECT_FALSE(read_at_broker({"", "MDPC03", "echo", "x"}));
  EXPECT_FALSE(read_at_broker({"", "MDPW01", "\x09"}));
  EXPECT_FALSE(read_at_broker({"", "MDPW01", ""}));
}

}  // namespace
}  // namespace hector::zeromq
