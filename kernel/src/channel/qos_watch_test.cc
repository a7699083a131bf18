// What: QosWatch on the messages of one interaction, with a clock that the test advances.
// Why: what a Binding type requires must hold while it runs, and no sooner be reported than broken.
// Who: kernel_test.
#include "channel/qos_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation.h"

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Ended final : public Call {
  void finished() noexcept override {}
};

class QosWatchTest : public ::testing::Test {
 protected:
  QosWatchTest() {
    type_.set_name("t.Pair");
    auto& ask = *type_.add_interactions();
    ask.set_name("ask");
    ask.set_from("caller");
    ask.set_to("worker");
  }
  hector::type::v1::Qos& required() { return *type_.mutable_interactions(0)->mutable_qos(); }
  std::unique_ptr<QosWatch> watch() {
    return QosWatch::make(type_, "caller", "worker", world_, {policies_, object_},
                          [this](const std::string& dimension, const std::string& text) {
                            breaches_.push_back(dimension + ": " + text);
                          });
  }
  testing::Simulation world_{1};
  hector::type::v1::Binding type_;
  Policies policies_{{}};
  const std::string object_ = "o", binding_ = "t.Pair/1", from_ = "caller", to_ = "worker",
                    interaction_ = "ask", other_ = "tell";
  const Hop hop_{binding_, from_, to_, interaction_};
  std::vector<std::string> breaches_;
};

TEST_F(QosWatchTest, IsNotThereWhereNothingIsRequired) {
  EXPECT_EQ(watch(), nullptr);
  required().set_rate_max(2);
  EXPECT_NE(watch(), nullptr);
  type_.mutable_interactions(0)->set_to("other");
  EXPECT_EQ(watch(), nullptr) << "the interaction goes to another role";
}

TEST_F(QosWatchTest, GivesADeadlineToACallThatHasNone) {
  required().set_deadline_ms(20);
  const auto watching = watch();
  Ended call, own;
  ASSERT_TRUE(watching->sending(call, hop_));
  EXPECT_EQ(call.header.deadline, world_.now() + std::chrono::milliseconds(20));
  own.header.deadline = world_.now() + std::chrono::hours(1);
  ASSERT_TRUE(watching->sending(own, hop_));
  EXPECT_EQ(own.header.deadline, world_.now() + std::chrono::hours(1));
}

TEST_F(QosWatchTest, RefusesAMessageOfMoreOctetsThanItsLimit) {
  required().set_message_octets_max(4);
  const auto watching = watch();
  Ended fits, large;
  fits.request = Payload(Bytes::copy("1234"));
  EXPECT_TRUE(watching->sending(fits, hop_));
  large.request = Payload(Bytes::copy("12345"));
  const auto refused = watching->sending(large, hop_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("may have 4 octets, and this message has 5"));
  EXPECT_TRUE(watching->sending(large, {binding_, from_, to_, other_})) << "not this interaction's";
}

TEST_F(QosWatchTest, RefusesOneMoreThanTheRateUntilTheSecondIsOver) {
  required().set_rate_max(2);
  const auto watching = watch();
  Ended call;
  EXPECT_TRUE(watching->sending(call, hop_));
  EXPECT_TRUE(watching->sending(call, hop_));
  const auto refused = watching->sending(call, hop_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  world_.at(world_.now() + std::chrono::seconds(1), [] {});
  world_.run_for(std::chrono::seconds(1));
  EXPECT_TRUE(watching->sending(call, hop_));
}

TEST_F(QosWatchTest, TellsOfLateRepliesAtMostOnceASecond) {
  required().set_deadline_ms(20);
  const auto watching = watch();
  const Ended call;
  watching->ended(call, hop_, std::chrono::milliseconds(20));
  EXPECT_THAT(breaches_, IsEmpty()) << "in time";
  watching->ended(call, hop_, std::chrono::milliseconds(21));
  watching->ended(call, hop_, std::chrono::milliseconds(30));
  EXPECT_THAT(breaches_, ElementsAre("deadline_ms: 'ask' took 21 ms, 20 required"));
  world_.at(world_.now() + std::chrono::seconds(1), [] {});
  world_.run_for(std::chrono::seconds(1));
  watching->ended(call, hop_, std::chrono::milliseconds(30));
  EXPECT_EQ(breaches_.size(), 2U);
}

TEST_F(QosWatchTest, TheStricterOfTypeAndPolicyCounts) {
  required().set_deadline_ms(20);
  required().set_rate_max(5);
  policies_.configure({{"t.Pair.ask.deadline_ms", {"50"}},
                       {"t.Pair.ask.rate_max", {"1"}},
                       {"t.Pair.ask.message_octets_max", {"no number"}}});
  const auto watching = watch();
  Ended call, large;
  ASSERT_TRUE(watching->sending(call, hop_));
  EXPECT_EQ(call.header.deadline, world_.now() + std::chrono::milliseconds(20));
  large.request = Payload(Bytes::copy(std::string(1000, 'x')));
  const auto refused = watching->sending(large, hop_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted) << "policy's rate, and no size";
}

}  // namespace
}  // namespace hector
