// What: the authorisation matrix: each kind of principal, each role of two Binding types and each
// operation of three Interfaces, with its own Object and with others; Cedar's answer through the
// kernel beside that of a small model.
// Why: what a policy means has to be what the kernel does, in every cell and in both directions.
// Who: ctest.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>

#include "base/testing/waiting.h"
#include "hector/management/v1/auth.pb.h"
#include "hector/message_calls.h"
#include "hector/service/v1/policy.pb.h"
#include "kits/kit_capsule.h"

namespace hector::kits {
namespace {

namespace m = management::v1;
namespace s = service::v1;

constexpr const char* kTypes = R"(interface: m.Chair/1
messages: [google/protobuf/wrappers.proto]
initiates:
  read:    {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  look:    {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  post:    {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
interface: m.Diary/1
messages: [google/protobuf/wrappers.proto]
operations:
  read:  {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  write: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  erase: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
interface: m.Room/1
messages: [google/protobuf/wrappers.proto]
operations:
  look:    {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  reserve: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
interface: m.Board/1
messages: [google/protobuf/wrappers.proto]
operations:
  read: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
  post: {kind: rpc, in: google.protobuf.StringValue, out: google.protobuf.StringValue}
---
binding: m.Meeting/1
roles: {chair: {interface: m.Chair/1}, diary: {interface: m.Diary/1}}
interactions:
  read: {kind: rpc, from: chair, to: diary, operation: read}
protocol: read*
---
binding: m.Visit/1
roles:
  visitor: {interface: m.Chair/1}
  room:    {interface: m.Room/1}
  board:   {interface: m.Board/1}
interactions:
  look: {kind: rpc, from: visitor, to: room,  operation: look}
  post: {kind: rpc, from: visitor, to: board, operation: post}
protocol: (look | post)*
)";

constexpr const char* kPolicies = R"(
permit (principal, action == Action::"call", resource) when { context.is_same_object };
permit (principal in Kind::"operator", action, resource);
permit (principal in Capsule::"kit", action == Action::"call", resource in Interface::"m.Board/1");
permit (principal in Kind::"object", action == Action::"play", resource in Binding::"m.Meeting/1")
  when { context.is_authenticated };
permit (principal, action == Action::"call", resource)
  when { context.is_authenticated &&
         resource in [Operation::"m.Diary/1.read", Operation::"m.Board/1.read"] };
permit (principal == Principal::"anonymous", action == Action::"call",
        resource == Operation::"m.Board/1.read");
permit (principal in Domain::"friend.org", action == Action::"call",
        resource in Interface::"m.Room/1");
permit (principal in Capsule::"south", action == Action::"call", resource in Interface::"m.Room/1");
forbid (principal in Capsule::"south", action, resource == Operation::"m.Room/1.reserve");
forbid (principal, action, resource == Operation::"m.Diary/1.erase")
  unless { context.is_same_object || principal in Kind::"operator" };
permit (principal in Kind::"capsule", action == Action::"play",
        resource == Role::"m.Visit/1.visitor");
permit (principal in Capsule::"kit", action == Action::"play", resource in Binding::"m.Visit/1");
forbid (principal, action == Action::"play", resource == Role::"m.Visit/1.board")
  when { context.object == Object::"kit/board-b" };
permit (principal in Capsule::"kit", action == Action::"call",
        resource == Operation::"m.Room/1.look");
)";

/// Who asks, as the model knows it.
struct Who {
  const char* name;
  std::string principal;  ///< proved; empty: nothing is
  std::string claimed;
  bool is_object = false, is_capsule = false, is_operator = false;
  std::string capsule = {};
  std::string domain = {};
};
const std::vector<Who>& everybody() {
  static const std::vector<Who> all{
      {"an Object itself", "capsule:kit/diary-a", "", true, false, false, "kit"},
      {"another Object here", "capsule:kit/chair", "", true, false, false, "kit"},
      {"the capsule", "capsule:kit", "", false, true, false, "kit"},
      {"another capsule", "capsule:south", "", false, true, false, "south"},
      {"an Object there", "capsule:south/ben", "", true, false, false, "south"},
      {"an operator", "operator:ann", "", false, false, true},
      {"a user", "user:ann", ""},
      {"anonymous", "", ""},
      {"anonymous that claims the Object", "", "capsule:kit/diary-a"},
      {"anonymous that claims an operator", "", "operator:ann"},
      {"a foreign domain", "spiffe://other.org/x", "", false, false, false, "", "other.org"},
      {"a friend's domain", "spiffe://friend.org/x", "", false, false, false, "", "friend.org"},
  };
  return all;
}

// --- the model: the same rules in other words

bool may_call(const Who& who, const std::string& interface, const std::string& operation,
              const std::string& object) {
  const bool is_itself = who.principal == "capsule:kit/" + object;
  if (who.is_operator) return true;
  if (interface == "m.Diary/1" && operation == "erase") return is_itself;
  if (who.capsule == "south" && interface == "m.Room/1") return operation == "look";
  if (is_itself) return true;
  if (interface == "m.Board/1") return operation == "read" || who.capsule == "kit";
  if (interface == "m.Room/1")
    return who.domain == "friend.org" || (who.capsule == "kit" && operation == "look");
  return operation == "read" && !who.principal.empty();
}
bool may_play(const Who& who, const std::string& binding, const std::string& role,
              const std::string& object) {
  if (role == "board" && object == "board-b") return false;
  if (who.is_operator) return true;
  if (binding == "m.Meeting/1") return who.is_object;
  return who.capsule == "kit" || (who.is_capsule && role == "visitor");
}

class Actor final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(Payload(Bytes::copy("ok"))); }
};

struct Thing {
  const char* object;
  const char* interface;
  std::vector<std::string> operations;
};
const std::vector<Thing>& things() {
  static const std::vector<Thing> all{
      {"diary-a", "m.Diary/1", {"read", "write", "erase"}},
      {"diary-b", "m.Diary/1", {"read", "write", "erase"}},
      {"room-a", "m.Room/1", {"look", "reserve"}},
      {"room-b", "m.Room/1", {"look", "reserve"}},
      {"board-a", "m.Board/1", {"read", "post"}},
      {"board-b", "m.Board/1", {"read", "post"}},
  };
  return all;
}

class RightsMatrix : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!capsule_.loader().find(ModuleKind::kService, "policy"))
      GTEST_SKIP() << "policy is not in this build";
    ASSERT_TRUE(capsule_.load(ModuleKind::kService, "policy"));
    const std::string path = ::testing::TempDir() + "hector-matrix.yaml";
    std::ofstream(path) << kTypes;
    const auto loaded = capsule_.kernel().load_types(path);
    ASSERT_TRUE(loaded) << loaded.error().text();
    adopt("chair", "m.Chair/1");
    for (const auto& thing : things()) adopt(thing.object, thing.interface);
    s::PolicyRules rules;
    rules.set_name("site");
    rules.set_text(kPolicies);
    const auto put = ask<s::PolicyRevision>("policy", "put_rules", rules);
    ASSERT_TRUE(put) << put.error().text();
  }
  void adopt(const char* name, const char* interface) {
    const auto adopted =
        capsule_.kernel().adopt_object(name, *capsule_.kernel().interface(interface),
                                       std::make_unique<Actor>(), ThreadModel::kPooled, true);
    ASSERT_TRUE(adopted) << adopted.error().text();
  }
  template <class Out, class In>
  Result<Out> ask(const char* object, const char* operation, const In& request) {
    auto target = HECTOR_TRY(capsule_.kernel().capsule().resolve(object));
    return call_and_wait<Out>(*target, capsule_.clock(), kByName, operation, request,
                              capsule_.clock().now() + std::chrono::seconds(5));
  }
  /// As a protocol hands it over.
  Error arrives(const Who& who, const Thing& thing, const std::string& operation) {
    const bool is_proved = !who.principal.empty();
    const std::string said = is_proved ? who.principal : who.claimed;
    const Peer peer{said, "wire", "10.0.0.1:7", is_proved ? Security::kPrivacy : Security::kNone};
    std::atomic<bool> has_ended{false};
    Error outcome{Code::kOk, ""};
    auto& call = CallbackCall::make([&](Call& ended) {
      if (ended.error) outcome = *ended.error;
      has_ended = true;
    });
    call.header.object = thing.object;
    call.header.operation_name = operation;
    call.header.principal = said;
    call.peer = &peer;
    capsule_.kernel().protocol_context("{}").inbound->accept(call);
    EXPECT_TRUE(waiting::until([&] { return has_ended.load(); }));
    return outcome;
  }
  void tell() const {
    ::testing::Test::RecordProperty("cells", cells_);
    std::printf("authorisation matrix: %d cells asked, %d of them permitted\n", cells_, permitted_);
  }
  void count(bool is_permitted) {
    ++cells_;
    permitted_ += is_permitted ? 1 : 0;
  }

  KitCapsule capsule_{"kit", RightsMode::kRequired};
  int cells_ = 0, permitted_ = 0;
};

TEST_F(RightsMatrix, OfCallsIsTheModels) {
  for (const auto& who : everybody()) {
    for (const auto& thing : things()) {
      for (const auto& operation : thing.operations) {
        const bool expected = may_call(who, thing.interface, operation, thing.object);
        for (int times = 0; times < 2; ++times) {  // decided, and known
          const Error outcome = arrives(who, thing, operation);
          EXPECT_EQ(outcome.code, expected ? Code::kOk : Code::kPermissionDenied)
              << who.name << ": " << operation << " of " << thing.object << ": " << outcome.message;
        }
        count(expected);
      }
    }
  }
  EXPECT_EQ(cells_, 12 * 14) << "every cell";
  tell();
}

TEST_F(RightsMatrix, OfRolesIsTheModels) {
  struct Cell {
    const char *binding, *role, *object;
  };
  for (const auto& who : everybody()) {
    for (const auto& cell : {Cell{"m.Meeting/1", "chair", "chair"},
                             {"m.Meeting/1", "diary", "diary-a"},
                             {"m.Meeting/1", "diary", "diary-b"},
                             {"m.Visit/1", "visitor", "chair"},
                             {"m.Visit/1", "room", "room-a"},
                             {"m.Visit/1", "board", "board-a"},
                             {"m.Visit/1", "board", "board-b"}}) {
      m::MayRequest request;
      request.set_principal(who.principal.empty() ? "anonymous" : who.principal);
      request.set_action("play");
      request.set_resource(std::string(cell.binding) + "." + cell.role);
      request.set_object(cell.object);
      const auto may = ask<m::MayReply>("_management", "may", request);
      ASSERT_TRUE(may) << may.error().text();
      const bool expected = may_play(who, cell.binding, cell.role, cell.object);
      EXPECT_EQ(may->allowed(), expected)
          << who.name << " as " << cell.role << " of " << cell.binding << " with " << cell.object
          << ": " << may->why();
      count(expected);
    }
  }
  EXPECT_EQ(cells_, 12 * 7) << "every cell";
  tell();
}

TEST_F(RightsMatrix, OfBindingsIsTheModels) {
  const auto object = [](const std::string& name) {
    return Who{"", "capsule:kit/" + name, "", true, false, false, "kit"};
  };
  const auto bound = [&](const BindRequest& request, bool expected) {
    const auto made = capsule_.kernel().capsule().bind(request);
    EXPECT_EQ(made.has_value(), expected) << request.type << (made ? "" : made.error().text());
    if (!made) {
      EXPECT_EQ(made.error().code, Code::kPermissionDenied);
    }
    count(expected);
  };
  for (const std::string diary : {"diary-a", "diary-b"})
    bound({"m.Meeting/1", {{"chair", "chair"}, {"diary", diary}}},
          may_play(object("chair"), "m.Meeting/1", "chair", "chair") &&
              may_play(object(diary), "m.Meeting/1", "diary", diary) &&
              may_call(object("chair"), "m.Diary/1", "read", diary));
  for (const std::string room : {"room-a", "room-b"}) {
    for (const std::string board : {"board-a", "board-b"})
      bound({"m.Visit/1", {{"visitor", "chair"}, {"room", room}, {"board", board}}},
            may_play(object("chair"), "m.Visit/1", "visitor", "chair") &&
                may_play(object(room), "m.Visit/1", "room", room) &&
                may_play(object(board), "m.Visit/1", "board", board) &&
                may_call(object("chair"), "m.Room/1", "look", room) &&
                may_call(object("chair"), "m.Board/1", "post", board));
  }
  EXPECT_EQ(cells_, 6);
  tell();
}

}  // namespace
}  // namespace hector::kits
