// What: tests of Connection: two of them exchange packets by hand, on a clock that is a number.
// Why: retransmission, order, windows and death by silence are decided here, without a network.
// Who: ctest, in udp_test.
#include "connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace hector::udp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr std::uint64_t kLeft = 11, kRight = 22;

class ConnectionTest : public ::testing::Test {
 protected:
  /// What `from` has to send now, each without type and receiver's id.
  std::deque<std::string> packets(Connection& from) {
    std::deque<std::string> all;
    std::string packet;
    while (from.next_packet(now, packet)) {
      EXPECT_LE(packet.size(), limits.datagram_octets);
      all.push_back(packet.substr(9));
    }
    return all;
  }
  void give(Connection& to, const std::string& packet) {
    std::vector<Bytes> messages;
    EXPECT_TRUE(to.receive({reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()},
                           now, messages));
    for (const auto& each : messages) delivered.push_back(each.str());
  }
  /// Until neither has anything to say; nothing is lost.
  void exchange() {
    for (bool is_busy = true; is_busy;) {
      is_busy = false;
      for (auto* from : {&left, &right}) {
        for (const auto& packet : packets(*from)) {
          give(from == &left ? right : left, packet);
          is_busy = true;
        }
      }
      now += milliseconds(5);  // acknowledgements become due
    }
  }

  ConnectionLimits limits;
  TimePoint now{seconds(1'000)};
  Connection left{limits, kRight}, right{limits, kLeft};
  std::vector<std::string> delivered;
};

TEST_F(ConnectionTest, DeliversAMessageOnceAndHasNothingLeftToSend) {
  left.send(0, "head ", Bytes::copy("body"));
  EXPECT_EQ(left.unsent(), 9U);
  exchange();
  EXPECT_THAT(delivered, ElementsAre("head body"));
  EXPECT_EQ(left.unsent(), 0U);
  EXPECT_EQ(left.due(), kNever) << "everything is acknowledged";
  EXPECT_EQ(left.retransmitted(), 0U);
}

TEST_F(ConnectionTest, DropsAPacketThatArrivesTwice) {
  left.send(0, "", Bytes::copy("once"));
  const auto sent = packets(left);
  ASSERT_EQ(sent.size(), 1U);
  give(right, sent[0]);
  give(right, sent[0]);
  EXPECT_THAT(delivered, ElementsAre("once"));
}

TEST_F(ConnectionTest, DeliversAGroupInOrderAndOthersAsTheyArrive) {
  std::vector<std::string> sent;
  for (const char* text : {"1", "2", "3"}) {
    left.send(7, "", Bytes::copy(text));
    sent.push_back(packets(left).front());
  }
  left.send(0, "", Bytes::copy("free"));
  sent.push_back(packets(left).front());
  for (const int index : {2, 3, 1, 0}) give(right, sent[static_cast<std::size_t>(index)]);
  EXPECT_THAT(delivered, ElementsAre("free", "1", "2", "3"));
}

TEST_F(ConnectionTest, ReassemblesALargeMessageWhoseFragmentsArriveBackwards) {
  std::string large(20'000, ' ');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 26);
  left.send(0, "", Bytes::copy(large));
  auto sent = packets(left);
  ASSERT_GT(sent.size(), 10U);
  for (; !sent.empty(); sent.pop_back()) give(right, sent.back());
  ASSERT_EQ(delivered.size(), 1U);
  EXPECT_TRUE(delivered[0] == large);
}

TEST_F(ConnectionTest, SendsALostPacketAgainOnTimeOutUnderANewNumber) {
  left.send(0, "", Bytes::copy("lost"));
  const auto first = packets(left);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_GT(left.due(), now);
  left.tick(now);
  EXPECT_TRUE(packets(left).empty()) << "before the time-out nothing is sent again";
  now = left.due();
  left.tick(now);
  EXPECT_EQ(left.retransmitted(), 1U);
  const auto again = packets(left);
  ASSERT_FALSE(again.empty());
  EXPECT_NE(again[0].substr(0, 8), first[0].substr(0, 8)) << "a packet number is used once";
  give(right, again[0]);
  give(right, first[0]);  // the first was only late
  EXPECT_THAT(delivered, ElementsAre("lost"));
}

TEST_F(ConnectionTest, SendsAGapAgainOnceThreeLaterPacketsAreAcknowledged) {
  std::deque<std::string> sent;
  for (int i = 0; i < 4; ++i) {
    left.send(0, "", Bytes::copy(std::to_string(i)));
    sent.push_back(packets(left).front());
  }
  for (int i = 1; i < 4; ++i) give(right, sent[static_cast<std::size_t>(i)]);
  for (const auto& packet : packets(right)) give(left, packet);
  EXPECT_EQ(left.retransmitted(), 1U) << "without waiting for the time-out";
  exchange();
  EXPECT_THAT(delivered, ElementsAre("1", "2", "3", "0"));
}

TEST_F(ConnectionTest, AcknowledgesEverySecondPacketAtOnceAndASingleOneSoon) {
  left.send(0, "", Bytes::copy("a"));
  give(right, packets(left).front());
  EXPECT_FALSE(right.has_output(now)) << "a reply may carry it";
  EXPECT_TRUE(right.has_output(now + milliseconds(4)));
  left.send(0, "", Bytes::copy("b"));
  give(right, packets(left).front());
  EXPECT_TRUE(right.has_output(now));
}

TEST_F(ConnectionTest, StopsAtItsWindowUntilAnAcknowledgementComes) {
  left.send(0, "", Bytes::copy(std::string(1'000'000, 'x')));
  const auto first = packets(left);
  EXPECT_NEAR(static_cast<double>(first.size()), 32, 2) << "datagrams of the first window";
  EXPECT_GT(left.unsent(), 900'000U);
  for (const auto& packet : first) give(right, packet);
  for (const auto& packet : packets(right)) give(left, packet);
  EXPECT_GT(packets(left).size(), first.size()) << "slow start: the window grows";
}

TEST_F(ConnectionTest, CountsAPeerAsDeadOnlyWhileItOwesAnAnswer) {
  EXPECT_FALSE(left.is_dead(now + seconds(60))) << "nothing was sent";
  left.send(0, "", Bytes::copy("x"));
  packets(left);
  EXPECT_FALSE(left.is_dead(now + limits.silence_max));
  EXPECT_TRUE(left.is_dead(now + limits.silence_max + milliseconds(1)));
}

TEST_F(ConnectionTest, APingIsAnswered) {
  left.ping();
  exchange();
  EXPECT_EQ(left.due(), kNever);
  EXPECT_GT(left.heard(), TimePoint{});
}

TEST_F(ConnectionTest, TellsThePeerThatItCloses) {
  give(right, left.close_packet().substr(9));
  EXPECT_TRUE(right.peer_closed());
  EXPECT_FALSE(left.peer_closed());
}

TEST_F(ConnectionTest, RefusesAMessageAboveTheLimitAndKeepsOneAtIt) {
  limits.message_octets_max = 1'000;
  Connection small(limits, kLeft);
  const auto fragment_of = [](std::uint64_t number, std::uint64_t total) {
    std::string packet;
    Writer writer(packet);
    writer.fixed(number);
    const std::string data = "x";
    write_fragment(writer, {number,
                            0,
                            0,
                            total,
                            0,
                            {reinterpret_cast<const std::uint8_t*>(data.data()), data.size()}});
    return packet;
  };
  std::vector<Bytes> messages;
  const auto takes = [&](const std::string& packet) {
    return small.receive({reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()}, now,
                         messages);
  };
  const std::uint64_t most = 1'000 + 64 * 1024;  // the payload, and the header beside it
  EXPECT_TRUE(takes(fragment_of(1, most)));
  EXPECT_FALSE(takes(fragment_of(2, most + 1)));
}

TEST_F(ConnectionTest, AcknowledgementsOfPacketsNeverSentChangeNothing) {
  std::string packet;
  Writer writer(packet);
  writer.fixed(1);
  NumberSet all;
  for (std::uint64_t n = 1; n < 100; ++n) all.add(n);
  write_acknowledgement(writer, all);
  left.send(0, "", Bytes::copy("waits"));
  give(left, packet);
  EXPECT_EQ(left.unsent(), 5U);
  exchange();
  EXPECT_THAT(delivered, ElementsAre("waits"));
}

}  // namespace
}  // namespace hector::udp
