#include "hector/socket_owner.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hector/descriptor.h"

namespace hector {

namespace {

TEST(LoopbackAddress, IsReadInEachForm) {
  for (const auto* text : {"127.0.0.1:5000", "ipv4:127.0.0.1:5000", "ipv4:127.9.9.9:5000",
                           "[::1]:5000", "ipv6:%5B::1%5D:5000"}) {
    const auto address = loopback_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->port, 5000) << text;
  }
  for (const auto* text :
       {"", "unix:/x", "10.0.0.1:5000", "ipv4:128.0.0.1:5000", "[::2]:5000", "ipv6:%5B::1:5000",
        "127.0.0.1", "127.0.0.1:99999", "uid:0 pid:1", "[::ffff:10.0.0.1]:1", "zenoh/127.0.0.1:1x"})
    EXPECT_FALSE(loopback_address(text)) << text;
}

/// A socket of the family and type, bound to a loopback address of it.
class Bound {
 public:
  Bound(int family, int type, bool to_all = false)
      : socket_(::socket(family, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(to_all ? INADDR_ANY : INADDR_LOOPBACK);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = to_all ? in6addr_any : in6addr_loopback;
    auto* any =
        family == AF_INET ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
    EXPECT_EQ(bind(socket_.get(), any, size), 0);
    getsockname(socket_.get(), any, &size);
    port_ = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
  }
  [[nodiscard]] int get() const { return socket_.get(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Descriptor socket_;
  std::uint16_t port_ = 0;
};

NetworkAddress here(const char* host, std::uint16_t port) {
  return *NetworkAddress::parse(std::string(host) + ":" + std::to_string(port));
}

TEST(SocketOwners, OfADatagramSocketAreWhoOpenedIt) {
  const Bound v4(AF_INET, SOCK_DGRAM), all(AF_INET, SOCK_DGRAM, true), v6(AF_INET6, SOCK_DGRAM);
  EXPECT_THAT(socket_owners(here("127.0.0.1", v4.port())), testing::ElementsAre(geteuid()));
  EXPECT_THAT(socket_owners(here("127.0.0.1", all.port())), testing::ElementsAre(geteuid()));
  EXPECT_THAT(socket_owners(here("[::1]", v6.port())), testing::ElementsAre(geteuid()));
  EXPECT_THAT(socket_owners(here("127.0.0.1", v6.port())), testing::IsEmpty());
}

TEST(SocketOwners, OfAConnectionAreWhoMadeIt) {
  const Bound listener(AF_INET, SOCK_STREAM);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  std::uint16_t port = 0;
  {
    const Bound client(AF_INET, SOCK_STREAM);
    port = client.port();
    EXPECT_THAT(socket_owners(here("127.0.0.1", port)), testing::IsEmpty()) << "not connected";
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_THAT(socket_owners(here("127.0.0.1", port)), testing::ElementsAre(geteuid()));
    // A second one at the same address, of another user: both are told.
    if (geteuid() == 0) {
      ASSERT_EQ(seteuid(65'534), 0);
      const int other = socket(AF_INET, SOCK_DGRAM, 0);
      ASSERT_EQ(seteuid(0), 0);
      sockaddr_in same = to;
      same.sin_port = htons(port);
      ASSERT_EQ(bind(other, reinterpret_cast<sockaddr*>(&same), sizeof same), 0);
      EXPECT_THAT(socket_owners(here("127.0.0.1", port)),
                  testing::UnorderedElementsAre(0U, 65'534U));
      ::close(other);
    }
  }
  EXPECT_THAT(socket_owners(here("127.0.0.1", port)), testing::IsEmpty()) << "it has gone";
}

}  // namespace
}  // namespace hector
