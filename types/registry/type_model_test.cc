// What: tests of types without a kernel: read from texts, from canonical forms, compared.
// Why: the Type service keeps nothing but canonical forms, and takes them from anyone; what it
// compares decides whether a version may follow.
// Who: ctest, in types_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hector/type/v1/type.pb.h"
#include "hector/types.h"

namespace hector {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ProtoTexts kProtos{
    {"t/m.proto",
     "syntax = \"proto3\";\npackage t;\nmessage Slot { int64 at = 1; Place place = 2; }\n"
     "message Place { string name = 1; }\nservice Desk { rpc Take(Slot) returns (Place); }\n"}};

std::string interface_text(const std::string& operations, const std::string& protocol = "") {
  return "interface: t.Desk/1\nmessages: [t/m.proto]\noperations:\n" + operations +
         (protocol.empty() ? "" : "protocol: \"" + protocol + "\"\n");
}
const std::string kTake = "  take: {kind: rpc, in: t.Slot, out: t.Place}\n";
const std::string kGive = "  give: {kind: announce, in: t.Place}\n";

constexpr const char* kBinding =
    "binding: t.B/1\nroles: {p: {interface: t.P/1}, q: {interface: t.Desk/1}}\ninteractions:\n"
    "  take: {kind: rpc, from: p, to: q, operation: take}\nprotocol: \"take*\"\n";

TypeModelPtr read(const std::string& yaml) {
  auto models = read_type_models(yaml, "t.yaml", kProtos);
  EXPECT_TRUE(models) << models.error().text();
  return models->at(0);
}
std::vector<std::string> found(const Result<Conformance>& conformance) {
  EXPECT_TRUE(conformance) << conformance.error().text();
  std::vector<std::string> texts;
  for (const auto& each : conformance->findings) texts.push_back(each.text);
  return texts;
}

TEST(TypeModel, SaysWhatItIsAndWhatItUses) {
  const auto desk = read(interface_text(kTake + kGive));
  EXPECT_EQ(desk->kind(), "interface");
  EXPECT_EQ(desk->name(), "t.Desk/1");
  EXPECT_THAT(desk->uses(), ElementsAre("t.Place", "t.Slot"));
  const auto binding = read(kBinding);
  EXPECT_EQ(binding->kind(), "binding");
  EXPECT_THAT(binding->uses(), ElementsAre("t.Desk/1", "t.P/1"));
}

TEST(TypeModel, ComesBackFromItsCanonicalFormAsTheSame) {
  for (const auto& each : {read(interface_text(kTake)), read(kBinding)}) {
    const auto again = make_type_model(each->kind(), each->name(), each->canonical());
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ((*again)->identity(), each->identity());
    EXPECT_EQ((*again)->uses(), each->uses());
  }
}

TEST(TypeModel, OfAProtoFileHasItsMessagesAndItsServicesAsInterfaces) {
  const auto models = read_proto_models("t/m.proto", kProtos, 3);
  ASSERT_TRUE(models) << models.error().text();
  std::vector<std::string> names;
  for (const auto& each : *models) names.push_back(each->kind() + " " + each->name());
  EXPECT_THAT(names, ElementsAre("message t.Slot", "message t.Place", "interface t.Desk/3"));
  EXPECT_THAT((*models)[0]->uses(), ElementsAre("t.Place"));
  const auto& slot = *(*models)[0];
  const auto again = make_type_model("message", slot.name(), slot.canonical());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ((*again)->identity(), slot.identity());
}

TEST(TypeModel, IsNotMadeOfOctetsThatAreNoneOfItsKind) {
  const auto code = [](const char* kind, const std::string& canonical) {
    const auto made = make_type_model(kind, "t.X", canonical);
    return made ? Code::kOk : made.error().code;
  };
  EXPECT_EQ(code("interface", "\xff"), Code::kInvalidArgument);
  EXPECT_EQ(code("binding", ""), Code::kInvalidArgument);
  EXPECT_EQ(code("message", ""), Code::kInvalidArgument);
  EXPECT_EQ(code("relationship", read(kBinding)->canonical()), Code::kInvalidArgument);
}

/// As a client of the Type service may send one: its parts name roles that it has not.
TEST(TypeModel, IsNotMadeOfABindingWhosePartsDoNotFitTogether) {
  type::v1::Binding binding;
  ASSERT_TRUE(binding.ParseFromString(read(kBinding)->canonical()));
  binding.mutable_interactions(0)->set_to("nobody");
  const auto made = make_type_model("binding", "t.B/1", binding.SerializeAsString());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kInvalidArgument);
}

TEST(TypeUpgrade, OfAnInterfaceMayAddOperationsAndTakeNoneAway) {
  const auto small = read(interface_text(kTake)), large = read(interface_text(kTake + kGive));
  EXPECT_THAT(found(check_upgrade(*large, *small, Upgrade::kBackward)), IsEmpty());
  EXPECT_THAT(found(check_upgrade(*small, *large, Upgrade::kBackward)),
              Contains(HasSubstr("give")));
}

TEST(TypeUpgrade, ForwardLooksAtWhatBothHaveAndAtWhatIsGone) {
  const auto small = read(interface_text(kTake)), large = read(interface_text(kTake + kGive));
  EXPECT_THAT(found(check_upgrade(*large, *small, Upgrade::kForward)), IsEmpty());
  EXPECT_THAT(found(check_upgrade(*small, *large, Upgrade::kForward)),
              ElementsAre("operation 'give' is gone"));
}

TEST(TypeUpgrade, IsOfOneKind) {
  const auto mixed =
      check_upgrade(*read(kBinding), *read(interface_text(kTake)), Upgrade::kBackward);
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().code, Code::kInvalidArgument);
}

TEST(TypeReplacement, LooksAtTheOrderOnlyWhereBehaviourIsAsked) {
  const auto any = read(interface_text(kTake + kGive));
  const auto strict = read(interface_text(kTake + kGive, "take ; give"));
  EXPECT_THAT(found(check_replacement(*any, *strict, ConformanceLevel::kBehaviour)), IsEmpty());
  EXPECT_THAT(found(check_replacement(*strict, *any, ConformanceLevel::kSignature)), IsEmpty());
  EXPECT_THAT(found(check_replacement(*strict, *any, ConformanceLevel::kBehaviour)),
              ::testing::Not(IsEmpty()));
}

TEST(TypeRole, IsPlayedByAnInterfaceThatHasWhatItIsAsked) {
  const auto binding = read(kBinding);
  const auto desk = read(interface_text(kTake)), deaf = read(interface_text(kGive));
  EXPECT_EQ(*interface_of_role(*binding, "q"), "t.Desk/1");
  EXPECT_THAT(found(check_role(*desk, *binding, "q", *desk, ConformanceLevel::kBehaviour)),
              IsEmpty());
  EXPECT_THAT(found(check_role(*deaf, *binding, "q", *desk, ConformanceLevel::kSignature)),
              Contains(HasSubstr("take")));
  EXPECT_EQ(check_role(*desk, *binding, "r", *desk, ConformanceLevel::kBehaviour).error().code,
            Code::kNotFound);
  EXPECT_EQ(interface_of_role(*binding, "r").error().code, Code::kNotFound);
  EXPECT_EQ(interface_of_role(*desk, "q").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace hector
