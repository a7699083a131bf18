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

/// A peer that sends what it likes.
class HostilePeerTest : public ConnectionTest {
 protected:
  struct Piece {
    std::uint64_t message;
    std::uint64_t group = 0;
    std::uint64_t position = 0;
    std::uint64_t total = 1;
    std::uint64_t offset = 0;
    std::string data = "x";
  };
  /// False: the connection is over.
  bool give_piece(const Piece& piece) {
    std::string packet;
    Writer writer(packet);
    writer.fixed(++number_);
    write_fragment(writer,
                   {piece.message,
                    piece.group,
                    piece.position,
                    piece.total,
                    piece.offset,
                    {reinterpret_cast<const std::uint8_t*>(piece.data.data()), piece.data.size()}});
    std::vector<Bytes> messages;
    static_cast<void>(right.receive(
        {reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()}, now, messages));
    for (const auto& each : messages) delivered.push_back(each.str());
    return right.violation().empty();
  }
  static constexpr std::uint64_t kMessage = 16 * 1024 * 1024;
  std::uint64_t number_ = 0;
};

TEST_F(HostilePeerTest, AClaimedSizeCostsNothingBeforeItsOctetsCome) {
  for (std::uint64_t n = 1; n <= 10'000; ++n) ASSERT_TRUE(give_piece({n, 0, 0, kMessage}));
  EXPECT_LT(right.held(), 4U * 1024 * 1024);
  bool is_on = true;
  for (std::uint64_t n = 10'001; is_on && n < 40'000; ++n) is_on = give_piece({n, 0, 0, kMessage});
  EXPECT_FALSE(is_on) << "the messages that are begun have a limit";
}

TEST_F(HostilePeerTest, OneOctetInEachPageCostsThePiecesOnly) {
  for (std::uint64_t n = 1; n <= 13; ++n) {
    for (std::uint64_t page = 0; page < 4'096; ++page)
      ASSERT_TRUE(give_piece({n, 0, 0, kMessage, page * 4'096}));
  }
  EXPECT_LT(right.held(), 13U * 4'096 * 256);
}

TEST_F(HostilePeerTest, WhatIsHeldForAGapIsWithinTheWindow) {
  const std::string block(1'000'000, 'x');
  std::uint64_t n = 2;
  while (n < 200 && give_piece({n, 5, n, block.size(), 0, block})) ++n;
  EXPECT_GE(n, 64U) << "a peer may fill its window";
  EXPECT_LE(n, 70U) << "and no more";
  EXPECT_TRUE(delivered.empty());
}

TEST_F(HostilePeerTest, EmptyMessagesBehindAGapHaveABoundToo) {
  std::uint64_t n = 2;
  while (n < 1'000'000 && give_piece({n, 5, n, 0, 0, ""})) ++n;
  EXPECT_LT(n, 300'000U);
  EXPECT_LE(right.held(), limits.held_octets_max + 1'024);
}

TEST_F(HostilePeerTest, GapsInTheNumbersOfMessagesHaveABound) {
  std::uint64_t up = 1;
  while (up < 100'000 && give_piece({2 * up})) ++up;
  EXPECT_GT(up, 1'000U);
  EXPECT_LT(up, 10'000U);
}

TEST_F(HostilePeerTest, APeerThatNeverFinishesIsStalledAndOneThatGoesOnIsNot) {
  EXPECT_FALSE(right.is_stalled(now + seconds(3'600))) << "nothing is held";
  ASSERT_TRUE(give_piece({1, 0, 0, 1'000, 10}));
  EXPECT_FALSE(right.is_stalled(now + limits.stalled_max));
  EXPECT_TRUE(right.is_stalled(now + limits.stalled_max + milliseconds(1)));
  now += limits.stalled_max;
  ASSERT_TRUE(give_piece({1, 0, 0, 1'000, 11}));
  EXPECT_FALSE(right.is_stalled(now + limits.stalled_max));
}

TEST_F(HostilePeerTest, NothingOfAFlowIsLeftWhenItIsOver) {
  constexpr std::uint64_t kFlow = kFlowGroup | 3;
  ASSERT_TRUE(give_piece({1, kFlow, 1}));
  ASSERT_TRUE(give_piece({3, kFlow, 3}));
  EXPECT_GT(right.held(), 0U);
  right.end_group(kFlow);
  EXPECT_EQ(right.held(), 0U);
  ASSERT_TRUE(give_piece({4, kFlow, 4}));
  ASSERT_TRUE(give_piece({2, kFlow, 1}));
  EXPECT_EQ(delivered.size(), 1U) << "what comes late is dropped";
  EXPECT_EQ(right.held(), 0U);
  ASSERT_TRUE(give_piece({5, kFlowGroup | 4, 1}));
  EXPECT_EQ(delivered.size(), 2U) << "the next flow is another";
}

TEST_F(HostilePeerTest, AMessageInPiecesOfAnyOverlapIsWhole) {
  std::string whole;
  for (int i = 0; i < 5'000; ++i) whole.push_back(static_cast<char>('a' + i % 26));
  std::uint64_t seed = 1;
  for (std::uint64_t message = 1; message <= 200; ++message) {
    for (int i = 0; i < 500 && delivered.size() < message; ++i) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      const std::uint64_t offset = (seed >> 33) % whole.size();
      const std::uint64_t size =
          1 + (seed >> 20) % std::min<std::uint64_t>(900, whole.size() - offset);
      ASSERT_TRUE(give_piece({message, 0, 0, whole.size(), offset, whole.substr(offset, size)}));
    }
    // A piece of a message that is whole already changes nothing.
    ASSERT_TRUE(give_piece({message, 0, 0, whole.size(), 0, whole.substr(0, 2'500)}));
    ASSERT_TRUE(give_piece({message, 0, 0, whole.size(), 2'400, whole.substr(2'400)}));
    ASSERT_EQ(delivered.size(), message);
    ASSERT_EQ(delivered.back(), whole);
    ASSERT_EQ(right.held(), 0U);
  }
}

/// Whether one of its frames tells how much may be sent.
bool tells_a_limit(const std::string& packet) {
  Reader reader({reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()});
  reader.fixed();
  Frame frame;
  bool tells = false;
  while (read_frame(reader, frame)) tells = tells || frame.type == FrameType::kLimit;
  return tells;
}

TEST_F(ConnectionTest, AWindowThatWasToldInALostPacketIsToldAgain) {
  for (int i = 0; i < 3; ++i) left.send(0, "", Bytes::copy(std::string(16'000'000, 'x')));
  int told = 0;
  for (int turn = 0; turn < 100'000 && (delivered.size() < 3 || turn % 1'000 != 0); ++turn) {
    for (const auto& packet : packets(left)) give(right, packet);
    for (const auto& packet : packets(right)) {
      if (tells_a_limit(packet) && ++told == 1) continue;  // the first one is lost
      give(left, packet);
    }
    now += milliseconds(5);
    for (auto* each : {&left, &right}) each->tick(now);
  }
  EXPECT_EQ(delivered.size(), 3U);
  EXPECT_GE(told, 2);
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
