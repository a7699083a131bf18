// What: the table of interceptors, the kernel's own ones, and a list of them on one message.
// Why: what policy puts on a channel decides who may call; a name nobody knows must be refused.
// Who: kernel_test.
#include "channel/interceptors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/call_state.h"
#include "simulation.h"

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Ended final : public Call {
 public:
  bool is_over = false;

 private:
  void finished() noexcept override { is_over = true; }
};

/// Writes down what it sees.
class Witness final : public Interceptor {
 public:
  Witness(std::string name, std::vector<std::string>& seen, bool refuses = false)
      : name_(std::move(name)), seen_(seen), refuses_(refuses) {}
  Status sending(Call&, const Hop&) noexcept override { return see("sending"); }
  Status arriving(Call&, const Hop&) noexcept override { return see("arriving"); }
  void ended(const Call&, const Hop&, Duration) noexcept override {
    static_cast<void>(see("ended"));
  }

 private:
  Status see(const char* what) {
    seen_.push_back(name_ + " " + what);
    if (refuses_) return fail(Error::permission_denied("not by " + name_));
    return {};
  }
  const std::string name_;
  std::vector<std::string>& seen_;
  const bool refuses_;
};

class InterceptorsTest : public ::testing::Test {
 protected:
  InterceptorsTest() { table_.add_own(world_); }
  std::string refusal(const std::string& name) {
    auto made = table_.make({name});
    return made ? "made" : made.error().text();
  }
  /// What `allow` says to a caller.
  Status allowed(const std::string& pattern, const std::string& principal) {
    auto made = table_.make({"allow:" + pattern});
    EXPECT_TRUE(made);
    Peer peer{principal, "udp", "there", Security::kNone};
    Ended call;
    call.peer = &peer;
    return made->front()->arriving(call, hop_);
  }
  testing::Simulation world_{1};
  InterceptorTable table_;
  const std::string type_ = "t.Pair/1", role_ = "worker", partner_ = "caller", interaction_ = "ask";
  const Hop hop_{type_, role_, partner_, interaction_};
  std::vector<std::string> seen_;
};

TEST_F(InterceptorsTest, ANameNobodyKnowsIsRefusedWithTheNearest) {
  EXPECT_THAT(refusal("metric"), HasSubstr("did you mean 'metrics'"));
  EXPECT_THAT(refusal("allow"), HasSubstr("needs a principal"));
  EXPECT_EQ(refusal("trace"), "made");
}

TEST_F(InterceptorsTest, ANameIsTakenOnce) {
  const auto factory = [this](const std::string& argument) -> Result<std::unique_ptr<Interceptor>> {
    return std::make_unique<Witness>(argument, seen_);
  };
  EXPECT_TRUE(table_.add("witness", factory));
  const auto again = table_.add("witness", factory);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  auto made = table_.make({"witness:a:b"});
  ASSERT_TRUE(made);
  Ended call;
  EXPECT_TRUE(made->front()->sending(call, hop_));
  EXPECT_THAT(seen_, ElementsAre("a:b sending")) << "the argument is all behind the first colon";
}

TEST_F(InterceptorsTest, AllowLetsOnePrincipalOrAllThatBeginSoPass) {
  EXPECT_TRUE(allowed("capsule:hub", "capsule:hub"));
  EXPECT_FALSE(allowed("capsule:hub", "capsule:hub2"));
  EXPECT_TRUE(allowed("capsule:hub*", "capsule:hub2"));
  const auto other = allowed("capsule:hub*", "capsule:north");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kPermissionDenied);
  EXPECT_THAT(other.error().message, HasSubstr("'capsule:north'"));
  EXPECT_FALSE(allowed("capsule:hub", "")) << "a caller that says no name";
}

TEST_F(InterceptorsTest, AreToldOfTheEndInReverseOrder) {
  InterceptorList list;
  list.push_back(std::make_unique<Witness>("a", seen_));
  list.push_back(std::make_unique<Witness>("b", seen_));
  Ended call;
  ASSERT_TRUE(intercept(list, Way::kSending, call, hop_, nullptr, world_));
  call.complete();
  EXPECT_THAT(seen_, ElementsAre("a sending", "b sending", "b ended", "a ended"));
}

TEST_F(InterceptorsTest, ARefusalEndsTheCallAndTellsNoneOfItsEnd) {
  InterceptorList list;
  list.push_back(std::make_unique<Witness>("a", seen_));
  list.push_back(std::make_unique<Witness>("b", seen_, true));
  list.push_back(std::make_unique<Witness>("c", seen_));
  Ended call;
  EXPECT_FALSE(intercept(list, Way::kArriving, call, hop_, nullptr, world_));
  EXPECT_TRUE(call.is_over);
  ASSERT_TRUE(call.error);
  EXPECT_EQ(call.error->message, "not by b");
  EXPECT_THAT(seen_, ElementsAre("a arriving", "b arriving"));
}

TEST_F(InterceptorsTest, KeepWhatTheHopRefersToUntilTheEnd) {
  auto owner = std::make_shared<int>();
  const std::weak_ptr<int> kept = owner;
  InterceptorList list;
  list.push_back(std::make_unique<Witness>("a", seen_));
  Ended call;
  ASSERT_TRUE(intercept(list, Way::kSending, call, hop_, std::exchange(owner, nullptr), world_));
  EXPECT_FALSE(kept.expired());
  call.complete();
  EXPECT_TRUE(kept.expired());
}

TEST(Metrics, CountCallsFailuresAndTheLongest) {
  MetricsInterceptor metrics;
  const std::string text, interaction = "ask";
  const Hop hop{text, text, text, interaction};
  Ended good, bad;
  bad.fail(Error::unavailable("gone"));
  metrics.ended(good, hop, std::chrono::milliseconds(2));
  metrics.ended(bad, hop, std::chrono::milliseconds(5));
  const auto counts = metrics.counts();
  EXPECT_EQ(counts.calls, 2U);
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(counts.longest, Duration(std::chrono::milliseconds(5)));
  EXPECT_EQ(counts.total, Duration(std::chrono::milliseconds(7)));
  EXPECT_EQ(counts.last_failure, "ask: UNAVAILABLE: gone");
}

}  // namespace
}  // namespace hector
