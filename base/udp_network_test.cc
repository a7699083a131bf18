// What: the machine's UDP: datagrams, who reads a socket, its end.
// Why: the protocols' tests run on the simulated network; this is where the real one is asked.
// Who: base_test.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <future>

#include "hector/system.h"

namespace hector {
namespace {

class UdpNetwork : public ::testing::Test {
 protected:
  static std::span<const std::uint8_t> octets(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }
  std::unique_ptr<DatagramSocket> open(Reading reading, DatagramSocket::Receiver receiver) {
    auto socket =
        network_->open({*NetworkAddress::parse("127.0.0.1:0"), {}, reading}, std::move(receiver));
    EXPECT_TRUE(socket) << socket.error().text();
    return std::move(*socket);
  }
  static bool send(DatagramSocket& from, const NetworkAddress& to, const std::string& a,
                   const std::string& b = "") {
    const std::span<const std::uint8_t> parts[] = {octets(a), octets(b)};
    return from.send(to, std::span(parts, b.empty() ? 1 : 2));
  }
  const std::unique_ptr<Clock> clock_ = make_system_clock();
  const std::unique_ptr<Log> log_ = make_log(LogFormat::kText, Level::kError, "test");
  const std::unique_ptr<Network> network_ = make_system_network(*clock_, *log_);
};

TEST_F(UdpNetwork, JoinsTheParts) {
  std::promise<std::pair<std::string, std::string>> received;
  const auto to = open(Reading::kNetworkThread,
                       [&](const NetworkAddress& from, std::span<const std::uint8_t> datagram) {
                         received.set_value({from.text(), {datagram.begin(), datagram.end()}});
                       });
  const auto from = open(Reading::kNetworkThread, [](const auto&, auto) {});
  ASSERT_TRUE(send(*from, to->local(), "head", "body"));
  const auto [sender, text] = received.get_future().get();
  EXPECT_EQ(text, "headbody");
  EXPECT_EQ(sender, from->local().text());
}

TEST_F(UdpNetwork, IsReadByTheThreadThatWaits) {
  std::thread::id reader;
  const auto to =
      open(Reading::kMayMove, [&](const auto&, auto) { reader = std::this_thread::get_id(); });
  const auto from = open(Reading::kNetworkThread, [](const auto&, auto) {});
  ASSERT_TRUE(send(*from, to->local(), "x"));
  // The network's thread may have been first; of those sent while this one waits, one is its own.
  const TimePoint until = clock_->now() + std::chrono::seconds(30);
  while (!(to->receive_here(until) && reader == std::this_thread::get_id())) {
    ASSERT_LT(clock_->now(), until);
    send(*from, to->local(), "x");
  }
}

TEST_F(UdpNetwork, EndsAWaitAtItsDeadline) {
  const auto socket = open(Reading::kMayMove, [](const auto&, auto) {});
  const TimePoint until = clock_->now() + std::chrono::milliseconds(10);
  while (socket->receive_here(until)) {
  }
  EXPECT_GE(clock_->now(), until);
}

TEST_F(UdpNetwork, IsReadByTheNetworksThreadWhereNobodyWaits) {
  std::promise<void> received;
  std::atomic<int> count = 0;
  const auto to = open(Reading::kMayMove, [&](const auto&, auto) {
    if (++count == 1) received.set_value();
  });
  const auto from = open(Reading::kNetworkThread, [](const auto&, auto) {});
  ASSERT_TRUE(send(*from, to->local(), "x"));
  received.get_future().wait();
}

TEST_F(UdpNetwork, RunsNoReceiverAfterASocketsEnd) {
  for (const Reading reading : {Reading::kNetworkThread, Reading::kMayMove}) {
    std::atomic<bool> has_ended = false, ran_late = false;
    auto to = open(reading, [&](const auto&, auto) { ran_late = ran_late || has_ended; });
    const auto address = to->local();
    const auto from = open(Reading::kNetworkThread, [](const auto&, auto) {});
    for (int i = 0; i < 50; ++i) send(*from, address, "x");
    to.reset();
    has_ended = true;
    for (int i = 0; i < 50; ++i) send(*from, address, "x");
    EXPECT_FALSE(ran_late);
  }
}

TEST_F(UdpNetwork, ReceivesFromItsPeerAlone) {
  std::promise<std::string> received;
  const auto peer = open(Reading::kNetworkThread, [](const auto&, auto) {});
  const auto stranger = open(Reading::kNetworkThread, [](const auto&, auto) {});
  auto socket = network_->open(
      {*NetworkAddress::parse("127.0.0.1:0"), peer->local(), Reading::kNetworkThread},
      [&](const auto&, std::span<const std::uint8_t> datagram) {
        received.set_value({datagram.begin(), datagram.end()});
      });
  ASSERT_TRUE(socket);
  send(*stranger, (*socket)->local(), "stranger");
  send(*peer, (*socket)->local(), "peer");
  EXPECT_EQ(received.get_future().get(), "peer");
}

TEST_F(UdpNetwork, RefusesAnAddressInUseAndOneOfAnotherMachine) {
  const auto first = open(Reading::kNetworkThread, [](const auto&, auto) {});
  const auto second = network_->open({first->local(), {}, {}}, [](const auto&, auto) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  const auto foreign =
      network_->open({*NetworkAddress::parse("192.0.2.1:0"), {}, {}}, [](const auto&, auto) {});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Code::kInvalidArgument);
}

TEST_F(UdpNetwork, SendsNothingToAnotherFamily) {
  const auto socket = open(Reading::kNetworkThread, [](const auto&, auto) {});
  EXPECT_FALSE(send(*socket, *NetworkAddress::parse("[::1]:9"), "x"));
}

}  // namespace
}  // namespace hector
