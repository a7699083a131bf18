// What: OutChannel with a protocol object that writes down what it is given.
// Why: headers, numbers and counts are what the partner's side relies on.
// Who: kernel_test.
#include "channel/out_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/epoch.h"

namespace hector {
namespace {

using ::testing::ElementsAre;

class Sent final : public Call {
 private:
  void finished() noexcept override {}
};

/// Knows whether it was called within an epoch guard.
class Wire final : public Channel {
 public:
  void start(Call& call) noexcept override {
    numbers.push_back(call.header.sequence);
    header = call.header;
    was_inside = epoch_slot.depth != 0;
  }
  void close() noexcept override {}
  std::vector<std::uint64_t> numbers;
  Header header;
  bool was_inside = false;
};

/// What a protocol gives away; the test keeps the wire.
class Line final : public Channel {
 public:
  explicit Line(Wire& wire) : wire_(wire) {}
  void start(Call& call) noexcept override { wire_.start(call); }
  void close() noexcept override {}

 private:
  Wire& wire_;
};

/// Leads every connection to one wire.
class WireProtocol final : public Protocol {
 public:
  WireProtocol(Wire& wire, bool is_ordered) : wire_(wire) { capabilities_.ordered = is_ordered; }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string&) override {
    return fail(Code::kUnimplemented, "not here");
  }
  Result<std::unique_ptr<Channel>> connect(const std::string&) override {
    return std::make_unique<Line>(wire_);
  }

 private:
  Wire& wire_;
  ProtocolCapabilities capabilities_;
};

class OutChannelTest : public ::testing::Test {
 protected:
  OutChannelTest() { operation_.name = "ask"; }
  static Reference partner() {
    Reference reference;
    reference.offer = 42;
    reference.object = "worker";
    reference.capsule = "north";
    reference.capsule_id = 7;
    reference.interface_id = "t.Worker/1";
    return reference;
  }
  static OutChannel::Options options(Reference party, const std::string& protocol = "wire") {
    return {.to = {1, 2},
            .party = std::move(party),
            .profile = {protocol, "there"},
            .why = "policy",
            .id = 99};
  }
  void load(const std::string& name, Wire& wire, bool is_ordered) {
    ASSERT_TRUE(protocols_.add(name, std::make_unique<WireProtocol>(wire, is_ordered), {}));
  }
  void send(OutChannel& channel, Kind kind = Kind::kRpc) {
    Sent call;
    call.kind = kind;
    const EpochGuard section;
    channel.start(call, operation_, 3);
  }

  Wire wire_;
  ProtocolTable protocols_;
  Operation operation_;
};

TEST_F(OutChannelTest, WritesTheReceiversSessionAndLeavesTheEpoch) {
  load("wire", wire_, true);
  OutChannel channel(options(partner()));
  EXPECT_EQ(channel.route, OutChannel::Route::kCapsule);
  EXPECT_FALSE(channel.is_connected());
  ASSERT_TRUE(channel.connect(protocols_));
  ASSERT_TRUE(channel.is_connected());
  send(channel);
  EXPECT_EQ(wire_.header.session, 99U);
  EXPECT_EQ(wire_.header.offer, 42U);
  EXPECT_EQ(wire_.header.operation, 3U);
  EXPECT_FALSE(wire_.was_inside) << "a protocol is not the kernel's own code";
}

TEST_F(OutChannelTest, NamesTheOperationToAForeignServer) {
  load("wire", wire_, true);
  Reference foreign;
  foreign.interface_id = "t.Worker/1";
  OutChannel channel(options(foreign));
  EXPECT_EQ(channel.route, OutChannel::Route::kForeign);
  ASSERT_TRUE(channel.connect(protocols_));
  send(channel);
  EXPECT_EQ(wire_.header.session, 0U);
  EXPECT_EQ(wire_.header.interface_name, "t.Worker");
  EXPECT_EQ(wire_.header.operation_name, "ask");
  EXPECT_EQ(wire_.header.operation, kByName);
}

TEST_F(OutChannelTest, NumbersMessagesWhereTheProtocolKeepsNoOrder) {
  load("wire", wire_, false);
  OutChannel channel(options(partner()));
  ASSERT_TRUE(channel.connect(protocols_));
  send(channel);
  send(channel, Kind::kStream);
  send(channel);
  EXPECT_THAT(wire_.numbers, ElementsAre(1, 0, 2)) << "flows are counted apart";
  EXPECT_EQ(channel.counts().messages, 2U);
  EXPECT_EQ(channel.counts().flows, 1U);
}

TEST_F(OutChannelTest, NumbersMessagesOnceItWasMoved) {
  load("wire", wire_, true);
  OutChannel channel(options(partner()));
  ASSERT_TRUE(channel.connect(protocols_));
  const auto first = channel.protocol();
  send(channel);
  const auto other = std::make_shared<Wire>();
  channel.move_to(other, {"other", "there"}, "it was asked for");
  send(channel);
  EXPECT_THAT(wire_.numbers, ElementsAre(0));
  EXPECT_THAT(other->numbers, ElementsAre(2)) << "those without a number were counted";
  EXPECT_EQ(channel.profile().protocol, "other");
  EXPECT_EQ(channel.why(), "it was asked for");
  EXPECT_EQ(channel.protocol(), other);
  channel.move_to(first, {"wire", "there"}, "and back");
  EXPECT_EQ(channel.protocol(), first);
}

TEST_F(OutChannelTest, KeepsTheProtocolItWasMovedFromForItsCalls) {
  load("wire", wire_, true);
  OutChannel channel(options(partner()));
  ASSERT_TRUE(channel.connect(protocols_));
  const std::weak_ptr<Channel> earlier = channel.protocol();
  channel.move_to(std::make_shared<Wire>(), {"other", "there"}, "");
  ASSERT_TRUE(protocols_.withdraw("wire"));
  protocols_.remove("wire", Duration::zero());
  EXPECT_FALSE(earlier.expired());
}

TEST_F(OutChannelTest, ContinuesTheCountsOfTheOneBefore) {
  load("wire", wire_, false);
  OutChannel before(options(partner())), after(options(partner()));
  ASSERT_TRUE(before.connect(protocols_));
  ASSERT_TRUE(after.connect(protocols_));
  send(before);
  after.continue_from(before);
  send(after);
  EXPECT_THAT(wire_.numbers, ElementsAre(1, 2));
  EXPECT_FALSE(after.set_counts({1, 0})) << "what was sent only grows";
  EXPECT_EQ(after.counts().messages, 2U);
}

TEST_F(OutChannelTest, IsSuspectedOnceUntilItResumes) {
  OutChannel channel(options(partner()));
  EXPECT_TRUE(channel.suspect());
  EXPECT_FALSE(channel.suspect());
  channel.pause();
  channel.resume();
  EXPECT_FALSE(channel.is_paused());
  EXPECT_TRUE(channel.suspect());
}

TEST_F(OutChannelTest, SaysWhyItCannotBeConnected) {
  OutChannel channel(options(partner()));
  const auto connected = channel.connect(protocols_);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::kUnavailable);
  OutChannel local(options(partner(), kInProcess));
  EXPECT_EQ(local.route, OutChannel::Route::kInProcess);
  EXPECT_TRUE(local.connect(protocols_)) << "no protocol is in between";
}

TEST(OutChannelDeathTest, StopsTheProcessWhereARouteIsMixedUp) {
  OutChannel local({.to = {1, 2}, .party = {}, .profile = {kInProcess, "c"}});
  EXPECT_DEATH(local.move_to(std::make_shared<Wire>(), {"wire", "there"}, ""),
               "within the capsule");
  OutChannel other({.to = {1, 3}, .party = {}, .profile = {kInProcess, "c"}});
  EXPECT_DEATH(other.continue_from(local), "another place");
}

TEST(ChannelIds, DifferByPlaceAndSession) {
  EXPECT_NE(channel_id(SessionId{1}, {0, 1}), channel_id(SessionId{1}, {1, 0}));
  EXPECT_NE(channel_id(SessionId{1}, {0, 1}), channel_id(SessionId{2}, {0, 1}));
  EXPECT_EQ(channel_id(SessionId{1}, {0, 1}), channel_id(SessionId{1}, {0, 1}));
}

TEST(RelocationNotices, RefuseOneCallAndLetTheNextPass) {
  const auto notice = make_relocation_notice("'b' plays worker 0 now");
  const std::string text;
  const Hop hop{text, text, text, text};
  Sent call;
  const auto first = notice->sending(call, hop);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().type, kNotExecuted);
  EXPECT_TRUE(notice->sending(call, hop));
}

}  // namespace
}  // namespace hector
