// What: tokens that come twice, and the table of those that came.
// Why: what was used must not become usable again: not by its end, not by a full table, not by a
// clock that is set back.
// Who: ctest, in authentication_test.
#include "replays.h"

#include "kit_world.h"

namespace hector::authentication {
namespace {

using namespace testing;

class Replays : public ::testing::Test {
 protected:
  std::string use(const std::string& id, std::int64_t until_s = kNow + 360,
                  std::int64_t now_s = kNow) {
    return world_.change([=, this] {
      return plan_uses(world_.state, {{use_key("td", id), until_s}}, now_s);
    });
  }
  World world_;
};

TEST_F(Replays, AreRefusedAndEachIdOfADomainIsItsOwn) {
  EXPECT_EQ(use("one"), "OK");
  EXPECT_EQ(use("one"), "REPLAY");
  EXPECT_EQ(use("two"), "OK");
  EXPECT_NE(use_key("td", "one"), use_key("t", "done"));
}

TEST_F(Replays, AreRefusedByAnotherCapsuleOfTheStoreAndAfterKill9) {
  ASSERT_EQ(use("one"), "OK");
  TrustState again;
  state::Replica other{{&world_.store, &world_.world, &world_.world, &world_.world}, "au/", again};
  ASSERT_TRUE(other.start());
  EXPECT_TRUE(again.is_used(use_key("td", "one")));
}

TEST_F(Replays, AreRefusedWhereAnotherCapsuleWasFaster) {
  world_.store.before_commit = [this] {
    v1::Used used;
    used.set_until_s(kNow + 360);
    world_.store.put("au/" + use_key("td", "one"), used.SerializeAsString());
  };
  EXPECT_EQ(use("one"), "REPLAY");
}

TEST_F(Replays, AreRefusedAfterTheirIdWasForgotten) {
  ASSERT_EQ(use("one", kNow + 360), "OK");
  ASSERT_EQ(use("two", kNow + 1000, kNow + 420), "OK");
  EXPECT_TRUE(world_.state.is_used(use_key("td", "one"))) << "a clock that is late may need it";
  ASSERT_EQ(use("three", kNow + 1000, kNow + 421), "OK");
  EXPECT_FALSE(world_.state.is_used(use_key("td", "one"))) << "its token has ended";
  EXPECT_EQ(world_.state.floor_s(), kNow + 360);
  EXPECT_EQ(use("one", kNow + 360, kNow), "REPLAY") << "the clock was set back";
  EXPECT_EQ(use("four", kNow + 361, kNow), "OK");
}

TEST_F(Replays, GivenTwiceInOneCallAreRefused) {
  const Use same{use_key("td", "one"), kNow + 360};
  EXPECT_EQ(world_.change([&] { return plan_uses(world_.state, {same, same}, kNow); }), "REPLAY");
  EXPECT_EQ(use("one"), "OK") << "nothing was noted";
}

TEST_F(Replays, FillATableThatRefusesAndDoesNotForget) {
  v1::Used used;
  used.set_until_s(kNow + 360);
  const auto value = used.SerializeAsString();
  for (std::size_t i = 0; i < kUsedMax; ++i) {
    StoreEvent event{
        StoreEvent::Kind::kPut, {use_key("td", std::to_string(i)), Bytes::copy(value)}, {}};
    world_.state.apply(event);
  }
  EXPECT_EQ(use("one"), "TOO_MANY");
  EXPECT_EQ(use("7"), "REPLAY");
  EXPECT_EQ(use("one", kNow + 900, kNow + 421), "OK") << "those that have ended make room";
}

}  // namespace
}  // namespace hector::authentication
