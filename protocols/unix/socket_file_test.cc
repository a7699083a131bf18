#include "socket_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace hector::unix_sockets {

namespace {

class SocketFileTest : public testing::Test {
 protected:
  SocketFileTest() {
    char folder[] = "/tmp/hector-unix-test-XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~SocketFileTest() override {
    for (const char* name : {"a", "b"}) unlink((folder_ + "/" + name).c_str());
    rmdir(folder_.c_str());
  }
  [[nodiscard]] SocketFile place(const std::string& name = "a") const {
    return {machine(), folder_ + "/" + name};
  }
  std::string folder_;
};

TEST_F(SocketFileTest, IsAnAddressThatIsReadAgain) {
  const auto read = parse_address(place().text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->path, place().path);
  EXPECT_EQ(read->machine, machine());
  EXPECT_EQ(machine().size(), 8U);
}

TEST_F(SocketFileTest, IsRefusedAsAnAddressSayingWhatIsExpected) {
  for (const std::string text : {"", "nonsense", "/a", ":/a", "a:", "a:b", "a/b:/c"}) {
    const auto read = parse_address(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kInvalidArgument);
    EXPECT_THAT(read.error().message, testing::HasSubstr("expected MACHINE:/")) << text;
  }
  EXPECT_THAT(parse_address("a:/" + std::string(120, 'x')).error().message,
              testing::HasSubstr("107 octets, this one has 121"));
}

TEST_F(SocketFileTest, IsChosenByAnEndpoint) {
  EXPECT_EQ(parse_place("/x", "north")->text(), machine() + ":/x");
  EXPECT_FALSE(parse_place("elsewhere:/x", "north"));
  const auto one = parse_place("*", "north-1");
  ASSERT_TRUE(one) << one.error().text();
  EXPECT_TRUE(one->path.ends_with("/north-1"));
  struct stat folder {};
  ASSERT_EQ(stat(one->path.substr(0, one->path.rfind('/')).c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700U);
}

TEST_F(SocketFileTest, IsForItsUserAlone) {
  const auto listener = listen_at(place());
  ASSERT_TRUE(listener) << listener.error().text();
  struct stat found {};
  ASSERT_EQ(stat(place().path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  const auto connection = connect_to(place());
  ASSERT_TRUE(connection) << connection.error().text();
  const Descriptor accepted(accept(listener->get(), nullptr, nullptr));
  const auto other = other_end(accepted.get());
  ASSERT_TRUE(other);
  EXPECT_EQ(other->user, geteuid());
  EXPECT_EQ(other->process, getpid());
}

TEST_F(SocketFileTest, IsTakenWhileSomebodyListensThere) {
  {
    const auto listener = listen_at(place());
    ASSERT_TRUE(listener);
    EXPECT_EQ(listen_at(place()).error().code, Code::kAlreadyExists);
  }
  EXPECT_TRUE(listen_at(place())) << "what a killed process left is no obstacle";
  ASSERT_EQ(symlink("/etc/passwd", place("b").path.c_str()), 0);
  EXPECT_EQ(listen_at(place("b")).error().code, Code::kAlreadyExists);
}

TEST_F(SocketFileTest, IsNotReachedWhereNobodyListens) {
  const auto nobody = connect_to(place());
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kUnavailable);
  EXPECT_EQ(nobody.error().type, kNotExecuted);
  const auto elsewhere = connect_to({"another", place().path});
  EXPECT_THAT(elsewhere.error().message, testing::HasSubstr("another machine"));
}

TEST_F(SocketFileTest, RefusesAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  const auto listener = listen_at(place());
  ASSERT_TRUE(listener);
  const auto connection = connect_to(place());
  const Descriptor accepted(accept(listener->get(), nullptr, nullptr));
  ASSERT_TRUE(connection && accepted.is_open());
  ASSERT_EQ(seteuid(65'534), 0);
  EXPECT_TRUE(other_end(accepted.get())) << "root may";
  ASSERT_EQ(seteuid(0), 0);
  int ends[2];
  ASSERT_EQ(seteuid(65'534), 0);
  const int made = socketpair(AF_UNIX, SOCK_STREAM, 0, ends);  // of nobody
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_EQ(made, 0);
  const auto other = other_end(ends[0]);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kPermissionDenied);
  EXPECT_THAT(other.error().message, testing::HasSubstr("of user 65534"));
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace hector::unix_sockets
