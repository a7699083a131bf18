// What: tests of an Object that forwards its calls, with a capsule and a target that the test
// plays.
// Why: a call must end once, with what the other capsule said, and be tried again only where it
// was not executed.
// Who: ctest, in foreign_objects_test.
#include "objects/forwarding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/played_hosting.h"
#include "objects/testing.h"
#include "simulation.h"
#include "target_handle.h"

namespace hector::objects {
namespace {

using hector::testing::Simulation;
using ::testing::HasSubstr;

std::string model(const std::string& name = "t.Camera") {
  type::v1::Interface made;
  made.set_name(name);
  made.set_major(1);
  auto& expose = *made.add_operations();
  expose.set_name("expose");
  expose.set_kind(type::v1::KIND_RPC);
  auto& frames = *made.add_operations();
  frames.set_name("frames");
  frames.set_kind(type::v1::KIND_STREAM);
  return made.SerializeAsString();
}

/// Keeps the calls; the test ends them.
class PlayedTarget final : public Target {
 public:
  explicit PlayedTarget(const std::string& address, const std::string& of = model())
      : interface_(std::make_shared<testing::ModelInterface>(of)) {
    reference_.object = "camera";
    reference_.profiles = {{"udp", address}};
  }
  void start(Call& call) noexcept override {
    ++started;
    if (flow) call.give_stream(flow);
    last = &call;
  }
  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  std::shared_ptr<Stream> flow;
  Call* last = nullptr;
  int started = 0;

 private:
  InterfacePtr interface_;
  Reference reference_;
};

class Elsewhere final : public testing::PlayedHosting {
 public:
  using PlayedHosting::PlayedHosting;
  Result<std::unique_ptr<Target>> resolve(std::string_view) override {
    return std::make_unique<hector::testing::TargetHandle>(*target);
  }
  Status adopt(const void*, Adopted object) override {
    EXPECT_EQ(object.name, "camera-here");
    EXPECT_EQ(object.model, target->interface()->model());
    auto made = object.instantiate(target->interface());
    EXPECT_TRUE(made);
    servant = std::move(*made);
    return {};
  }
  std::shared_ptr<PlayedTarget> target = std::make_shared<PlayedTarget>("a:1");
  std::unique_ptr<Servant> servant;
};

class Forwarding : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto adopted = adopt_offer(capsule, this, {"camera-here", "", {}, "test"},
                                     capsule.target->reference(), [this] { return find(); });
    ASSERT_TRUE(adopted) << adopted.error().message;
  }
  Result<Reference> find() {
    ++looked;
    return capsule.target->reference();
  }
  /// A call to the Object here; its end is noted.
  Call& call(std::uint32_t operation) {
    auto& made = CallbackCall::make([this](Call& ended) {
      ++ends;
      error = ended.error;
      reply = ended.reply.bytes().str();
    });
    made.operation = &first->interface()->operations()[operation];
    made.kind = made.operation->kind;
    made.flow = made.operation->flow;
    made.request = Payload(Bytes::copy("please"));
    made.header.principal = "user:test";
    return made;
  }
  static Error not_executed() {
    return Error::unavailable("connection refused").with_type(std::string(kNotExecuted));
  }

  Simulation world{1};
  Elsewhere capsule{world, world, world};
  const std::shared_ptr<PlayedTarget> first = capsule.target;
  int looked = 0, ends = 0;
  std::optional<Error> error;
  std::string reply;
};

TEST_F(Forwarding, GivesTheCallOnAndTheReplyBack) {
  capsule.servant->invoke(call(0));
  ASSERT_EQ(first->started, 1);
  EXPECT_EQ(first->last->request.bytes().str(), "please");
  EXPECT_EQ(first->last->header.principal, "user:test");
  EXPECT_EQ(ends, 0);
  first->last->complete(Payload(Bytes::copy("done")));
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(reply, "done");
  EXPECT_FALSE(error);
}

TEST_F(Forwarding, GivesTheErrorBackAndLooksForNobodyThatAnswered) {
  capsule.servant->invoke(call(0));
  first->last->fail(Error::not_found("no film"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, "no film");
  EXPECT_EQ(looked, 0);
}

TEST_F(Forwarding, TriesACallThatWasNotExecutedAgainWhereTheObjectHasMoved) {
  capsule.servant->invoke(call(0));
  capsule.target = std::make_shared<PlayedTarget>("b:2");
  first->last->fail(not_executed());
  EXPECT_EQ(ends, 0);
  ASSERT_EQ(capsule.target->started, 1);
  capsule.target->last->complete(Payload(Bytes::copy("done")));
  EXPECT_EQ(reply, "done");
  capsule.servant->invoke(call(0));
  EXPECT_EQ(capsule.target->started, 2) << "the next call goes to the old place";
  capsule.target->last->complete();
}

TEST_F(Forwarding, TriesNothingAgainThatMayHaveBeenExecuted) {
  capsule.servant->invoke(call(0));
  capsule.target = std::make_shared<PlayedTarget>("b:2");
  first->last->fail(Error::unavailable("the connection broke"));
  EXPECT_EQ(capsule.target->started, 0);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("it has moved, try again"));
}

TEST_F(Forwarding, FailsWhereTheObjectIsStillWhereItWas) {
  capsule.servant->invoke(call(0));
  first->last->fail(not_executed());
  EXPECT_EQ(looked, 1);
  EXPECT_EQ(first->started, 1);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, "connection refused");
}

TEST_F(Forwarding, DoesNotTakeAnotherObjectForTheOneThatHasMoved) {
  capsule.servant->invoke(call(0));
  capsule.target = std::make_shared<PlayedTarget>("b:2", model("t.Kettle"));
  first->last->fail(not_executed());
  EXPECT_EQ(capsule.target->started, 0);
  EXPECT_EQ(ends, 1);
}

/// The place that receives a flow is gone by then.
TEST_F(Forwarding, StartsAFlowOnce) {
  capsule.servant->invoke(call(1));
  capsule.target = std::make_shared<PlayedTarget>("b:2");
  first->last->fail(not_executed());
  EXPECT_EQ(capsule.target->started, 0);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("it has moved, try again"));
  EXPECT_EQ(ends, 1);
}

TEST_F(Forwarding, CancelsThereWhatIsCancelledHere) {
  auto& here = call(0);
  capsule.servant->invoke(here);
  here.cancel(Error::cancelled("enough"));
  EXPECT_TRUE(first->last->is_cancelled());
  EXPECT_EQ(first->last->why_cancelled().message, "enough");
  first->last->fail(Error::cancelled("enough"));
  EXPECT_EQ(ends, 1);
}

}  // namespace
}  // namespace hector::objects
