// What: tests of addresses of ZeroMQ's sockets and of a broker.
// Why: a port that there is not must not become another one.
// Who: ctest, in zeromq_wire_test.
#include "socket_address.h"

#include <gtest/gtest.h>

#include "roc_options.h"

namespace hector::zeromq {
namespace {

TEST(SocketAddress, NamesAHostAndAPort) {
  for (const char* text :
       {"tcp://127.0.0.1:0", "tcp://*:5555", "tcp://127.0.0.1:*", "tcp://[::1]:65535",
        "tcp://127.0.0.1:0;127.0.0.1:5555", "ipc:///tmp/a", "inproc://here"})
    EXPECT_TRUE(check_socket_address(text)) << text;
  for (const char* text :
       {"tcp://127.0.0.1:65536", "tcp://127.0.0.1:70000", "tcp://127.0.0.1:80x",
        "tcp://127.0.0.1:", "tcp://127.0.0.1", "tcp://:80", "tcp://127.0.0.1:-1", "tcp://"})
    EXPECT_FALSE(check_socket_address(text)) << text;
}

TEST(RocAddresses, AreABrokersPortAndTheNextTwo) {
  const auto read = RocAddresses::of("tcp://[::1]:65533");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->broker, "tcp://[::1]:65533");
  EXPECT_EQ(read->general_xsub, "tcp://[::1]:65534");
  EXPECT_EQ(read->general_xpub, "tcp://[::1]:65535");
  for (const char* text : {"tcp://127.0.0.1:65534", "tcp://127.0.0.1:0", "tcp://127.0.0.1:80x",
                           "tcp://127.0.0.1:", "ipc://x", "127.0.0.1:80", "tcp://127.0.0.1:131073"})
    EXPECT_FALSE(RocAddresses::of(text)) << text;
}

}  // namespace
}  // namespace hector::zeromq
