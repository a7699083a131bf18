// One record an Object: who gets a name, what is found while an Object is made and ends.
#include "capsule/object_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capsule/templates.h"
#include "simulation.h"

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Registry : public ::testing::Test {
 protected:
  OfferPtr offer(const std::string& name) {
    auto made = std::make_shared<Offer>();
    made->id = ++last_id_;
    made->object = name;
    made->host = std::make_shared<ObjectHost>(HostOptions{.name = name, .executor = &world_});
    return made;
  }
  ObjectRecord& serving(const std::string& name, ObjectRegistry::Origin origin = {}) {
    auto record = registry_.reserve(name, std::move(origin));
    EXPECT_TRUE(record);
    EXPECT_TRUE(registry_.commit(**record, offer(name)));
    return **record;
  }

  testing::Simulation world_{1};
  std::uint64_t last_id_ = 0;
  OfferTable offers_;
  ObjectRegistry registry_{offers_};
};

TEST_F(Registry, TakesTheNameBeforeTheObjectIsMade) {
  auto first = registry_.reserve("o", {});
  ASSERT_TRUE(first);
  auto second = registry_.reserve("o", {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  EXPECT_THAT(second.error().message, HasSubstr("is being made"));
  EXPECT_EQ(offers_.find_object("o"), nullptr);
  registry_.verify();
}

TEST_F(Registry, GivesTheNameBackWhenMakingIsAbandoned) {
  registry_.abandon(**registry_.reserve("o", {}));
  EXPECT_TRUE(registry_.reserve("o", {}));
  registry_.verify();
}

TEST_F(Registry, RefusesANameThatServesOrIsASystemObjects) {
  serving("o");
  ASSERT_TRUE(offers_.add(offer("_system")));
  for (const char* name : {"o", "_system"}) {
    const auto taken = registry_.reserve(name, {});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, Code::kAlreadyExists);
    EXPECT_THAT(taken.error().message, HasSubstr("choose another name or delete it"));
  }
  EXPECT_EQ(registry_.reserve("", {}).error().code, Code::kInvalidArgument);
}

TEST_F(Registry, KeepsARecordWhoseOfferCannotServe) {
  auto record = registry_.reserve("o", {});
  ASSERT_TRUE(offers_.add(offer("o")));  // between the two, a system Object came
  EXPECT_EQ(registry_.commit(**record, offer("o")).error().code, Code::kAlreadyExists);
  registry_.abandon(**record);
  registry_.verify();
}

TEST_F(Registry, FreesTheNameOfAnObjectThatRetires) {
  ObjectRecord& record = serving("o");
  const OfferPtr first = record.offer;
  EXPECT_EQ(registry_.retire(first), &record);
  EXPECT_EQ(offers_.find_object("o"), nullptr);
  registry_.verify();
  ObjectRecord& next = serving("o");
  EXPECT_EQ(registry_.retire(first), nullptr) << "another thread was first";
  EXPECT_EQ(offers_.find_object("o"), next.offer) << "the next one of the name is not touched";
  registry_.destroy(record);
  registry_.verify();
}

TEST_F(Registry, CountsKeptObjectsAsTheirTemplates) {
  const LoadedTemplate from, other;
  ObjectRecord& kept = serving("kept", {.from = &from});
  serving("served", {.from = &from});
  serving("others", {.from = &other});
  serving("adopted");
  registry_.retire(kept.offer);
  registry_.keep(kept);
  EXPECT_THAT(registry_.objects_of(from), ElementsAre("kept", "served"));
  EXPECT_EQ(registry_.count_of(from), 2U);
  EXPECT_THAT(registry_.objects_of(other), ElementsAre("others"));
}

TEST_F(Registry, SaysHowAServingObjectWasMade) {
  const LoadedTemplate from;
  auto record = registry_.reserve(
      "o", {.from = &from,
            .made = std::make_unique<const MadeWith>(MadeWith{"{\"n\":1}", {{"cost", "3"}}})});
  EXPECT_FALSE(registry_.made_with("o")) << "it is still being made";
  ASSERT_TRUE(registry_.commit(**record, offer("o")));
  ASSERT_TRUE(registry_.made_with("o"));
  EXPECT_EQ(registry_.made_with("o")->arguments, "{\"n\":1}");
  serving("plain", {.from = &from});
  EXPECT_EQ(registry_.made_with("plain")->arguments, "{}");
  serving("adopted", {.owner = this});
  EXPECT_FALSE(registry_.made_with("adopted"));
  EXPECT_EQ(registry_.owner_of("adopted"), this);
  EXPECT_EQ(registry_.owner_of("plain"), nullptr);
  EXPECT_FALSE(registry_.made_with("nobody"));
}

TEST_F(Registry, StopsTheProcessWhenAnObjectIsDestroyedThatServes) {
  ObjectRecord& record = serving("o");
  EXPECT_DEATH(registry_.destroy(record), "destroyed before it retires");
  EXPECT_DEATH(registry_.abandon(record), "serves is abandoned");
}

TEST(OfferProperties, MergeByName) {
  OfferProperties properties;
  EXPECT_THAT(properties.get(), IsEmpty());
  properties.merge({{"a", "1"}, {"b", "2"}});
  properties.merge({{"b", "3"}});
  EXPECT_EQ(properties.get(), (OfferProperties::Map{{"a", "1"}, {"b", "3"}}));
}

}  // namespace
}  // namespace hector
