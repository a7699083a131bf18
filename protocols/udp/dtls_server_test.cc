// What: DtlsServer against addresses that have proved nothing: what they get, and what they cost.
// Why: whoever reaches the port may send anything from any address.
// Who: ctest, in udp_test.
#include "dtls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "dtls_client.h"
#include "kit_secure.h"

namespace hector::udp {
namespace {

using hector::testing::Simulation;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

NetworkAddress address_of(std::uint32_t number) {
  NetworkAddress address;
  address.octets[10] = address.octets[11] = 0xff;
  address.octets[12] = 10;
  for (int i = 0; i < 3; ++i)
    address.octets[13 + i] = static_cast<std::uint8_t>(number >> (8 * (2 - i)));
  address.port = static_cast<std::uint16_t>(1'024 + number % 50'000);
  return address;
}

/// Keeps what is sent.
class FakeSocket final : public DatagramSocket {
 public:
  bool send(const NetworkAddress& to,
            std::span<const std::span<const std::uint8_t>> parts) noexcept override {
    std::string octets;
    for (const auto& part : parts) octets.append(part.begin(), part.end());
    octets_out += octets.size();
    ++datagrams;
    if (keeps) sent.push_back({{}, to, std::move(octets)});
    return true;
  }
  NetworkAddress local() const override { return {}; }
  bool receive_here(TimePoint) noexcept override { return false; }
  Status join(const NetworkAddress&) override { return {}; }
  std::vector<Sent> sent;
  std::size_t octets_out = 0, datagrams = 0;
  bool keeps = true;
};

class DtlsServerTest : public ::testing::Test, public DtlsServer::Owner, public DtlsClient::User {
 protected:
  DtlsServerTest() : context_(context(north_)), client_context_(context(south_)) {
    server_.begin(socket_);
  }
  ProtocolContext context(Credentials& credentials) {
    ProtocolContext made;
    made.clock = &world_;
    made.random = &world_;
    made.executor = &world_;
    made.log = &log_;
    made.credentials = &credentials;
    return made;
  }
  static tls::Tls::Options options() {
    return {.transport = tls::Transport::kDatagram, .alpn = {}, .prepare = DtlsWire::prepare};
  }
  void give(const NetworkAddress& from, const std::string& datagram) {
    octets_in_ += datagram.size();
    server_.on_datagram(from, octets(datagram));
  }
  static Octets octets(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }
  /// A client's end, by hand: what it sends is in its socket.
  struct Client {
    FakeSocket socket;
    std::shared_ptr<DtlsClient> dtls;
    NetworkAddress address;
  };
  std::unique_ptr<Client> client(std::uint32_t number) {
    auto made = std::make_unique<Client>();
    made->address = address_of(number);
    made->dtls = DtlsClient::make(client_context_, client_tls_, made->socket, {{}, ""});
    made->dtls->send("hello");
    return made;
  }
  /// Carries what both have sent, until nothing is left or so many datagrams have passed.
  void exchange(Client& client, std::size_t at_most = 100) {
    for (bool is_busy = true; is_busy && at_most > 0;) {
      is_busy = false;
      for (const Sent& each : std::exchange(client.socket.sent, {})) {
        give(client.address, each.octets);
        is_busy = true;
        if (--at_most == 0) return;
      }
      for (const Sent& each : std::exchange(socket_.sent, {})) {
        if (each.to == client.address) client.dtls->on_datagram(octets(each.octets));
        is_busy = true;
      }
    }
  }
  /// A hello with a valid cookie of this address.
  std::string second_hello(Client& client) {
    give(client.address, client.socket.sent.at(0).octets);
    client.socket.sent.clear();
    client.dtls->on_datagram(octets(socket_.sent.back().octets));
    socket_.sent.clear();
    return client.socket.sent.at(0).octets;
  }
  // What the server hands over:
  void on_packet(const std::shared_ptr<Association>& from, Octets packet) override {
    packets_.emplace_back(from->principal() + ": " + std::string(packet.begin(), packet.end()));
  }
  void on_over(const std::shared_ptr<Association>&, const std::string& why) override {
    overs_.push_back(why);
  }
  // And what a client is told:
  void on_packet(Octets) override {}
  void on_refused(const Error&) override {}
  void on_gone(const std::string& why) override { gone_.push_back(why); }

  Simulation world_{29};
  KeptLog log_;
  tls::TestRealm realm_;
  tls::TestCredentials north_{realm_, "capsule/north"}, south_{realm_, "capsule/south"};
  ProtocolContext context_, client_context_;
  tls::Tls tls_{north_, options()}, client_tls_{south_, options()};
  Cookies cookies_{world_, world_};
  FakeSocket socket_;
  DtlsServer server_{context_, tls_, cookies_, *this};
  std::size_t octets_in_ = 0;
  std::vector<std::string> packets_, overs_, gone_;
};

TEST_F(DtlsServerTest, HandsOverWhatAProvedPeerSends) {
  const auto one = client(1);
  exchange(*one);
  EXPECT_THAT(packets_, ElementsAre("capsule:south: hello"));
  EXPECT_EQ(server_.counts().open, 1U);
  EXPECT_EQ(server_.counts().shaking, 0U);
}

TEST_F(DtlsServerTest, KeepsNothingForAddressesThatShowNoCookie) {
  const auto one = client(1);
  const std::string hello = one->socket.sent.at(0).octets;
  socket_.keeps = false;
  for (std::uint32_t i = 0; i < 1'000; ++i) give(address_of(i), hello);  // whatever is made once
  const std::size_t before = mallinfo2().uordblks;
  for (std::uint32_t i = 0; i < 200'000; ++i) give(address_of(i), hello);
  const std::size_t after = mallinfo2().uordblks;
  EXPECT_LT(after, before + 256 * 1'024);
  EXPECT_EQ(server_.counts().shaking, 0U);
  EXPECT_EQ(socket_.datagrams, 201'000U) << "each was asked for its cookie";
}

TEST_F(DtlsServerTest, NobodyGetsMoreOctetsThanItSentBeforeItsCookieCameBack) {
  const auto one = client(1), two = client(2);
  const std::string hello = one->socket.sent.at(0).octets;
  const std::string with_cookie = second_hello(*two);
  std::vector<std::string> kinds{hello, with_cookie + "and more"};
  for (std::size_t cut : {1U, 12U, 13U, 14U, 25U, 27U, 58U, 59U, 60U, 100U})
    kinds.push_back(hello.substr(0, cut));
  for (int first = 0; first < 256; ++first) {
    std::string other = hello;
    other[0] = static_cast<char>(first);
    kinds.push_back(other);
    kinds.emplace_back(60, static_cast<char>(first));
  }
  for (const std::string& kind : kinds) {
    octets_in_ = socket_.octets_out = 0;
    give(address_of(3), kind);
    EXPECT_LE(socket_.octets_out, octets_in_)
        << "first octet " << static_cast<int>(static_cast<unsigned char>(kind[0])) << ", "
        << kind.size() << " octets";
  }
  EXPECT_EQ(server_.counts().shaking, 0U);
  EXPECT_LT(socket_.sent.at(0).octets.size(), hello.size());
}

TEST_F(DtlsServerTest, ACookieOfAnotherAddressOrOfAnEarlierTimeIsNone) {
  const auto one = client(1);
  const std::string hello = second_hello(*one);
  give(address_of(2), hello);
  EXPECT_EQ(server_.counts().shaking, 0U) << "of another address";
  world_.run_for(seconds(61));
  give(one->address, hello);
  EXPECT_EQ(server_.counts().shaking, 0U) << "of an earlier time";
  for (const Sent& each : socket_.sent) EXPECT_LT(each.octets.size(), hello.size());
}

TEST_F(DtlsServerTest, HalfOpenHandshakesHaveABoundAndTheOldestGoes) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint32_t i = 0; i < DtlsServer::kShakingMax + 10; ++i) {
    clients.push_back(client(i));
    give(clients.back()->address, second_hello(*clients.back()));
  }
  EXPECT_EQ(server_.counts().shaking, DtlsServer::kShakingMax);
  socket_.sent.clear();
  clients.back()->dtls->send("newest");
  world_.run_for(milliseconds(150));  // both ends send their flights again
  exchange(*clients.back());
  EXPECT_EQ(server_.counts().open, 1U) << "the newest gets in";
  world_.run_for(Association::kHandshakeFor + seconds(1));
  EXPECT_EQ(server_.counts().shaking, 0U) << "the others are given up";
}

TEST_F(DtlsServerTest, WhatAPeerCostsIsKnown) {
  const auto shaking_first = client(1), open_first = client(2);  // what is made once
  give(shaking_first->address, second_hello(*shaking_first));
  exchange(*open_first);
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint32_t i = 10; i < 110; ++i) clients.push_back(client(i));
  std::vector<std::string> hellos;
  for (const auto& each : clients) hellos.push_back(second_hello(*each));
  socket_.keeps = false;
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < clients.size(); ++i) give(clients[i]->address, hellos[i]);
  const std::size_t each = (mallinfo2().uordblks - before) / clients.size();
  EXPECT_EQ(server_.counts().shaking, 101U);
  RecordProperty("octets", static_cast<int>(each));
  EXPECT_LT(each, 100U * 1'024) << "of a half-open handshake";
}

TEST_F(DtlsServerTest, EndsWhileHandshakesAreUnderWay) {
  const auto one = client(1), two = client(2);
  exchange(*one);
  give(two->address, second_hello(*two));
  server_.close();
  EXPECT_EQ(server_.counts().open + server_.counts().shaking, 0U);
  const auto datagrams = socket_.datagrams;
  give(two->address, one->socket.sent.empty() ? std::string(60, '\x16') : "");
  one->dtls->send("late");
  exchange(*one);
  world_.run_for(seconds(6));
  EXPECT_EQ(socket_.datagrams, datagrams) << "nothing is sent any more";
}

TEST_F(DtlsServerTest, AClientWithoutAnIdentityIsRefused) {
  const std::unique_ptr<SSL_CTX, tls::FreeSsl> plain(SSL_CTX_new(DTLS_method()));
  DtlsWire::prepare(*plain);
  FakeSocket socket;
  DtlsWire wire(socket, {}, nullptr);
  const tls::SslPtr ssl(SSL_new(plain.get()));
  wire.attach(*ssl);
  SSL_set_connect_state(ssl.get());
  SSL_do_handshake(ssl.get());
  for (int turn = 0; turn < 10; ++turn) {
    for (const Sent& each : std::exchange(socket.sent, {})) give(address_of(1), each.octets);
    for (const Sent& each : std::exchange(socket_.sent, {})) {
      wire.give(octets(each.octets));
      SSL_do_handshake(ssl.get());
    }
  }
  EXPECT_EQ(server_.counts().open, 0U);
  EXPECT_EQ(server_.counts().shaking, 0U);
  EXPECT_EQ(server_.counts().refused, 1U);
  EXPECT_THAT(log_.lines, ElementsAre(HasSubstr("NO_IDENTITY")));
}

TEST_F(DtlsServerTest, DropsWhatIsRepeatedLateOrFalseAndCountsIt) {
  const auto one = client(1);
  exchange(*one);
  one->dtls->send("first");
  const std::string first = one->socket.sent.at(0).octets;
  exchange(*one);
  give(one->address, first);
  EXPECT_EQ(server_.counts().dropped, 1U) << "repeated";
  one->dtls->send("held back");
  const std::string late = one->socket.sent.at(0).octets;
  one->socket.sent.clear();
  for (int i = 0; i < 2'049; ++i) one->dtls->send("x");
  exchange(*one, 3'000);
  EXPECT_EQ(packets_.size(), 2U + 2'049);
  give(one->address, late);
  EXPECT_EQ(server_.counts().dropped, 2U) << "2,049 datagrams late";
  std::string forged = first;
  forged[10] = '\x77';  // another number
  give(one->address, forged);
  EXPECT_EQ(server_.counts().dropped, 3U) << "not the peer's";
  EXPECT_EQ(packets_.size(), 2U + 2'049);
  one->dtls->send("still there");
  exchange(*one);
  EXPECT_EQ(packets_.back(), "capsule:south: still there");
}

TEST_F(DtlsServerTest, ForgedRecordsEndNothing) {
  const auto one = client(1);
  exchange(*one);
  for (std::size_t length = 0; length < 60; ++length) {
    for (const int type : {20, 21, 22, 23}) {
      std::string record("\0\xfe\xfd\0\1\0\0\0\0\1\0\0\0", 13);
      record[0] = static_cast<char>(type);
      record[10] = static_cast<char>(length);
      record[12] = static_cast<char>(length);
      record.append(length, '\x4b');
      give(one->address, record);
      give(one->address, std::string("\x14\xfe\xfd\0\0\0\0\0\0\0\1\0\1\1", 14) + record);
      one->dtls->on_datagram(octets(record));
      for (const char* const header :
           {"\x16\xfe\xfd\0\0\0\0\0\0\0\0\xb7\0", "\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x50",
            "\x15\xfe\xfd\0\1\0\0\0\0\2\0\x7f\xff"})
        give(one->address, std::string(header, 13) + record);
    }
  }
  EXPECT_THAT(overs_, IsEmpty());
  one->dtls->send("still there");
  exchange(*one);
  EXPECT_EQ(packets_.back(), "capsule:south: still there");
  EXPECT_THAT(overs_, IsEmpty()) << "the client has kept its connection too";
}

TEST_F(DtlsServerTest, ADatagramThatIsALittleLateIsTaken) {
  const auto one = client(1);
  exchange(*one);
  one->dtls->send("late");
  const std::string late = one->socket.sent.at(0).octets;
  one->socket.sent.clear();
  for (int i = 0; i < 60; ++i) one->dtls->send("x");
  exchange(*one);
  give(one->address, late);
  EXPECT_EQ(packets_.back(), "capsule:south: late");
}

TEST_F(DtlsServerTest, APeerThatBeginsAgainAtItsAddressReplacesItselfOnceItIsProved) {
  const auto one = client(1);
  exchange(*one);
  const auto again = client(1);
  give(again->address, second_hello(*again));
  EXPECT_THAT(overs_, IsEmpty()) << "a hello proves nothing";
  one->dtls->send("still the first");
  exchange(*one);
  EXPECT_EQ(packets_.back(), "capsule:south: still the first");
  const auto third = client(1);
  exchange(*third);
  EXPECT_THAT(overs_, ElementsAre(HasSubstr("began another connection")));
  EXPECT_EQ(server_.counts().open, 1U);
}

TEST_F(DtlsServerTest, SaysThatItDoesNotKnowARecordToItsSenderOnly) {
  const auto one = client(1);
  exchange(*one);
  one->dtls->send("x");
  const std::string record = one->socket.sent.at(0).octets;
  one->socket.sent.clear();
  socket_.sent.clear();
  give(address_of(2), record);
  ASSERT_EQ(socket_.sent.size(), 1U);
  const std::string answer = socket_.sent[0].octets;
  EXPECT_LT(answer.size(), record.size());
  std::string guess = answer;
  guess.back() ^= 1;
  const std::shared_ptr<DtlsClient::User> user(this, [](auto*) {});
  one->dtls->serve(user);
  one->dtls->on_datagram(octets(guess));
  EXPECT_THAT(gone_, IsEmpty()) << "of a record that it did not send";
  one->dtls->on_datagram(octets(answer));
  EXPECT_THAT(gone_, ElementsAre(HasSubstr("was restarted")));
}

TEST_F(DtlsServerTest, WarnsOnceASecondOfWhatIsNotEncrypted) {
  std::string hello(kHelloOctets, '\0');
  hello[0] = static_cast<char>(PacketType::kHello);
  for (int i = 0; i < 1'000; ++i) give(address_of(1), hello);
  EXPECT_EQ(socket_.datagrams, 0U);
  EXPECT_EQ(server_.counts().plain, 1'000U);
  EXPECT_THAT(log_.lines, ElementsAre(HasSubstr("not encrypted")));
  world_.run_for(seconds(1));
  give(address_of(1), hello);
  EXPECT_THAT(log_.lines, ElementsAre(HasSubstr("not encrypted"), HasSubstr("times=1000")));
}

}  // namespace
}  // namespace hector::udp
