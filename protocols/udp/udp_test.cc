// What: Hector's UDP messaging between capsules on a simulated network: loss, duplication,
// reordering, partitions, and the state that unverified peers may not make.
// Why: at most once, in order and by its deadline is promised for a whole call, not for a packet.
// Who: ctest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "hector/kernel.h"
#include "hector/kernel/v1/kernel.pb.h"
#include "hector/message_calls.h"
#include "kit_capsule.h"
#include "packet.h"
#include "simulation.h"
#include "tls/testing.h"
#include "udp_protocol.h"

namespace hector::udp {
namespace {

using hector::testing::Simulation;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The same over plain channels and over DTLS.
class UdpUnderLoss : public ::testing::TestWithParam<Security> {
 protected:
  Credentials* credentials(tls::TestCredentials& of) {
    return GetParam() == Security::kNone ? nullptr : &of;
  }
  tls::TestRealm realm_;
  tls::TestCredentials client_{realm_, "capsule/c1"}, server_{realm_, "capsule/c2"};
};
INSTANTIATE_TEST_SUITE_P(Udp, UdpUnderLoss, ::testing::Values(Security::kNone, Security::kPrivacy),
                         [](const auto& each) {
                           return each.param == Security::kNone ? "Plain" : "Secure";
                         });

TEST_P(UdpUnderLoss, EveryCallEndsByItsDeadlineAndNoneIsExecutedTwice) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation world(seed);
    Capsule client(world, 1, {}, credentials(client_)), server(world, 2, {}, credentials(server_));
    world.rules = {0.30, 0.20, milliseconds(1), milliseconds(20)};
    auto target = client.kernel->capsule().resolve(server.reference());
    ASSERT_TRUE(target);
    Tally tally;
    constexpr int kCalls = 400;
    const TimePoint begin = world.now();
    for (int i = 0; i < kCalls; ++i) {
      start(world, **target, i % 4 == 0 ? "note" : "echo",
            std::to_string(i) + std::string(static_cast<std::size_t>(i % 7) * 900, '.'),
            seconds(20), tally);
      world.run_for(milliseconds(2));
    }
    ASSERT_TRUE(world.run_until([&] { return tally.total() == kCalls; }, seconds(25)))
        << tally.total();
    EXPECT_LE(world.now() - begin, seconds(22));
    EXPECT_EQ(tally.ok, kCalls) << "all could be completed within 20 s";
    world.run_for(seconds(30));
    for (const auto& [text, times] : server.executed) EXPECT_EQ(times, 1) << text.substr(0, 10);
    EXPECT_EQ(server.executed.size(), static_cast<std::size_t>(kCalls));
  }
}

TEST_P(UdpUnderLoss, ShortDeadlinesFailAndAreStillExecutedAtMostOnce) {
  Simulation world(7);
  Capsule client(world, 1, {}, credentials(client_)), server(world, 2, {}, credentials(server_));
  world.rules = {0.45, 0.20, milliseconds(1), milliseconds(30)};
  auto target = client.kernel->capsule().resolve(server.reference());
  Tally tally;
  for (int i = 0; i < 200; ++i) {
    start(world, **target, "echo", std::to_string(i), milliseconds(60), tally);
    world.run_for(milliseconds(5));
  }
  ASSERT_TRUE(world.run_until([&] { return tally.total() == 200; }, seconds(10)));
  EXPECT_GT(tally.failed[Code::kDeadlineExceeded], 0);
  world.run_for(seconds(20));
  for (const auto& [text, times] : server.executed) EXPECT_LE(times, 1) << text;
}

TEST_P(UdpUnderLoss, LargeMessagesArriveWhole) {
  Simulation world(11);
  Capsule client(world, 1, {}, credentials(client_)), server(world, 2, {}, credentials(server_));
  world.rules = {0.10, 0.05, milliseconds(1), milliseconds(4)};
  auto target = client.kernel->capsule().resolve(server.reference());
  std::string large(1'000'000, 'x');
  for (std::size_t i = 0; i < large.size(); i += 997) large[i] = static_cast<char>('a' + i % 26);
  std::string reply;
  auto& call = CallbackCall::make(
      [&](Call& ended) { reply = ended.error ? ended.error->text() : ended.reply.bytes().str(); });
  call.header.operation_name = "echo";
  call.header.deadline = world.now() + seconds(60);
  call.request = Payload(Bytes::copy(large));
  (*target)->start(call);
  ASSERT_TRUE(world.run_until([&] { return !reply.empty(); }, seconds(61)));
  EXPECT_TRUE(reply == large) << reply.size();
}

TEST_P(UdpUnderLoss, APartitionEndsInUnavailableAndHeals) {
  Simulation world(13);
  Capsule client(world, 1, {}, credentials(client_)), server(world, 2, {}, credentials(server_));
  auto target = client.kernel->capsule().resolve(server.reference());
  Tally tally;
  start(world, **target, "echo", "before", seconds(20), tally);
  ASSERT_TRUE(world.run_until([&] { return tally.ok == 1; }, seconds(1)));
  world.cut("10.0.0.1", "10.0.0.2");
  start(world, **target, "echo", "during", seconds(60), tally);
  ASSERT_TRUE(world.run_until([&] { return tally.total() == 2; }, seconds(10)))
      << "silence is noticed";
  EXPECT_EQ(tally.failed[Code::kUnavailable], 1);
  world.heal();
  start(world, **target, "echo", "after", seconds(20), tally);
  ASSERT_TRUE(world.run_until([&] { return tally.ok == 2; }, seconds(10)));
}

/// Moves the sender's channel to another protocol, as unloading one does.
void move_channel(Capsule& capsule, Simulation& world, std::uint64_t binding,
                  const std::string& away_from) {
  hector::kernel::v1::MoveChannel request;
  request.set_binding(binding);
  request.set_role("receiver");
  request.set_exclude(away_from);
  WaitedCall call;
  call.header.operation_name = "move_channel";
  call.request = Payload(Bytes::take(request.SerializeAsString()));
  call.run(**capsule.kernel->capsule().resolve("_coordinator"), world);
  ASSERT_FALSE(call.error) << call.error->text();
  hector::kernel::v1::MovedChannel moved;
  ASSERT_TRUE(moved.ParseFromString(call.reply.bytes().str()));
  ASSERT_EQ(moved.moves_size(), 1);
}

TEST(ChannelMove, LosesDoublesAndReordersNothingWhileMessagesAreUnderWay) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation world(seed);
    Capsule client(world, 1), server(world, 2);
    for (auto* capsule : {&client, &server}) {
      const std::string address = capsule == &client ? "10.0.0.1:7001" : "10.0.0.2:7001";
      ASSERT_TRUE(capsule->kernel->add_protocol(
          "other", make_protocol(capsule->kernel->protocol_context("{}")), {address}));
    }
    const auto binding = client.kernel->capsule().bind(
        {"kit.Pair/1", {{"sender", "sender"}, {"receiver", server.reference()}}});
    ASSERT_TRUE(binding) << binding.error().text();
    world.rules = {0.20, 0.10, milliseconds(1), milliseconds(15)};
    constexpr int kMessages = 400;
    int ended = 0;
    std::vector<std::string> sent;
    for (int i = 0; i < kMessages; ++i) {
      auto& call = CallbackCall::make([&](Call& over) {
        EXPECT_FALSE(over.error) << over.error->text();
        ++ended;
      });
      sent.push_back(std::to_string(i));
      call.request = Payload(Bytes::copy(sent.back()));
      client.sender->session->start(
          *client.sender->session->interaction(i % 3 == 0 ? "echo" : "note"), 0, call);
      world.run_for(milliseconds(1));
      if (i % 100 == 50) move_channel(client, world, *binding, i % 200 == 50 ? "other" : "udp");
    }
    ASSERT_TRUE(world.run_until([&] { return ended == kMessages; }, seconds(30))) << ended;
    EXPECT_EQ(server.order, sent);
    client.sender->session.reset();
  }
}

TEST(Transparency, WithoutAnyTheProgramHoldsTheProtocolsOwnChannel) {
  Simulation world(7);
  Capsule client(world, 1, {{"kit.Pair.receiver.transparencies", {"none"}}}), server(world, 2);
  const auto binding = client.kernel->capsule().bind(
      {"kit.Pair/1", {{"sender", "sender"}, {"receiver", server.reference()}}});
  ASSERT_TRUE(binding) << binding.error().text();
  EXPECT_EQ(*client.sender->session->location("receiver", 0), "udp 10.0.0.2:7000");
  auto endpoint = client.sender->session->endpoint("receiver", 0);
  ASSERT_TRUE(endpoint) << endpoint.error().text();
  WaitedCall call;
  call.header.object = "echo";
  call.header.interface_name = "kit.Echo";
  call.header.operation_name = "echo";
  call.header.operation = kByName;
  call.header.deadline = world.now() + seconds(5);
  call.request = Payload(Bytes::copy("raw"));
  call.run(**endpoint, world);
  EXPECT_FALSE(call.error) << call.error->text();
  EXPECT_EQ(server.order, std::vector<std::string>{"raw"});
  client.sender->session.reset();
}

std::uint64_t twenty_capsules(std::uint64_t seed) {
  Simulation world(seed);
  world.rules = {0.05, 0.05, milliseconds(1), milliseconds(8)};
  std::vector<std::unique_ptr<Capsule>> capsules;
  for (int i = 1; i <= 20; ++i) capsules.push_back(std::make_unique<Capsule>(world, i));
  Tally tally;
  int started = 0;
  for (int i = 0; i < 20; ++i) {
    Capsule& from = *capsules[static_cast<std::size_t>(i)];
    Capsule& to = *capsules[static_cast<std::size_t>((i * 7 + 3) % 20)];
    if (&from == &to) continue;
    auto bound = from.kernel->capsule().bind(
        {"kit.Pair/1", {{"sender", "sender"}, {"receiver", to.reference()}}});
    EXPECT_TRUE(bound) << bound.error().text();
    if (!bound || !from.sender->session) continue;
    for (int n = 0; n < 10; ++n) {
      auto& call = CallbackCall::make([&tally](Call& ended) {
        if (ended.error)
          ++tally.failed[ended.error->code];
        else
          ++tally.ok;
      });
      call.request = Payload(Bytes::copy(std::to_string(i) + "/" + std::to_string(n)));
      from.sender->session->start(*from.sender->session->interaction(n % 2 == 0 ? "echo" : "note"),
                                  0, call);
      ++started;
    }
  }
  EXPECT_TRUE(world.run_until([&] { return tally.total() == started; }, seconds(30)));
  EXPECT_EQ(tally.ok, started);
  EXPECT_GE(started, 150);
  for (auto& capsule : capsules) capsule->sender->session.reset();
  return world.trace_hash();
}

TEST(Simulation, TwentyCapsulesRunTheSameWayTwiceFromOneSeed) {
  const std::uint64_t first = twenty_capsules(42);
  EXPECT_EQ(twenty_capsules(42), first);
  EXPECT_NE(twenty_capsules(43), first);
}

// --- peers whose address is not verified ---

TEST(UdpHandshake, AnUnverifiedPeerGetsNoMoreOctetsThanItSent) {
  Simulation world(17);
  Capsule server(world, 2);
  auto network = world.host("10.0.0.9");
  std::size_t received = 0, answers = 0;
  auto socket = *network->open(
      {*NetworkAddress::parse("10.0.0.9:5000"), std::nullopt, Reading::kNetworkThread},
      [&](const NetworkAddress&, Octets datagram) {
        received += datagram.size();
        ++answers;
      });
  const auto to = *NetworkAddress::parse("10.0.0.2:7000");
  std::size_t sent = 0;
  const auto send = [&](const std::string& packet) {
    const Octets part{reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()};
    socket->send(to, {&part, 1});
    sent += packet.size();
  };
  std::string hello;
  Writer(hello).type(PacketType::kHello).octet(kVersion).fixed(77).octet(0);
  send(hello);  // not padded: not answered
  world.run_for(seconds(1));
  EXPECT_EQ(answers, 0U);
  hello.resize(kHelloOctets, '\0');
  for (int i = 0; i < 100; ++i) send(hello);
  std::string data;
  Writer(data).type(PacketType::kData).fixed(123).fixed(1);
  send(data);
  for (int type = 0; type < 256; ++type) send(std::string(20, static_cast<char>(type)));
  world.run_for(seconds(1));
  EXPECT_LE(received, sent);
  EXPECT_GE(answers, 100U);
}

/// A peer that speaks the packets itself.
class RawPeer {
 public:
  RawPeer(Simulation& world, const std::string& address)
      : world_(world), network_(world.host(address.substr(0, address.find(':')))) {
    socket_ =
        *network_->open({*NetworkAddress::parse(address), std::nullopt, Reading::kNetworkThread},
                        [this](const NetworkAddress&, Octets datagram) {
                          received.emplace_back(datagram.begin(), datagram.end());
                        });
  }
  void send(const std::string& packet) {
    const Octets part{reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()};
    socket_->send(*NetworkAddress::parse("10.0.0.2:7000"), {&part, 1});
  }
  /// The session that the server gave; nothing if it gave none.
  std::optional<std::uint64_t> open(std::uint64_t client) {
    received.clear();
    send(hello(client, ""));
    world_.run_for(milliseconds(2));
    if (received.empty()) return std::nullopt;
    const std::string cookie = received.back().substr(9, kCookieOctets);
    received.clear();
    send(hello(client, cookie));
    world_.run_for(milliseconds(2));
    if (received.empty() || received.back().size() < 17) return std::nullopt;
    Reader reader({reinterpret_cast<const std::uint8_t*>(received.back().data()) + 9, 8});
    return reader.fixed();
  }
  /// Whether the server still knows it.
  bool is_known(std::uint64_t session) {
    received.clear();
    std::string packet;
    Writer(packet).type(PacketType::kData).fixed(session).fixed(++packet_).type(FrameType::kPing);
    send(packet);
    world_.run_for(milliseconds(20));
    return std::none_of(received.begin(), received.end(), [](const std::string& each) {
      return each[0] == static_cast<char>(PacketType::kReset);
    });
  }
  std::vector<std::string> received;

 private:
  static std::string hello(std::uint64_t client, const std::string& cookie) {
    std::string packet;
    Writer(packet)
        .type(PacketType::kHello)
        .octet(kVersion)
        .fixed(client)
        .octet(static_cast<std::uint8_t>(cookie.size()))
        .raw(cookie.data(), cookie.size());
    packet.resize(kHelloOctets, '\0');
    return packet;
  }
  Simulation& world_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<DatagramSocket> socket_;
  std::uint64_t packet_ = 0;
};

TEST(UdpHandshake, OneAddressPushesOutItsOwnSessionsOnly) {
  Simulation world(18);
  Capsule server(world, 2);
  RawPeer neighbour(world, "10.0.0.8:5000"), hostile(world, "10.0.0.9:5000");
  const auto kept = neighbour.open(1);
  ASSERT_TRUE(kept);
  const auto first = hostile.open(1'000);
  ASSERT_TRUE(first);
  for (std::uint64_t client = 1'001; client < 1'080; ++client) ASSERT_TRUE(hostile.open(client));
  EXPECT_FALSE(hostile.is_known(*first)) << "its oldest";
  EXPECT_TRUE(neighbour.is_known(*kept));
}

TEST(UdpHandshake, OfSessionsThatAskForNothingTheOldestGoFirstAndNewcomersGetIn) {
  Simulation world(19);
  Capsule server(world, 2), client(world, 1);
  std::optional<std::uint64_t> first;
  for (int port = 0; port < 1'030; ++port) {
    RawPeer hostile(world, "10.0.0.9:" + std::to_string(5'000 + port));
    const auto session = hostile.open(100 + static_cast<std::uint64_t>(port));
    ASSERT_TRUE(session) << port;
    if (port == 0) first = session;
  }
  auto target = client.kernel->capsule().resolve(server.reference());
  ASSERT_TRUE(target);
  Tally tally;
  start(world, **target, "echo", "newcomer", seconds(5), tally);
  ASSERT_TRUE(world.run_until([&] { return tally.total() == 1; }, seconds(6)));
  EXPECT_EQ(tally.ok, 1);
  EXPECT_FALSE(RawPeer(world, "10.0.0.9:5000").is_known(*first));
}

TEST(UdpMulticast, OnAnAddressThatIsNoGroupIsDropped) {
  Simulation world(20);
  Capsule server(world, 2);
  RawPeer hostile(world, "10.0.0.9:5000");
  Header header;
  header.object = "echo";
  header.interface_name = "kit.Echo";
  header.operation_name = "note";
  std::string packet;
  Writer(packet).type(PacketType::kMulticast).fixed(77).number(0).number(1);
  encode_header(header, world.now(), packet);
  hostile.send(packet + "spoofed");
  world.run_for(seconds(1));
  EXPECT_TRUE(server.executed.empty());
  EXPECT_TRUE(hostile.received.empty());
}

}  // namespace
}  // namespace hector::udp
