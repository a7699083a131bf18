// What: References: as text, serialised, and made for another Object.
// Why: they go through command lines, QR codes and other capsules' hands.
// Who: ctest.
#include "hector/reference.h"

#include <gmock/gmock.h>

namespace hector {
namespace {

TEST(Reference, FitsACommandLineAndComesBack) {
  const Reference reference{42,
                            "ana",
                            "north",
                            7,
                            "diary.Calendar/1",
                            "abc",
                            "p",
                            {{"udp", "127.0.0.1:7"}, {"grpc", "h:1"}}};
  const auto back = Reference::from_text(reference.text());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->object, "ana");
  EXPECT_EQ(back->profiles, reference.profiles);
  EXPECT_FALSE(Reference::from_text("hector:!!"));
  EXPECT_FALSE(Reference::from_text("ana"));
}

TEST(Reference, KeepsEveryFieldSerialised) {
  const Reference reference{
      42, "ana", "north", 7, "diary.Calendar/1", "abc", "p", {{"udp", "127.0.0.1:7"}}};
  const auto back = Reference::parse(reference.serialised());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->offer, 42U);
  EXPECT_EQ(back->object, "ana");
  EXPECT_EQ(back->capsule, "north");
  EXPECT_EQ(back->capsule_id, 7U);
  EXPECT_EQ(back->interface_id, "diary.Calendar/1");
  EXPECT_EQ(back->identity, "abc");
  EXPECT_EQ(back->principal, "p");
  EXPECT_EQ(back->profiles, reference.profiles);
}

TEST(Reference, RefusesWhatIsNone) {
  const auto code = [](const Result<Reference>& result) {
    return result ? Code::kOk : result.error().code;
  };
  EXPECT_EQ(code(Reference::parse("\xff")), Code::kInvalidArgument);
  EXPECT_EQ(code(Reference::from_text("udp:abc")), Code::kInvalidArgument);
  EXPECT_EQ(code(Reference::from_text(std::string("hector:A\0B", 10))), Code::kInvalidArgument);
  EXPECT_EQ(code(Reference::from_text("hector:" + std::string(64 * 1024, 'A'))),
            Code::kInvalidArgument);
}

TEST(Reference, ForAnotherObjectKeepsTheCapsuleAndForgetsOfferAndIdentity) {
  const Reference reference{
      42, "ana", "north", 7, "diary.Calendar/1", "abc", "p", {{"udp", "127.0.0.1:7"}}};
  const Reference other = reference.for_object("naming", "hector.Naming/1");
  EXPECT_EQ(other.offer, 0U);
  EXPECT_EQ(other.object, "naming");
  EXPECT_EQ(other.interface_id, "hector.Naming/1");
  EXPECT_EQ(other.interface_name(), "hector.Naming");
  EXPECT_TRUE(other.identity.empty());
  EXPECT_EQ(other.capsule_id, 7U);
  EXPECT_EQ(other.profiles, reference.profiles);
}

TEST(Reference, IsForeignWithoutCapsuleOfferAndObject) {
  EXPECT_TRUE(Reference{}.is_foreign());
  EXPECT_FALSE((Reference{1}.is_foreign()));
  EXPECT_FALSE((Reference{0, "ana"}.is_foreign()));
  EXPECT_FALSE((Reference{0, "", "", 1}.is_foreign()));
}

}  // namespace
}  // namespace hector
