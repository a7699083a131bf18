// What: tests of Broker with peers and a clock that the test plays.
// Why: which worker gets what, and what happens when one dies, is decided without a socket.
// Who: ctest, in zeromq_wire_test.
#include "broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::zeromq {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BrokerTest : public ::testing::Test {
 protected:
  BrokerTest() {
    options.heartbeat = seconds(1);
    options.liveness = 3;
    make();
  }
  void make() {
    broker.emplace(
        options,
        [this](const std::string& address, const Frames& frames) {
          sent[address].push_back(frames);
        },
        [this](const std::string& service, bool is_there) {
          changes.push_back((is_there ? "+" : "-") + service);
        });
  }
  void worker(const std::string& address, Command command, const std::string& service = {},
              const std::string& client = {}, const Frames& body = {}, int version = 1) {
    broker->receive(
        address, write_mdp({version, Side::kWorker, command, service, client, body}, Sender::kPeer),
        now);
  }
  void ready(const std::string& address, const std::string& service = "echo", int version = 1) {
    worker(address, Command::kReady, service, {}, {}, version);
  }
  void request(const std::string& client, const std::string& text, int version = 1,
               const std::string& service = "echo") {
    broker->receive(
        client,
        write_mdp({version, Side::kClient, Command::kRequest, service, {}, {text}}, Sender::kPeer),
        now);
  }
  /// What was sent there since it was asked last, as command and last frame.
  std::vector<std::string> told(const std::string& address) {
    std::vector<std::string> list;
    for (const auto& frames : std::exchange(sent[address], {})) {
      if (const auto at_worker = read_at_worker(frames)) {
        list.push_back(at_worker->command == Command::kRequest     ? "?" + at_worker->body.back()
                       : at_worker->command == Command::kHeartbeat ? "heartbeat"
                                                                   : "disconnect");
      } else if (const auto at_client = read_at_client(frames)) {
        list.push_back((at_client->command == Command::kPartial ? "~" : "=") +
                       at_client->body.back());
      }
    }
    return list;
  }
  BrokerOptions options;
  TimePoint now{seconds(100)};
  std::optional<Broker> broker;
  std::map<std::string, std::vector<Frames>> sent;
  std::vector<std::string> changes;
};

TEST_F(BrokerTest, GivesEachRequestToTheWorkerThatHasWaitedLongest) {
  ready("w1");
  ready("w2");
  for (const char* text : {"a", "b", "c"}) request("client", text);
  EXPECT_THAT(told("w1"), ElementsAre("?a"));
  EXPECT_THAT(told("w2"), ElementsAre("?b"));
  worker("w2", Command::kReply, {}, "client", {"B"});
  EXPECT_THAT(told("w2"), ElementsAre("?c")) << "one at a time for each worker";
  EXPECT_THAT(told("client"), ElementsAre("=B"));
}

TEST_F(BrokerTest, KeepsARequestUntilAWorkerComes) {
  request("client", "early");
  EXPECT_EQ(broker->workers("echo"), 0U);
  ready("w");
  EXPECT_THAT(told("w"), ElementsAre("?early"));
  EXPECT_THAT(changes, ElementsAre("+echo"));
}

TEST_F(BrokerTest, DropsARequestThatHasWaitedTooLong) {
  request("client", "old");
  now += options.request_expires;
  ready("w");
  EXPECT_THAT(told("w"), IsEmpty());
  EXPECT_EQ(broker->counters().expired, 1U);
}

TEST_F(BrokerTest, GivesTheRequestOfADeadWorkerToAnother) {
  ready("w1");
  request("client", "a");
  EXPECT_THAT(told("w1"), ElementsAre("?a"));
  now += seconds(2);
  ready("w2");
  now += milliseconds(1'500);  // w1 has been silent for more than three heartbeats
  broker->tick(now);
  EXPECT_THAT(told("w1"), ElementsAre("disconnect"));
  EXPECT_THAT(told("w2"), ElementsAre("heartbeat", "?a"));
  EXPECT_EQ(broker->counters().resent, 1U);
  EXPECT_EQ(broker->workers("echo"), 1U);
}

TEST_F(BrokerTest, AHeartbeatKeepsAWorkerAlive) {
  ready("w");
  for (int i = 0; i < 10; ++i) {
    now += seconds(2);
    worker("w", Command::kHeartbeat);
    broker->tick(now);
  }
  EXPECT_EQ(broker->workers("echo"), 1U);
  now += seconds(3);
  broker->tick(now);
  EXPECT_EQ(broker->workers("echo"), 0U);
  EXPECT_THAT(changes, ElementsAre("+echo", "-echo"));
}

TEST_F(BrokerTest, DisconnectsAWorkerThatAnswersWhatItWasNotAsked) {
  ready("w");
  worker("w", Command::kReply, {}, "client", {"unasked"});
  EXPECT_THAT(told("w"), ElementsAre("disconnect"));
  EXPECT_THAT(told("client"), IsEmpty());
  worker("unknown", Command::kHeartbeat);
  EXPECT_THAT(told("unknown"), ElementsAre("disconnect")) << "so that it says READY again";
}

TEST_F(BrokerTest, DisconnectsAWorkerThatIsReadyTwice) {
  ready("w");
  ready("w", "other");
  EXPECT_THAT(told("w"), ElementsAre("disconnect", "disconnect"));
  EXPECT_EQ(broker->workers("echo"), 0U);
  EXPECT_EQ(broker->workers("other"), 0U);
}

TEST_F(BrokerTest, GivesPartsToClientsOfVersion2Only) {
  ready("w", "echo", 2);
  request("new", "a", 2);
  worker("w", Command::kPartial, {}, "new", {"1"}, 2);
  worker("w", Command::kReply, {}, "new", {"2"}, 2);
  EXPECT_THAT(told("new"), ElementsAre("~1", "=2"));
  request("old", "b", 1);
  worker("w", Command::kPartial, {}, "old", {"1"}, 2);
  worker("w", Command::kReply, {}, "old", {"2"}, 2);
  EXPECT_THAT(told("old"), ElementsAre("=2"));
}

TEST_F(BrokerTest, AnswersManagementQuestions) {
  ready("w");
  request("client", "echo", 1, "mmi.service");
  request("client", "absent", 1, "mmi.service");
  request("client", "x", 1, "mmi.other");
  EXPECT_THAT(told("client"), ElementsAre("=200", "=404", "=501"));
  request("client", "", 1, "mmi.services");
  ASSERT_EQ(sent["client"].size(), 1U);
  EXPECT_THAT(read_at_client(sent["client"][0])->body, ElementsAre("200", "echo"));
}

TEST_F(BrokerTest, AQueueHasItsMaximumAndNoMore) {
  options.queue_max = 2;
  make();
  for (const char* text : {"a", "b", "c"}) request("client", text);
  EXPECT_EQ(broker->counters().dropped, 1U);
  ready("w");
  worker("w", Command::kReply, {}, "client", {"A"});
  EXPECT_THAT(told("w"), ElementsAre("?a", "?b"));
}

TEST_F(BrokerTest, KnowsItsMaximumOfServicesAndNoMore) {
  options.services_max = 1;
  make();
  ready("w1", "one");
  ready("w2", "two");
  EXPECT_THAT(told("w2"), ElementsAre("disconnect"));
  request("client", "x", 1, "three");
  EXPECT_EQ(broker->counters().dropped, 1U);
}

TEST_F(BrokerTest, ForgetsAServiceThatNobodyAsksForAndNobodyServes) {
  options.services_max = 1;
  make();
  ready("w", "one");
  worker("w", Command::kDisconnect);
  EXPECT_THAT(told("w"), IsEmpty()) << "it has said so itself";
  ready("w", "two");
  EXPECT_EQ(broker->workers("two"), 1U);
}

TEST_F(BrokerTest, CountsWhatIsNoMessage) {
  broker->receive("x", {"garbage"}, now);
  EXPECT_EQ(broker->counters().malformed, 1U);
}

}  // namespace
}  // namespace hector::zeromq
