// What: ObjectCall with an Object that answers, fails, is silent, or never ends its flow.
// Why: management must reply by the deadline whatever the Object does, and tell what it left out.
// Who: ctest.
#include "management/object_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hector/naming.hector.h"
#include "hector/stream.h"
#include "simulation.h"
#include "target_handle.h"
#include "types/model/compiled_interface.h"

namespace hector {
namespace {

using management::v1::CallReply;
using namespace std::chrono_literals;

InterfacePtr naming_interface() {
  type::v1::Interface model;
  const auto octets = NamingServant::model();
  EXPECT_TRUE(model.ParseFromArray(octets.data(), static_cast<int>(octets.size())));
  return *types::CompiledInterface::make(std::move(model));
}

/// Keeps the call, and gives flows that end with `messages`, or never.
class FakeTarget final : public Target {
 public:
  class Messages final : public Stream {
   public:
    explicit Messages(std::size_t count) : left(count) {}
    void write(Payload, Callback<void(Status)> accepted) override { accepted({}); }
    void close_write() override {}
    void read(Callback<void(Result<std::optional<Payload>>)> next) override {
      if (left == 0) {
        waiting = std::move(next);
        return;
      }
      --left;
      ++read_count;
      service::v1::NamingEvent event;
      event.set_revision(static_cast<std::int64_t>(read_count));
      next(std::optional<Payload>(write_message(event)));
    }
    std::size_t left;
    std::size_t read_count = 0;
    Callback<void(Result<std::optional<Payload>>)> waiting;
  };

  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  void start(Call& call) noexcept override {
    call.operation = interface_->find(call.header.operation_name);
    started = &call;
    if (call.operation->kind != Kind::kStream) return;
    flow = std::make_shared<Messages>(messages);
    call.give_stream(flow);
  }

  Call* started = nullptr;
  std::size_t messages = 0;
  std::shared_ptr<Messages> flow;

 private:
  InterfacePtr interface_ = naming_interface();
  Reference reference_ = [] {
    Reference made;
    made.object = "names";
    return made;
  }();
};

class ObjectCallTest : public ::testing::Test {
 protected:
  std::shared_ptr<ObjectCall> begin(const char* operation, const std::string& json = "{}") {
    auto call = std::make_shared<ObjectCall>(
        ObjectCall::Request{.target = std::make_unique<testing::TargetHandle>(target_),
                            .operation = target_.interface()->find(operation),
                            .json = json,
                            .deadline = world_.now() + 10s},
        world_, world_,
        [this](Result<CallReply> result) { answers_.push_back(std::move(result)); });
    call->begin();
    return call;
  }
  const CallReply& reply() {
    EXPECT_EQ(answers_.size(), 1U);
    EXPECT_TRUE(answers_.at(0)) << answers_.at(0).error().text();
    return *answers_.at(0);
  }
  const Error& error() {
    EXPECT_EQ(answers_.size(), 1U);
    return answers_.at(0).error();
  }
  testing::Simulation world_{1};
  FakeTarget target_;
  std::vector<Result<CallReply>> answers_;
};

TEST_F(ObjectCallTest, BringsTheReplyAsJson) {
  const auto call = begin("parse", R"({"name": "a/b"})");
  service::v1::NamingComponents components;
  components.set_name("a/b");
  ASSERT_NE(target_.started, nullptr);
  EXPECT_EQ(read_message<service::v1::NamingName>(target_.started->request)->name(), "a/b");
  EXPECT_TRUE(answers_.empty());
  target_.started->complete(write_message(components));
  ASSERT_EQ(reply().json_size(), 1);
  EXPECT_THAT(reply().json(0), ::testing::HasSubstr("\"a/b\""));
  EXPECT_EQ(reply().why_cut(), "");
}

TEST_F(ObjectCallTest, BringsTheErrorOfTheObject) {
  const auto call = begin("parse");
  target_.started->fail(Error::not_found("no such name"));
  EXPECT_EQ(error().code, Code::kNotFound);
  EXPECT_EQ(error().message, "no such name");
}

TEST_F(ObjectCallTest, RefusesJsonThatIsNoRequestWithoutCallingTheObject) {
  const auto call = begin("parse", R"({"nmae": 1})");
  EXPECT_EQ(error().code, Code::kInvalidArgument);
  EXPECT_EQ(target_.started, nullptr);
}

TEST_F(ObjectCallTest, EndsAtTheDeadlineThoughTheObjectDoesNot) {
  const auto call = begin("parse");
  world_.run_for(9'999ms);
  EXPECT_TRUE(answers_.empty());
  world_.run_for(1ms);
  EXPECT_EQ(error().code, Code::kDeadlineExceeded);
  EXPECT_THAT(error().message, ::testing::HasSubstr("'names' did not answer 'parse'"));
  EXPECT_TRUE(target_.started->is_cancelled());
  target_.started->complete();  // much later
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(ObjectCallTest, TakesAnAnswerThatTheDeadlineItselfProvokes) {
  const auto call = begin("parse");
  target_.started->on_cancel([this] { target_.started->fail(Error::aborted("stopped halfway")); });
  world_.run_for(10s);
  EXPECT_EQ(error().code, Code::kAborted);
}

TEST_F(ObjectCallTest, TellsTheObjectThatItsClientIsGone) {
  const auto call = begin("parse");
  call->abandon(Error::cancelled("the caller cancelled the call"));
  EXPECT_EQ(error().code, Code::kCancelled);
  EXPECT_TRUE(target_.started->is_cancelled());
  target_.started->complete();
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(ObjectCallTest, CallsNobodyForAClientThatIsGoneBeforeItBegins) {
  auto call = std::make_shared<ObjectCall>(
      ObjectCall::Request{.target = std::make_unique<testing::TargetHandle>(target_),
                          .operation = target_.interface()->find("parse"),
                          .json = "{}",
                          .deadline = world_.now() + 10s},
      world_, world_, [this](Result<CallReply> result) { answers_.push_back(std::move(result)); });
  call->abandon(Error::cancelled("gone"));
  call->begin();
  EXPECT_EQ(target_.started, nullptr);
}

TEST_F(ObjectCallTest, ShowsWhatAFlowWithoutEndBroughtBeforeTheDeadline) {
  target_.messages = 3;
  const auto call = begin("watch");
  world_.run_for(9'499ms);
  EXPECT_TRUE(answers_.empty());
  world_.run_for(1ms);  // half a second before the client stops waiting
  EXPECT_EQ(reply().json_size(), 3);
  EXPECT_EQ(reply().why_cut(), "the flow did not end before the call's deadline");
  EXPECT_TRUE(target_.started->is_cancelled());
  target_.started->complete();
}

TEST_F(ObjectCallTest, ShowsAllOfAFlowThatIsAsLongAsTheLimit) {
  target_.messages = ObjectCall::kFlowMessagesMax;
  const auto call = begin("watch");
  target_.flow->waiting(std::optional<Payload>());
  EXPECT_TRUE(answers_.empty());  // the call itself has not ended
  target_.started->complete();
  EXPECT_EQ(reply().json_size(), static_cast<int>(ObjectCall::kFlowMessagesMax));
  EXPECT_EQ(reply().why_cut(), "");
}

TEST_F(ObjectCallTest, StopsAFlowThatIsLongerThanTheLimitAndSaysSo) {
  target_.messages = ObjectCall::kFlowMessagesMax + 1;
  const auto call = begin("watch");
  EXPECT_TRUE(target_.started->is_cancelled());
  EXPECT_EQ(target_.flow->read_count, ObjectCall::kFlowMessagesMax + 1);
  target_.started->fail(target_.started->why_cancelled());
  EXPECT_EQ(reply().json_size(), static_cast<int>(ObjectCall::kFlowMessagesMax));
  EXPECT_THAT(reply().why_cut(), ::testing::HasSubstr("first 10000 messages"));
}

}  // namespace
}  // namespace hector
