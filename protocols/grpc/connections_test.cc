// What: Connections over socket pairs; the test reads and closes them as gRPC would.
// Why: who may have a connection, and what an unfinished header may cost, decides whether one peer
// can shut out the others.
// Who: ctest, in grpc_connections_test, which is linked without the hooks into gRPC.
#include "connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <vector>

#include "simulation.h"
#include "testing.h"

namespace hector::grpcp {

namespace {

std::map<int, WatchedSocket*> watched;
std::vector<int> woken;

}  // namespace

void wake_reader(int descriptor) noexcept { woken.push_back(descriptor); }

bool watch_socket(int descriptor, WatchedSocket& socket) noexcept {
  watched[descriptor] = &socket;
  return true;
}

namespace {

constexpr std::uint8_t kHeaders = 1, kContinuation = 9, kEndHeaders = 4;
/// As long as a header block may be, and not over.
constexpr std::size_t kLong = kHeaderBlockOctetsMax - 9;

class ConnectionsTest : public ::testing::Test {
 protected:
  struct Peer {
    int here, there;
  };
  ~ConnectionsTest() override {
    for (const auto& each : peers_) ::close(each.there);
    while (!watched.empty()) close(watched.begin()->first);
  }
  /// Nothing where there is no room.
  std::optional<Peer> connect(std::string place = "") {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    const Peer peer{ends[0], ends[1]};
    peers_.push_back(peer);
    if (place.empty()) place = "127.0.0.1:" + std::to_string(ends[0]);
    if (connections->add(peer.here, place)) {
      EXPECT_TRUE(read(peer, Octets(24, 'p'))) << "the preface";
      return peer;
    }
    ::close(peer.here);
    return std::nullopt;
  }
  /// What gRPC is given next.
  static bool read(const Peer& peer, const Octets& octets) {
    return watched.at(peer.here)->on_read(octets);
  }
  static bool call(const Peer& peer) { return read(peer, frame(kHeaders, kEndHeaders, 20)); }
  /// gRPC closes it.
  static void close(int descriptor) {
    auto* const socket = watched.at(descriptor);
    watched.erase(descriptor);
    socket->on_close();
    ::close(descriptor);
  }
  /// Whether its peer sees the end.
  static bool is_ended(const Peer& peer) {
    char octet;
    return recv(peer.there, &octet, 1, MSG_DONTWAIT) == 0;
  }
  void pass(Duration time) {
    world.at(world.now() + time, [] {});
    world.run_for(time);
  }

  testing::Simulation world{1};
  std::shared_ptr<Connections> connections = std::make_shared<Connections>(world, world, 2);

 private:
  std::vector<Peer> peers_;
};

TEST_F(ConnectionsTest, MakeRoomByEndingTheOldestThatHasCalledNothing) {
  const auto caller = *connect();
  const auto idle = *connect();
  EXPECT_TRUE(call(caller));
  EXPECT_TRUE(connect());
  EXPECT_TRUE(is_ended(idle));
  EXPECT_FALSE(is_ended(caller));
}

TEST_F(ConnectionsTest, RefuseOneMoreWhereAllHaveCalled) {
  const auto first = *connect(), second = *connect();
  EXPECT_TRUE(call(first) && call(second));
  EXPECT_FALSE(connect());
  close(first.here);
  EXPECT_TRUE(connect()) << "one has gone";
}

TEST_F(ConnectionsTest, EndOneWhoseHeaderIsTooLong) {
  const auto peer = *connect();
  EXPECT_TRUE(read(peer, frame(kHeaders, 0, kLong)));
  EXPECT_FALSE(read(peer, frame(kContinuation, 0, 1)));
  EXPECT_TRUE(is_ended(peer));
}

/// The header and what makes it too long come in one read.
TEST_F(ConnectionsTest, TakeOffWhatOneThatOffendedHadOpen) {
  const auto offender = *connect();
  Octets all = frame(kHeaders, 0, kLong);
  const auto more = frame(kContinuation, 0, 1);
  all.insert(all.end(), more.begin(), more.end());
  EXPECT_FALSE(read(offender, all));
  close(offender.here);
  const auto next = *connect();
  EXPECT_TRUE(read(next, frame(kHeaders, 0, 20))) << "others may open headers as before";
}

TEST_F(ConnectionsTest, EndOneWhoseHeaderDoesNotEndInTime) {
  const auto slow = *connect();
  const auto quick = *connect();
  EXPECT_TRUE(read(slow, frame(kHeaders, 0, 20)));
  EXPECT_TRUE(call(quick));
  pass(kHeaderWithin - std::chrono::milliseconds(1));
  connections->look(nullptr);
  EXPECT_FALSE(is_ended(slow));
  pass(std::chrono::milliseconds(1));
  connections->look(nullptr);
  EXPECT_TRUE(is_ended(slow));
  EXPECT_FALSE(is_ended(quick));
}

TEST_F(ConnectionsTest, KeepNoMoreOpenHeadersTogetherThanTheyMay) {
  connections = std::make_shared<Connections>(world, world, 1'000);
  const std::size_t fit = kOpenHeadersOctetsMax / kHeaderBlockOctetsMax;
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < fit; ++i) {
    peers.push_back(*connect());
    ASSERT_TRUE(read(peers.back(), frame(kHeaders, 0, kLong - 9))) << i;
  }
  const auto last = *connect();
  EXPECT_FALSE(read(last, frame(kHeaders, 0, 2'000)));
  EXPECT_TRUE(read(peers[0], frame(kContinuation, kEndHeaders, 0))) << "one that ends gives back";
  close(last.here);
  EXPECT_TRUE(read(*connect(), frame(kHeaders, 0, 20)));
}

TEST_F(ConnectionsTest, EndThePeerThatGrpcNames) {
  const struct {
    const char *place, *peer;
  } kPeers[] = {{"127.0.0.1:5000", "ipv4:127.0.0.1:5000"},
                {"[::1]:5000", "ipv6:%5B::1%5D:5000"},
                {"[fe80::1]:5000", "ipv6:%5Bfe80::1%252%5D:5000"}};
  const auto other = *connect("127.0.0.1:50001");
  for (const auto& each : kPeers) {
    const auto one = *connect(each.place);
    EXPECT_TRUE(call(one));
    for (const auto* const wrong : {"", ":", "ipv6:%5B", "ipv6:%5B%25", "ipv4:127.0.0.1:500"})
      connections->end_peer(wrong, "nothing");
    EXPECT_FALSE(is_ended(one));
    connections->end_peer(each.peer, "too much");
    EXPECT_TRUE(is_ended(one)) << each.peer;
    close(one.here);
  }
  EXPECT_FALSE(is_ended(other));
}

TEST_F(ConnectionsTest, SayWhetherAPeerTakesNothing) {
  const auto one = *connect("127.0.0.1:5000");
  ASSERT_TRUE(connect("127.0.0.1:5001"));
  EXPECT_FALSE(connections->is_stuck("ipv4:127.0.0.1:5000"));
  const Octets octets(4096);
  while (send(one.here, octets.data(), octets.size(), MSG_DONTWAIT) > 0) {
  }
  EXPECT_TRUE(connections->is_stuck("ipv4:127.0.0.1:5000"));
  EXPECT_FALSE(connections->is_stuck("ipv4:127.0.0.1:5001"));
  Octets taken(4096);
  while (recv(one.there, taken.data(), taken.size(), MSG_DONTWAIT) > 0) {
  }
  EXPECT_FALSE(connections->is_stuck("ipv4:127.0.0.1:5000"));
}

TEST_F(ConnectionsTest, StandStillWithAFullBacklogUntilThereIsAGap) {
  const auto one = *connect("127.0.0.1:5000"), other = *connect("127.0.0.1:5001");
  auto* const socket = watched.at(one.here);
  const auto remote = connections->remote("ipv4:127.0.0.1:5000");
  ASSERT_TRUE(remote);
  auto* const backlog = &remote->backlog;
  EXPECT_EQ(socket->room(), kReadOctets);
  for (std::size_t i = 0; i < kBacklogMax - 1; ++i) backlog->add();
  EXPECT_EQ(socket->room(), kReadOctetsOfMany);
  backlog->add();
  EXPECT_EQ(socket->room(), 0U);
  EXPECT_EQ(watched.at(other.here)->room(), kReadOctets);
  for (std::size_t i = 0; i < kBacklogGap; ++i)
    EXPECT_EQ(backlog->remove(), Backlog::Then::kNothing) << i;
  EXPECT_EQ(backlog->remove(), Backlog::Then::kResume);
  EXPECT_EQ(backlog->remove(), Backlog::Then::kNothing) << "it was said once";
  woken.clear();
  connections->resume(*remote);
  EXPECT_EQ(woken, std::vector{one.here});
  EXPECT_EQ(socket->room(), kReadOctetsOfMany);
}

TEST_F(ConnectionsTest, GiveNothingMoreToReadOfOneThatEnds) {
  const auto peer = *connect("127.0.0.1:5000");
  EXPECT_TRUE(call(peer));
  woken.clear();
  connections->end_peer("ipv4:127.0.0.1:5000", "too much");
  EXPECT_EQ(woken, std::vector{peer.here}) << "it may stand still";
  EXPECT_FALSE(call(peer));
}

TEST_F(ConnectionsTest, AllEndWithTheirEndpoint) {
  const auto first = *connect(), second = *connect();
  connections->close();
  EXPECT_TRUE(is_ended(first));
  EXPECT_TRUE(is_ended(second));
  EXPECT_EQ(connections->count(), 2U) << "until gRPC closes them";
}

}  // namespace
}  // namespace hector::grpcp
