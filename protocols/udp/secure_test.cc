// What: udp between capsules that have credentials, on a simulated network: who is let in, as whom,
// what passes over the wire, and what ends a connection.
// Why: both ends are proved before anything is executed, and stay so.
// Who: ctest, in udp_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connection.h"
#include "dtls_client.h"
#include "kit_secure.h"

namespace hector::udp {
namespace {

using hector::testing::Simulation;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SecureUdp : public ::testing::Test {
 protected:
  SecureUdp() { server.listen(); }
  /// Nothing of it is there when the world ends.
  ~SecureUdp() override {
    channel.reset();
    server.endpoint.reset();
  }
  /// A test's own variables are gone when the rest ends.
  void TearDown() override {
    client.network.passes = server.network.passes = [](const Sent&) { return true; };
  }
  Channel& connect(const std::string& address) {
    channel = *client.protocol->connect(address);
    return *channel;
  }
  Channel& connect() { return connect(server.endpoint->address()); }
  /// How a call to the channel ends.
  Ended call(const std::string& text, const std::string& principal = {},
             Duration within = seconds(10)) {
    const auto ended = start_call(*channel, world.now() + within, "echo", text, principal);
    EXPECT_TRUE(world.run_until([&] { return ended->has_value(); }, within + seconds(1)));
    return ended->value_or(Ended{Error::internal("it never ended"), ""});
  }
  auto start(const std::string& operation) {
    return start_call(*channel, world.now() + seconds(60), operation, "x");
  }
  void revoke(const std::string& name) { ASSERT_TRUE(realm->revoke(name, tls::test_now())); }

  Simulation world{23};
  tls::TestRealm realm;
  tls::TestCredentials north{realm, "capsule/north"}, south{realm, "capsule/south"};
  SecureEnd server{world, "10.0.0.2", &north}, client{world, "10.0.0.1", &south};
  std::unique_ptr<Channel> channel;
};

TEST_F(SecureUdp, BothEndsAreProvedAndNothingIsReadableOnTheWire) {
  EXPECT_EQ(server.endpoint->address(), "10.0.0.2:7000/capsule:north");
  EXPECT_EQ(server.protocol->capabilities().security, Security::kPrivacy);
  connect();
  const std::string secret = "a sentence that nobody else may read";
  const Ended ended = call(secret);
  ASSERT_FALSE(ended.error) << ended.error->text();
  EXPECT_EQ(ended.reply, secret);
  ASSERT_THAT(server.inbound.peers, SizeIs(1));
  EXPECT_EQ(server.inbound.peers[0].principal, "capsule:south");
  EXPECT_EQ(server.inbound.peers[0].security, Security::kPrivacy);
  for (const auto* end : {&client, &server}) {
    ASSERT_THAT(end->network.sent, Not(IsEmpty()));
    for (const Sent& each : end->network.sent) {
      EXPECT_THAT(each.octets, Not(HasSubstr(secret.substr(0, 10))));
      EXPECT_GE(each.octets[0], 20) << "every datagram is of DTLS";
      EXPECT_LE(each.octets[0], 23);
    }
  }
}

TEST_F(SecureUdp, AnotherPrincipalThanTheAddressNamesIsRefused) {
  connect("10.0.0.2:7000/capsule:west");
  const Ended ended = call("x");
  ASSERT_TRUE(ended.error);
  EXPECT_EQ(ended.error->code, Code::kUnauthenticated);
  EXPECT_EQ(ended.error->type, "WRONG_PEER");
  EXPECT_THAT(ended.error->message, AllOf(HasSubstr("10.0.0.2:7000"), HasSubstr("'capsule:north'"),
                                          HasSubstr("'capsule:west'")));
  EXPECT_THAT(server.inbound.peers, IsEmpty());
}

TEST_F(SecureUdp, AnAddressWithoutAPrincipalIsAnsweredByWhoeverIsTrusted) {
  connect("10.0.0.2:7000");
  EXPECT_EQ(call("x").reply, "x");
}

TEST_F(SecureUdp, AStrangersRealmIsRefusedByBothEnds) {
  tls::TestRealm elsewhere("other.example");
  tls::TestCredentials stranger{elsewhere, "capsule/south"};
  SecureEnd other(world, "10.0.0.3", &stranger);
  channel = *other.protocol->connect("10.0.0.2:7000");
  const Ended ended = call("x");
  ASSERT_TRUE(ended.error);
  EXPECT_EQ(ended.error->type, "UNTRUSTED_DOMAIN") << "the client judges first";
  EXPECT_THAT(server.inbound.peers, IsEmpty());
  EXPECT_THAT(server.log.lines, Each(HasSubstr("a peer was refused")));
  channel.reset();
}

TEST_F(SecureUdp, ARevokedClientIsToldAndNothingIsExecuted) {
  revoke("capsule/south");
  north.refresh();
  connect();
  const Ended ended = call("x");
  ASSERT_TRUE(ended.error);
  EXPECT_EQ(ended.error->code, Code::kUnauthenticated);
  EXPECT_THAT(ended.error->message, HasSubstr("revoked"));
  EXPECT_THAT(server.inbound.peers, IsEmpty());
  EXPECT_THAT(server.log.lines, ElementsAre(HasSubstr("REVOKED")));
}

TEST_F(SecureUdp, AnExpiredClientAndAnExpiredServerAreRefused) {
  north.set_ahead(7'200);
  connect();
  EXPECT_THAT(call("x").error->message, HasSubstr("expired"));
  north.set_ahead(0);
  south.set_ahead(7'200);
  EXPECT_EQ(call("x").error->type, "EXPIRED");
  south.set_ahead(0);
  EXPECT_EQ(call("x").reply, "x") << "the channel begins again";
}

TEST_F(SecureUdp, ACallerSpeaksAsItselfOrAsOneOfItsObjectsOnly) {
  connect();
  EXPECT_FALSE(call("x").error);
  EXPECT_FALSE(call("x", "capsule:south").error);
  EXPECT_FALSE(call("x", "capsule:south/ana").error);
  EXPECT_THAT(server.inbound.principals,
              ElementsAre("capsule:south", "capsule:south", "capsule:south/ana"));
  EXPECT_EQ(server.inbound.peers.back().principal, "capsule:south/ana");
  for (const char* claimed :
       {"capsule:north", "capsule:southern", "capsule:south2/x", "user:ana"}) {
    const Ended ended = call("x", claimed);
    ASSERT_TRUE(ended.error) << claimed;
    EXPECT_EQ(ended.error->code, Code::kPermissionDenied);
    EXPECT_THAT(ended.error->message,
                AllOf(HasSubstr("'capsule:south'"), HasSubstr("'" + std::string(claimed) + "'")));
  }
  EXPECT_THAT(server.inbound.peers, SizeIs(3));
}

TEST_F(SecureUdp, APlainClientGetsNoAnswerAndIsCounted) {
  SecureEnd plain(world, "10.0.0.3", nullptr);
  channel = *plain.protocol->connect("10.0.0.2:7000");
  const TimePoint begin = world.now();
  const Ended ended = call("x");
  ASSERT_TRUE(ended.error);
  EXPECT_EQ(ended.error->code, Code::kUnavailable);
  EXPECT_EQ(ended.error->type, kNotExecuted);
  EXPECT_THAT(ended.error->message, HasSubstr("`identity`"));
  EXPECT_LE(world.now() - begin, seconds(5));
  EXPECT_THAT(server.network.sent, IsEmpty()) << "not an octet is answered";
  EXPECT_THAT(server.log.lines,
              AllOf(SizeIs(::testing::Le(5U)), Each(HasSubstr("a packet that is not encrypted"))));
  channel.reset();
}

TEST_F(SecureUdp, APlainServerIsNotSpokenTo) {
  SecureEnd plain(world, "10.0.0.3", nullptr);
  plain.listen();
  connect(plain.endpoint->address());
  const TimePoint begin = world.now();
  const Ended ended = call("x");
  ASSERT_TRUE(ended.error);
  EXPECT_EQ(ended.error->code, Code::kUnavailable);
  EXPECT_THAT(ended.error->message, HasSubstr("`identity`"));
  EXPECT_LE(world.now() - begin, seconds(5));
  EXPECT_THAT(plain.network.sent, IsEmpty());
  channel.reset();
}

TEST_F(SecureUdp, AnAddressWithAPrincipalNeedsAnIdentity) {
  SecureEnd plain(world, "10.0.0.3", nullptr);
  const auto made = plain.protocol->connect(server.endpoint->address());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(made.error().message, AllOf(HasSubstr("`identity:`"), HasSubstr("'capsule:north'")));
}

TEST_F(SecureUdp, HasNoMulticast) {
  EXPECT_FALSE(client.protocol->capabilities().multicast);
  EXPECT_EQ(client.protocol->multicast("239.0.0.1:7000", {}, {}).error().code,
            Code::kFailedPrecondition);
  EXPECT_EQ(client.protocol->listen("239.0.0.1:7000").error().code, Code::kFailedPrecondition);
}

// --- what changes while connections are there ---

TEST_F(SecureUdp, ARevokedClientsConnectionIsClosedWithinASecond) {
  connect();
  ASSERT_EQ(call("x").reply, "x");
  const auto waiting = start("wait");
  ASSERT_TRUE(world.run_until([&] { return server.inbound.peers.size() == 2; }, seconds(1)));
  revoke("capsule/south");
  north.refresh();
  ASSERT_TRUE(world.run_until([&] { return waiting->has_value(); }, seconds(1)));
  EXPECT_EQ((**waiting).error->code, Code::kUnavailable);
  EXPECT_THAT(server.inbound.cancelled, ElementsAre(HasSubstr("not accepted any more")));
  const Ended next = call("x");
  EXPECT_EQ(next.error->code, Code::kUnauthenticated);
  EXPECT_THAT(next.error->message, HasSubstr("revoked"));
}

TEST_F(SecureUdp, ARevokedServersConnectionIsClosedWithinASecond) {
  connect();
  ASSERT_EQ(call("x").reply, "x");
  const auto waiting = start("wait");
  world.run_for(milliseconds(10));
  revoke("capsule/north");
  south.refresh();
  ASSERT_TRUE(world.run_until([&] { return waiting->has_value(); }, seconds(1)));
  EXPECT_EQ((**waiting).error->code, Code::kUnavailable);
  EXPECT_THAT((**waiting).error->message,
              AllOf(HasSubstr("'capsule:north'"), HasSubstr("not accepted any more")));
  EXPECT_EQ(call("x").error->type, "REVOKED");
}

TEST_F(SecureUdp, AConnectionGoesOnWhenSomebodyElseIsRevoked) {
  tls::TestCredentials west{realm, "capsule/west"};
  connect();
  ASSERT_EQ(call("x").reply, "x");
  const auto datagrams = client.network.sent.size();
  revoke("capsule/west");
  north.refresh();
  south.refresh();
  world.run_for(seconds(1));
  EXPECT_EQ(call("y").reply, "y");
  for (std::size_t i = datagrams; i < client.network.sent.size(); ++i)
    EXPECT_EQ(client.network.sent[i].octets[0], 23) << "no new handshake";
}

TEST_F(SecureUdp, AnIdentityThatIsRenewedCountsForNewConnections) {
  connect();
  ASSERT_EQ(call("x").reply, "x");
  const auto renewed = realm->renew({"capsule/north", 7'200}, tls::test_now());
  ASSERT_TRUE(renewed);
  std::stringstream text;
  text << std::ifstream(renewed->file).rdbuf();
  north.refresh(std::make_shared<OwnIdentity>(OwnIdentity{text.str(), text.str()}));
  world.run_for(seconds(1));
  ASSERT_EQ(call("y").reply, "y") << "the one that is there goes on";
  // A chain of the old key is refused from here on, so the new one must be what is shown.
  south.set_ahead(5'000);
  tls::TestCredentials& judge = south;
  SecureEnd other(world, "10.0.0.3", &judge);
  const auto second = *other.protocol->connect("10.0.0.2:7000/capsule:north");
  const auto ended = start_call(*second, world.now() + seconds(5), "echo", "z");
  ASSERT_TRUE(world.run_until([&] { return ended->has_value(); }, seconds(6)));
  EXPECT_EQ((**ended).reply, "z") << (**ended).error->text();
}

TEST_F(SecureUdp, AChainThatExpiresIsNoticedWithinHalfAMinute) {
  connect();
  ASSERT_EQ(call("x").reply, "x");
  const auto waiting = start("wait");
  world.run_for(milliseconds(10));
  north.set_ahead(7'200);
  ASSERT_TRUE(world.run_until([&] { return waiting->has_value(); }, seconds(31)));
  EXPECT_THAT(server.inbound.cancelled, ElementsAre(HasSubstr("not accepted any more")));
}

TEST_F(SecureUdp, WhoeverComesToAnAddressNextGetsNothingOfTheSessionsThere) {
  connect();
  ASSERT_EQ(call("x").reply, "x");
  static_cast<void>(start("wait"));
  ASSERT_TRUE(world.run_until([&] { return server.inbound.peers.size() == 2; }, seconds(1)));
  const NetworkAddress place = client.network.sent.back().from;
  client.network.passes = [](const Sent&) { return false; };
  channel.reset();  // without a word
  tls::TestCredentials west{realm, "capsule/west"};
  SecureEnd next(world, "10.0.0.1", &west);
  tls::Tls tls(west,
               {.transport = tls::Transport::kDatagram, .alpn = {}, .prepare = DtlsWire::prepare});
  std::shared_ptr<DtlsClient> dtls;
  const auto socket =
      *next.network.open({place, {}, Reading::kNetworkThread},
                         [&](const NetworkAddress&, Octets packet) { dtls->on_datagram(packet); });
  dtls = DtlsClient::make(next.context, tls, *socket,
                          {*NetworkAddress::parse("10.0.0.2:7000"), "capsule:north"});
  dtls->send("x");
  world.run_for(seconds(1));
  EXPECT_THAT(server.inbound.cancelled, ElementsAre(HasSubstr("began another connection")));
  dtls->stop();
}

// --- the handshake under loss ---

TEST_F(SecureUdp, AHandshakeSucceedsAfterThreeLostOnes) {
  int hellos = 0;
  client.network.passes = [&](const Sent&) { return ++hellos > 3; };
  connect();
  EXPECT_EQ(call("x").reply, "x");
  EXPECT_GT(hellos, 3);
}

TEST_F(SecureUdp, EachDatagramOfTheHandshakeMayBeLost) {
  for (int lost = 0; lost < 12; ++lost) {
    SCOPED_TRACE(lost);
    int at = 0;
    const auto passes = [&](const Sent&) { return at++ != lost; };
    client.network.passes = server.network.passes = passes;
    connect();
    EXPECT_EQ(call("x").reply, "x");
    channel.reset();
    world.run_for(milliseconds(50));
    EXPECT_GE(at, 5);
  }
}

TEST_F(SecureUdp, AHandshakeSucceedsUnderLossDuplicationAndReordering) {
  int failed = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Simulation rough(seed);
    rough.rules = {0.20, 0.20, milliseconds(1), milliseconds(20)};
    SecureEnd there(rough, "10.0.0.2", &north), here(rough, "10.0.0.1", &south);
    there.listen();
    const auto link = *here.protocol->connect(there.endpoint->address());
    const auto ended = start_call(*link, rough.now() + seconds(20), "echo", "x");
    ASSERT_TRUE(rough.run_until([&] { return ended->has_value(); }, seconds(21))) << seed;
    if ((**ended).error) ++failed;
    EXPECT_LE(there.inbound.peers.size(), 1U);
  }
  EXPECT_LE(failed, 1) << "of 60";
}

TEST_F(SecureUdp, AServerThatWasRestartedIsReachedAgain) {
  connect();
  ASSERT_EQ(call("x").reply, "x");
  server.network.passes = [](const Sent&) { return false; };  // it falls, without a word
  server.endpoint.reset();
  server.network.passes = [](const Sent&) { return true; };
  server.listen();
  const TimePoint begin = world.now();
  const Ended lost = call("y");
  ASSERT_TRUE(lost.error);
  EXPECT_THAT(lost.error->message, HasSubstr("it was restarted"));
  EXPECT_LT(world.now() - begin, milliseconds(100)) << "it is told at once";
  EXPECT_EQ(call("z").reply, "z");
}

TEST_F(SecureUdp, NoDatagramIsLargerThanAPlainOne) {
  connect();
  const std::string large(200'000, 'x');
  ASSERT_EQ(call(large).reply.size(), large.size());
  std::size_t largest = 0;
  for (const auto* end : {&client, &server})
    for (const Sent& each : end->network.sent) largest = std::max(largest, each.octets.size());
  EXPECT_LE(largest, ConnectionLimits{}.datagram_octets);
  EXPECT_GT(largest, ConnectionLimits{}.datagram_octets - 80) << "and none is wasted";
}

TEST_F(SecureUdp, ADatagramThatIsSentAgainIsDroppedAndCounted) {
  connect();
  ASSERT_EQ(call("x").reply, "x");
  const Sent first = client.network.sent.back();
  const auto repeat = world.host("10.0.0.1");
  ASSERT_EQ(first.octets[0], 23);
  for (int i = 0; i < 2'100; ++i) ASSERT_EQ(call(std::to_string(i)).reply, std::to_string(i));
  EXPECT_THAT(server.log.lines, IsEmpty());
  // From the address of the client, whose socket gives the place up.
  const auto calls = server.inbound.peers.size();
  for (const Sent& late : {first, client.network.sent.back()}) {
    client.network.passes = [](const Sent&) { return false; };
    channel.reset();
    const auto socket = *repeat->open({late.from, {}, Reading::kNetworkThread},
                                      [](const NetworkAddress&, Octets) {});
    const Octets part{reinterpret_cast<const std::uint8_t*>(late.octets.data()),
                      late.octets.size()};
    socket->send(late.to, {&part, 1});
    world.run_for(seconds(2));
  }
  EXPECT_EQ(server.inbound.peers.size(), calls);
  EXPECT_THAT(server.log.lines, ElementsAre(HasSubstr("repeated"), HasSubstr("repeated")));
}

}  // namespace
}  // namespace hector::udp
