#include "management/management_guard.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "hector/descriptor.h"
#include "hector/management/v1/management.pb.h"
#include "hector/message_calls.h"
#include "simulation.h"

namespace hector {

namespace {

/// Completes every call.
class Answers final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(); }
};

class ManagementGuardTest : public ::testing::Test {
 protected:
  /// Nothing: it was answered.
  std::optional<Error> ask(const Peer* peer, const std::string& name = "unload") {
    Operation operation;
    operation.name = name;
    std::optional<Error> error;
    auto& call = CallbackCall::make([&error](Call& ended) { error = ended.error; });
    call.peer = peer;
    call.operation = &operation;
    management::v1::CallRequest request;
    request.set_target(target_);
    if (name == "call") call.request = write_message(request);
    guard_->invoke(call);
    return error;
  }
  std::optional<Error> ask(const std::string& address, Security security = Security::kNone) {
    const Peer peer{"user:root", "udp", address, security};
    return ask(&peer);
  }

  testing::Simulation world_{1};
  std::vector<AuditEvent> recorded_;
  std::string target_ = "hi";  ///< of what is called

  std::vector<ManagementRole> roles_;
  void make_guard() {
    guard_.emplace(std::make_unique<Answers>(),
                   ManagementGuard::Options{
                       .capsule = "north",
                       .clock = world_,
                       .log = world_,
                       .record = [this](const AuditEvent& event) { recorded_.push_back(event); },
                       .is_own = [](const std::string& target) { return target == "hi"; },
                       .roles = roles_});
  }
  void SetUp() override { make_guard(); }

 private:
  std::optional<ManagementGuard> guard_;
};

/// A datagram socket of a user on 127.0.0.1, and its address.
struct Client {
  explicit Client(uid_t user) {
    EXPECT_EQ(seteuid(user), 0);
    socket = Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(seteuid(0), 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    EXPECT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
    getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(own.sin_port));
  }
  Descriptor socket;
  std::string address;
};

TEST_F(ManagementGuardTest, LetsThisProcessAndItsUserPass) {
  EXPECT_FALSE(ask(nullptr));
  const Peer own{"user:ann", "socket file", "north", Security::kPrivacy, true};
  EXPECT_FALSE(ask(&own)) << "in the process, and over a socket file";
}

/// Each may what is of its own column or of one before it, and nothing else.
TEST_F(ManagementGuardTest, GivesEachRoleItsOperations) {
  const char* const operations[3][5] = {{"list", "describe", "version"},
                                        {"create", "delete", "move", "bind"},
                                        {"load", "unload", "", "added later"}};
  const struct {
    const char* principal;
    int rights;
  } cases[] = {{"operator:ann", 3},
               {"operator:ann/laptop", 3},
               {"capsule:south", 2},
               {"capsule:south/bob", 2},
               {"user:ann", 1},
               {"operators:ann", 1},
               {"spiffe://other/operator/ann", 1}};
  int cells = 0;
  for (const auto& each : cases) {
    const Peer peer{each.principal, "grpc", "192.0.2.1:80", Security::kPrivacy};
    for (int column = 0; column < 3; ++column) {
      for (const char* operation : operations[column]) {
        if (operation == nullptr) continue;
        ++cells;
        EXPECT_EQ(!ask(&peer, operation), column < each.rights)
            << each.principal << ' ' << operation;
      }
    }
  }
  EXPECT_EQ(cells, 7 * 11);
}

TEST_F(ManagementGuardTest, TellsWhichRoleIsMissing) {
  const Peer capsule{"capsule:south", "grpc", "192.0.2.1:80", Security::kPrivacy};
  const auto refused = ask(&capsule, "load");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, Code::kPermissionDenied);
  EXPECT_THAT(refused->message,
              ::testing::HasSubstr("needs the role administrator, and 'capsule:south' has "
                                   "operator"));
  ASSERT_EQ(recorded_.size(), 1U);
  EXPECT_EQ(recorded_[0].outcome, AuditOutcome::kRefused);
}

TEST_F(ManagementGuardTest, TakesTheConfiguredRolesInPlaceOfTheUsualOnes) {
  roles_ = {{ManagementRight::kAdministrate, {"user:ann"}},
            {ManagementRight::kLook, {"capsule:*"}}};
  make_guard();
  const auto asks = [&](const char* principal, const char* operation) {
    const Peer peer{principal, "grpc", "192.0.2.1:80", Security::kPrivacy};
    return !ask(&peer, operation);
  };
  EXPECT_TRUE(asks("user:ann", "load"));
  EXPECT_TRUE(asks("user:ann/phone", "load")) << "what is below it speaks as it";
  EXPECT_FALSE(asks("user:anna", "load"));
  EXPECT_FALSE(asks("user:anna", "list")) << "it has no role";
  EXPECT_FALSE(asks("operator:root", "load"));
  EXPECT_TRUE(asks("capsule:south", "list"));
  EXPECT_FALSE(asks("capsule:south", "create"));
}

TEST(ManagementRightTest, HasThreeNames) {
  EXPECT_EQ(management_right("viewer"), ManagementRight::kLook);
  EXPECT_EQ(management_right("operator"), ManagementRight::kOperate);
  EXPECT_EQ(management_right("administrator"), ManagementRight::kAdministrate);
  EXPECT_FALSE(management_right("admin"));
}

TEST_F(ManagementGuardTest, LetsProcessesOfItsUserPass) {
  const Client own(geteuid());
  EXPECT_FALSE(ask(own.address));
  EXPECT_FALSE(ask("ipv4:" + own.address));
}

TEST_F(ManagementGuardTest, RefusesOtherUsersAndSaysWhoTheyAre) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  const Client nobody(65'534);
  const auto refused = ask(nobody.address);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, Code::kPermissionDenied);
  EXPECT_THAT(refused->message, ::testing::HasSubstr("is of user 65534"));
  EXPECT_THAT(refused->message, ::testing::HasSubstr("management: {insecure: true}"));
  ASSERT_EQ(recorded_.size(), 1U);
  EXPECT_EQ(recorded_[0].outcome, AuditOutcome::kRefused);
  EXPECT_THAT(recorded_[0].principal, ::testing::StartsWith("uid:65534 (user:root, udp 127."));
  EXPECT_TRUE(ask(nobody.address));
  EXPECT_EQ(recorded_.size(), 1U) << "a crowd is told once a second";
}

TEST_F(ManagementGuardTest, LetsEverybodyLookAndNothingElse) {
  const Peer stranger{"user:root", "grpc", "ipv4:192.0.2.1:80", Security::kNone};
  for (const auto* name : {"list", "describe", "version", "call"})
    EXPECT_FALSE(ask(&stranger, name)) << name;
  for (const auto* name : {"load", "unload", "create", "delete", "bind", "move", "", "added later"})
    EXPECT_TRUE(ask(&stranger, name)) << name;
}

/// This capsule would call it in its own name, which may do more.
TEST_F(ManagementGuardTest, CallsNothingElsewhereForAStranger) {
  const Peer stranger{"user:root", "grpc", "ipv4:192.0.2.1:80", Security::kNone};
  for (const auto* target : {"", "_management", "capsules/south", "hector:CgA"}) {
    target_ = target;
    EXPECT_TRUE(ask(&stranger, "call")) << target;
    EXPECT_FALSE(ask(nullptr, "call")) << target;
  }
}

TEST_F(ManagementGuardTest, RefusesWhatIsOfNoProcessHere) {
  for (const auto* address : {"", "10.0.0.1:4000", "ipv4:192.0.2.1:80", "hector/north/rpc"}) {
    const auto refused = ask(address);
    ASSERT_TRUE(refused) << address;
    EXPECT_EQ(refused->code, Code::kPermissionDenied);
  }
  std::string address;
  {
    const Client gone(geteuid());
    address = gone.address;
  }
  EXPECT_THAT(ask(address)->message, ::testing::HasSubstr("no process that is still there"));
}

}  // namespace
}  // namespace hector
