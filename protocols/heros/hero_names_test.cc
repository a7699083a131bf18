// What: tests of the names and properties of an adopted HERO.
// Why: they are in configurations and queries of other capsules.
// Who: ctest, in heros_wire_test.
#include "hero_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/forwarding.h"

namespace hector::heros {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(HeroNames, HaveNoSignThatAnObjectsNameMayNotHave) {
  EXPECT_EQ(object_name_of("camera-1"), "camera-1");
  EXPECT_EQ(object_name_of("lab.camera 1\\x\n"), "lab-camera-1-x-");
  EXPECT_EQ(object_name_of("_private"), "hero_private");
}

TEST(HeroNames, OfInterfacesNameTheRealmUnlessItIsTheUsualOne) {
  EXPECT_EQ(interface_name_of("heros", "Camera"), "hero.Camera");
  EXPECT_EQ(interface_name_of("lab-2", "Camera"), "hero.lab_2.Camera");
  EXPECT_EQ(interface_name_of("42", ""), "hero.realm.Object");
}

TEST(HeroProperties, AreJsonWithShortMetadataOnly) {
  const Discovered hero{1.0,
                        "camera",
                        "Camera",
                        {"a", "b"},
                        {},
                        {{"place", "lab \"2\""},
                         {"1.2", "x"},
                         {"long", std::string(10'000, 'x')},
                         {objects::kReference, "hector:x"}}};
  EXPECT_THAT(properties_of("heros", hero),
              UnorderedElementsAre(Pair("realm", "\"heros\""), Pair("hero", "\"camera\""),
                                   Pair("class", "\"Camera\""), Pair("tags", "[]"),
                                   Pair("implements", "[\"a\", \"b\"]"),
                                   Pair("meta_place", "\"lab \\\"2\\\"\"")));
}

TEST(HeroReference, IsThereOnlyWhereACapsuleShowsTheHero) {
  Discovered hero;
  EXPECT_EQ(reference_of(hero).error().code, Code::kNotFound);
  EXPECT_FALSE(is_capsules(hero));
  hero.tags = {"_hector:south"};
  EXPECT_TRUE(is_capsules(hero));
  Reference reference;
  reference.object = "camera";
  hero.metadata[objects::kReference] = reference.text();
  ASSERT_TRUE(reference_of(hero));
  EXPECT_EQ(reference_of(hero)->object, "camera");
}

}  // namespace
}  // namespace hector::heros
