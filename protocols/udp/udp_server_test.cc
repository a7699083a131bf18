// What: the offering side against a client that this test plays, packet by packet.
// Why: whoever reaches the port may send anything in any order; what holds of sessions and of
// requests in progress must hold all the same.
// Who: ctest, in udp_test.
#include "udp_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "connection.h"
#include "simulation.h"

namespace hector::udp {
namespace {

using hector::testing::Simulation;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Keeps the calls until the test ends them.
class FakeInbound final : public Inbound {
 public:
  Status resolve(Call& call) override {
    if (call.header.operation_name != "ask") return fail(Error::unimplemented("no such operation"));
    call.operation = &operation_;
    call.kind = Kind::kRpc;
    call.flow = Flow::kNone;
    return {};
  }
  void accept(Call& call) noexcept override {
    call.on_cancel([this, &call] {
      cancelled.push_back(call.why_cancelled().message);
      call.fail(call.why_cancelled());
    });
    calls.push_back(&call);
  }
  std::vector<ServiceDescription> services() const override { return {}; }
  Result<Bytes> request_from_json(const Call&, std::string_view) const override { return Bytes(); }
  Result<std::string> reply_to_json(const Call&, const Bytes&) const override { return ""; }
  std::vector<Call*> calls;
  std::vector<std::string> cancelled;

 private:
  Operation operation_;
};

/// One client's side, without anything that keeps it to the protocol.
class Client {
 public:
  Client(Simulation& world, Network& network, const std::string& address, std::uint64_t id)
      : world_(world), id_(id), server_(*NetworkAddress::parse("10.0.0.2:7000")) {
    socket_ = *network.open({*NetworkAddress::parse(address), {}, Reading::kNetworkThread},
                            [this](const NetworkAddress&, Octets packet) { take(packet); });
  }
  void hello(const std::string& cookie = "") {
    std::string packet;
    Writer(packet).type(PacketType::kHello).octet(kVersion).fixed(id_);
    Writer(packet)
        .octet(static_cast<std::uint8_t>(cookie.size()))
        .raw(cookie.data(), cookie.size());
    packet.resize(kHelloOctets, '\0');
    send_packet(packet);
    world_.run_for(milliseconds(1));
  }
  /// The whole handshake.
  void connect() {
    hello();
    hello(cookie);
  }
  void request(std::uint64_t number, const std::string& operation = "ask") {
    Header header;
    header.operation_name = operation;
    std::string encoded, head;
    encode_header(header, world_.now(), encoded);
    Writer(head)
        .type(MessageType::kRequest)
        .number(number)
        .octet(static_cast<std::uint8_t>(static_cast<int>(Kind::kRpc) << 4))
        .number(encoded.size())
        .raw(encoded.data(), encoded.size());
    send(head);
  }
  void cancel(std::uint64_t number) {
    std::string head;
    Writer(head).type(MessageType::kCancel).number(number).type(Code::kCancelled);
    send(head);
  }
  /// Lets everything arrive.
  void settle() {
    flush();
    world_.run_for(milliseconds(50));
  }
  /// Another client on the same socket.
  void become(std::uint64_t id) {
    id_ = id;
    cookie.clear();
    connection_ = std::make_unique<Connection>(ConnectionLimits(), 0);
  }
  std::string cookie;
  std::uint64_t session = 0;
  std::vector<std::uint64_t> resets;
  std::vector<std::string> replies;  ///< "number: error or what was replied"

 private:
  void send(const std::string& head) {
    connection_->set_peer(session);
    connection_->send(0, head, Bytes());
    flush();
  }
  void flush() {
    std::string packet;
    while (connection_->next_packet(world_.now(), packet)) send_packet(packet);
  }
  void send_packet(const std::string& packet) {
    const Octets part{reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()};
    socket_->send(server_, {&part, 1});
  }
  void take(Octets packet) {
    Reader reader(packet);
    const auto type = static_cast<PacketType>(reader.octet());
    const std::uint64_t id = reader.fixed();
    if (type == PacketType::kCookie) {
      const Octets octets = reader.raw(kCookieOctets);
      cookie.assign(octets.begin(), octets.end());
    } else if (type == PacketType::kWelcome) {
      session = reader.fixed();
    } else if (type == PacketType::kReset) {
      resets.push_back(id);
    } else if (type == PacketType::kData) {
      std::vector<Bytes> messages;
      connection_->receive(reader.rest(), world_.now(), messages);
      for (const auto& message : messages) reply(message);
    }
  }
  void reply(const Bytes& message) {
    Reader reader({message.data(), message.size()});
    if (static_cast<MessageType>(reader.octet()) != MessageType::kReply) return;
    const std::uint64_t number = reader.number();
    const Octets rest = reader.rest();
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    Outcome outcome;
    const auto used = decode_outcome(text, outcome);
    ASSERT_TRUE(used);
    replies.push_back(std::to_string(number) + ": " +
                      (outcome.error ? std::string(code_name(outcome.error->code))
                                     : std::string(text.substr(*used))));
  }

  Simulation& world_;
  std::uint64_t id_;
  const NetworkAddress server_;
  std::unique_ptr<DatagramSocket> socket_;
  std::unique_ptr<Connection> connection_ = std::make_unique<Connection>(ConnectionLimits(), 0);
};

class UdpServerTest : public ::testing::Test {
 protected:
  UdpServerTest() {
    context_.clock = &world_;
    context_.random = &world_;
    context_.executor = &world_;
    context_.log = &world_;
    context_.network = here_.get();
    context_.inbound = &inbound_;
    endpoint_ = *make_endpoint(context_, *NetworkAddress::parse("10.0.0.2:7000"));
  }
  std::unique_ptr<Client> client(std::uint64_t id, const std::string& address = "10.0.0.1:0") {
    return std::make_unique<Client>(world_, *there_, address, id);
  }
  std::unique_ptr<Client> connected(std::uint64_t id) {
    auto made = client(id);
    made->connect();
    EXPECT_NE(made->session, 0U);
    return made;
  }
  Simulation world_{7};
  std::unique_ptr<Network> there_ = world_.host("10.0.0.1"), here_ = world_.host("10.0.0.2");
  ProtocolContext context_;
  FakeInbound inbound_;
  std::unique_ptr<Endpoint> endpoint_;
};

TEST_F(UdpServerTest, ASessionNeedsTheCookieThatWasSentToItsAddress) {
  const auto first = client(1), other = client(1);
  first->hello();
  EXPECT_THAT(first->cookie, SizeIs(kCookieOctets));
  EXPECT_EQ(first->session, 0U);
  other->hello(first->cookie);
  EXPECT_EQ(other->session, 0U) << "the cookie of another port";
  EXPECT_NE(other->cookie, first->cookie);
  first->hello(first->cookie);
  const auto session = first->session;
  EXPECT_NE(session, 0U);
  first->hello(first->cookie);
  EXPECT_EQ(first->session, session) << "a welcome that was lost is sent again";
}

TEST_F(UdpServerTest, RepliesToWhatItsObjectAnswers) {
  const auto client = connected(1);
  client->request(1);
  client->settle();
  ASSERT_THAT(inbound_.calls, SizeIs(1));
  inbound_.calls[0]->complete(Payload(Bytes::copy("yes")));
  client->request(2, "nothing");
  client->settle();
  EXPECT_THAT(client->replies, ElementsAre("1: yes", "2: UNIMPLEMENTED"));
}

TEST_F(UdpServerTest, ARequestUnderANumberThatIsInProgressIsDropped) {
  const auto client = connected(1);
  client->request(1);
  client->request(1);
  client->settle();
  ASSERT_THAT(inbound_.calls, SizeIs(1)) << "the other one would take the first off the table";
  inbound_.calls[0]->complete(Payload(Bytes::copy("once")));
  client->settle();
  client->request(1);
  client->settle();
  ASSERT_THAT(inbound_.calls, SizeIs(2)) << "the number is free again";
  inbound_.calls[1]->complete(Payload(Bytes::copy("again")));
  client->settle();
  EXPECT_THAT(client->replies, ElementsAre("1: once", "1: again"));
}

TEST_F(UdpServerTest, ACancellationEndsItsCallBeforeAndAfterTheRequest) {
  const auto client = connected(1);
  client->cancel(5);
  client->request(5);
  client->settle();
  EXPECT_THAT(inbound_.calls, IsEmpty()) << "it was cancelled before it came";
  client->request(6);
  client->settle();
  client->cancel(6);
  client->cancel(6);
  client->settle();
  EXPECT_THAT(inbound_.cancelled, ElementsAre("the caller cancelled the call"));
  EXPECT_THAT(client->replies, ElementsAre("5: CANCELLED", "6: CANCELLED"));
}

TEST_F(UdpServerTest, TheOldestSessionOfAnAddressGoesForThe65th) {
  const auto sender = client(1, "10.0.0.1:9000");
  std::vector<std::uint64_t> sessions;
  sender->connect();
  sessions.push_back(sender->session);
  sender->request(1);
  sender->settle();
  ASSERT_THAT(inbound_.calls, SizeIs(1));
  for (std::uint64_t id = 2; id <= 65; ++id) {
    sender->become(id);
    sender->connect();
    sessions.push_back(sender->session);
  }
  EXPECT_EQ(std::set(sessions.begin(), sessions.end()).size(), 65U);
  EXPECT_THAT(inbound_.cancelled, ElementsAre(HasSubstr("too many sessions")));
}

TEST_F(UdpServerTest, WhatItDoesNotKnowIsResetAndGarbageIsDropped) {
  const auto client = connected(1);
  const auto known = client->session;
  client->session = 12345;
  client->request(1);
  client->settle();
  EXPECT_THAT(inbound_.calls, IsEmpty());
  EXPECT_THAT(client->resets, ::testing::Contains(12345U));
  client->session = known;
  client->request(2);
  client->settle();
  ASSERT_FALSE(inbound_.calls.empty());
  for (auto* const call : inbound_.calls) call->complete();
}

TEST_F(UdpServerTest, ADrainCancelsWhatIsLeft) {
  const auto client = connected(1);
  client->request(1);
  client->settle();
  endpoint_.reset();
  EXPECT_THAT(inbound_.cancelled, ElementsAre(HasSubstr("the endpoint closed")));
}

}  // namespace
}  // namespace hector::udp
