#include "encrypted_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <string>
#include <vector>

#include "hector/descriptor.h"
#include "tls/testing.h"

namespace hector::grpcp {
namespace {

/// Both ends of a connection whose handshake is over.
class EncryptedSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2] = {-1, -1};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    here_ = Descriptor(ends[0]);
    there_ = Descriptor(ends[1]);
    server_ = std::make_unique<EncryptedSocket>(std::move(*accepting_.accepting()), here_.get());
    auto connecting = *connecting_.connecting({});
    client_ssl_ = connecting.get();
    client_ = std::make_unique<EncryptedSocket>(std::move(connecting), there_.get());
    using Step = EncryptedSocket::Step;
    Step one = Step::kWantsRead, other = Step::kWantsRead;
    for (int i = 0; i < 20 && (one != Step::kDone || other != Step::kDone); ++i) {
      one = client_->shake();
      other = server_->shake();
    }
    ASSERT_EQ(one, Step::kDone);
    ASSERT_EQ(other, Step::kDone);
  }
  static ssize_t send(EncryptedSocket& socket, std::vector<std::string> parts) {
    std::vector<iovec> all;
    for (auto& part : parts) all.push_back({part.data(), part.size()});
    msghdr message{};
    message.msg_iov = all.data();
    message.msg_iovlen = all.size();
    return socket.send(message);
  }
  static ssize_t receive(EncryptedSocket& socket, std::string& into, std::size_t most) {
    iovec part{into.data(), into.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return socket.receive(message, most);
  }

  tls::TestRealm realm_;
  tls::TestCredentials north_{realm_, "capsule/north"}, south_{realm_, "capsule/south"};
  tls::Tls accepting_{north_, {}}, connecting_{south_, {}};
  Descriptor here_, there_;
  SSL* client_ssl_ = nullptr;  ///< the client's
  std::unique_ptr<EncryptedSocket> server_, client_;
};

TEST_F(EncryptedSocketTest, SendsWhatIsInManyPartsAsItStands) {
  const std::string long_part(40'000, 'x');
  EXPECT_EQ(send(*server_, {"ab", "", "c", long_part, "d"}), 40'004);
  std::string got, room(64 * 1024, '\0');
  while (got.size() < 40'004) {
    const ssize_t size = receive(*client_, room, room.size());
    ASSERT_GT(size, 0);
    got += room.substr(0, static_cast<std::size_t>(size));
  }
  EXPECT_EQ(got, "abc" + long_part + "d");
}

TEST_F(EncryptedSocketTest, GivesNoMoreThanIsWantedButWhatIsDecryptedAlready) {
  ASSERT_EQ(send(*server_, {"0123456789"}), 10);
  std::string room(64, '\0');
  EXPECT_EQ(receive(*client_, room, 0), -1);
  EXPECT_EQ(errno, EAGAIN) << "nothing is decrypted yet";
  EXPECT_EQ(receive(*client_, room, 4), 4);
  EXPECT_EQ(receive(*client_, room, 0), 6) << "the socket would not become readable for it again";
  EXPECT_EQ(receive(*client_, room, 64), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(EncryptedSocketTest, GoesOnWhereAFullSocketStoppedIt) {
  const std::string part(100'000, 'y');
  std::string sent, got, room(64 * 1024, '\0');
  for (int i = 0; i < 1'000; ++i) {
    const ssize_t size = send(*server_, {part.substr(sent.size() % part.size()), part});
    if (size < 0) break;
    for (ssize_t at = 0; at < size; ++at) sent += 'y';
  }
  EXPECT_EQ(errno, EAGAIN);
  while (got.size() < sent.size()) {
    const ssize_t size = receive(*client_, room, room.size());
    if (size < 0) ASSERT_GT(send(*server_, {part, part}), 0);
    if (size > 0) got += room.substr(0, static_cast<std::size_t>(size));
  }
  EXPECT_EQ(got.find_first_not_of('y'), std::string::npos);
}

/// gRPC takes 0 for nothing sent, and tries again at once.
TEST_F(EncryptedSocketTest, SaysThatItIsBrokenAfterThePeersEnd) {
  SSL_shutdown(client_ssl_);
  std::string room(64, '\0');
  EXPECT_EQ(receive(*server_, room, room.size()), 0) << "the peer's end";
  there_ = Descriptor();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(send(*server_, {"more"}), -1);
    EXPECT_NE(errno, EAGAIN);
  }
}

}  // namespace
}  // namespace hector::grpcp
