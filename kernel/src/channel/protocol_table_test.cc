// What: ProtocolTable with a protocol that counts what is made and closed.
// Why: all senders to an address share one channel, and a protocol that leaves takes its channels
// with it.
// Who: kernel_test.
#include "channel/protocol_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Seen {
  std::vector<std::string> events;
  int channels = 0;
};

class FakeChannel final : public Channel {
 public:
  FakeChannel(std::string address, Seen& seen) : address_(std::move(address)), seen_(seen) {
    ++seen_.channels;
  }
  ~FakeChannel() override { --seen_.channels; }
  void start(Call& call) noexcept override { call.complete(); }
  void close() noexcept override { seen_.events.push_back("close " + address_); }

 private:
  const std::string address_;
  Seen& seen_;
};

class FakeEndpoint final : public Endpoint {
 public:
  FakeEndpoint(std::string address, Seen& seen) : address_(std::move(address)), seen_(seen) {}
  std::string address() const override { return address_ == "hidden" ? "" : address_; }
  void drain(Duration grace) noexcept override {
    seen_.events.push_back("drain " + address_ +
                           (grace == Duration::zero() ? " at once" : " in grace"));
  }

 private:
  const std::string address_;
  Seen& seen_;
};

class FakeProtocol final : public Protocol {
 public:
  explicit FakeProtocol(Seen& seen) : seen_(seen) { capabilities_.latency_us = 7; }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    if (address == "taken") return fail(Error::already_exists("the address is in use"));
    return std::make_unique<FakeEndpoint>(address, seen_);
  }
  Result<std::unique_ptr<Channel>> connect(const std::string& address) override {
    if (address == "odd") return fail(Error::invalid_argument("no address of this protocol"));
    return std::make_unique<FakeChannel>(address, seen_);
  }

 private:
  Seen& seen_;
  ProtocolCapabilities capabilities_;
};

class ProtocolTableTest : public ::testing::Test {
 protected:
  Status add(const std::string& name, const std::vector<std::string>& listen = {}) {
    return table_.add(name, std::make_unique<FakeProtocol>(seen_), listen);
  }
  Seen seen_;
  ProtocolTable table_;
};

TEST_F(ProtocolTableTest, AllSendersToAnAddressShareOneChannel) {
  ASSERT_TRUE(add("fake"));
  const auto one = table_.connect({"fake", "a"}), same = table_.connect({"fake", "a"}),
             other = table_.connect({"fake", "b"});
  ASSERT_TRUE(one && same && other);
  EXPECT_EQ(*one, *same);
  EXPECT_NE(*one, *other);
  EXPECT_EQ(table_.channels("fake"), 2U);
  EXPECT_EQ(seen_.channels, 2);
}

TEST_F(ProtocolTableTest, ADroppedChannelIsClosedAndTheNextIsAnother) {
  ASSERT_TRUE(add("fake"));
  const auto first = table_.connect({"fake", "a"});
  table_.drop({"fake", "a"});
  EXPECT_THAT(seen_.events, ElementsAre("close a"));
  table_.drop({"fake", "a"});
  table_.drop({"other", "a"});
  EXPECT_THAT(seen_.events, ElementsAre("close a")) << "there was nothing more to drop";
  EXPECT_EQ(seen_.channels, 1) << "its sender still has it";
  EXPECT_NE(*table_.connect({"fake", "a"}), *first);
}

TEST_F(ProtocolTableTest, AWithdrawnProtocolConnectsNoMoreAndIsRemovedWithAllItHas) {
  ASSERT_TRUE(add("fake", {"here"}));
  ASSERT_TRUE(table_.connect({"fake", "a"}));
  EXPECT_EQ(table_.profiles().size(), 1U);
  ASSERT_TRUE(table_.withdraw("fake"));
  EXPECT_FALSE(table_.has("fake"));
  EXPECT_TRUE(table_.profiles().empty());
  const auto refused = table_.connect({"fake", "a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_EQ(table_.multicast("fake", "g", {}, {}).error().code, Code::kUnavailable);
  table_.remove("fake", std::chrono::seconds(1));
  EXPECT_THAT(seen_.events, ElementsAre("drain here in grace", "close a"));
  EXPECT_EQ(seen_.channels, 0);
  EXPECT_EQ(table_.withdraw("fake").error().code, Code::kNotFound);
}

TEST_F(ProtocolTableTest, AProtocolThatCannotListenIsNotThere) {
  const auto refused = add("fake", {"here", "taken"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kAlreadyExists);
  EXPECT_FALSE(table_.has("fake"));
  EXPECT_TRUE(add("fake"));
  EXPECT_EQ(add("fake").error().code, Code::kAlreadyExists) << "the name is taken";
}

TEST_F(ProtocolTableTest, ShowsHowThisCapsuleIsReachedAndWhatItsProtocolsCan) {
  ASSERT_TRUE(add("fake", {"here", "hidden"}));
  ASSERT_TRUE(add("more", {"there"}));
  const auto profiles = table_.profiles();
  ASSERT_EQ(profiles.size(), 2U) << "an empty address is no way to reach it";
  EXPECT_EQ(profiles[0].address, "here");
  EXPECT_EQ(profiles[1].protocol, "more");
  EXPECT_THAT(table_.names(), ElementsAre("fake", "more"));
  EXPECT_EQ(table_.capabilities("fake")->latency_us, 7);
  EXPECT_EQ(table_.all_capabilities().size(), 2U);
  EXPECT_EQ(table_.capabilities("gone").error().code, Code::kNotFound);
}

TEST_F(ProtocolTableTest, ARefusalOfTheProtocolIsTheSenders) {
  ASSERT_TRUE(add("fake"));
  const auto refused = table_.connect({"fake", "odd"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("no address of this protocol"));
  EXPECT_EQ(table_.channels("fake"), 0U);
}

}  // namespace
}  // namespace hector
