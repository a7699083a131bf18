// What: the repository: one type under one id, all of a file or nothing.
// Why: identities are what capsules compare.
// Who: types_test.
#include "types/registry/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::types {
namespace {

using ::testing::HasSubstr;

TEST(Repository, KeepsATypeAsItIsUnderItsId) {
  Repository types;
  const std::string yaml =
      "interface: t.I/1\nmessages: [google/protobuf/empty.proto]\noperations:\n  a: {kind: "
      "announce, in: google.protobuf.Empty}\n";
  ASSERT_TRUE(types.load_text(yaml, "t", "/"));
  EXPECT_TRUE(types.load_text(yaml, "again", "/"));
  const auto changed =
      types.load_text(yaml + "  b: {kind: announce, in: google.protobuf.Empty}\n", "t", "/");
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Code::kAlreadyExists);
  EXPECT_THAT(changed.error().message, HasSubstr("raise the number after the slash"));
}

class Types : public ::testing::Test {
 protected:
  static std::string interface(const std::string& id, const std::string& operation = "a") {
    return "interface: " + id + "\nmessages: [google/protobuf/empty.proto]\noperations:\n  " +
           operation + ": {kind: announce, in: google.protobuf.Empty}\n";
  }
  static std::string binding(const std::string& id, const std::string& protocol = "a") {
    return "binding: " + id +
           "\nroles: {p: {interface: t.P/1}, q: {interface: t.I/1}}\ninteractions:\n  a: {kind: "
           "announce, from: p, to: q, operation: a}\n  b: {kind: announce, from: q, to: p, "
           "operation: b}\nprotocol: \"" +
           protocol + "\"\n";
  }
  Repository types_;
};

TEST_F(Types, OfAFileAreAddedAllOrNone) {
  const auto refused =
      types_.load_text(interface("t.J/1") + "---\n" + binding("t.B/1", "a | b"), "t", "/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, kIncompatible);
  EXPECT_FALSE(types_.interface("t.J/1")) << "a broken Binding type beside it";
  EXPECT_THAT(types_.interfaces(), ::testing::IsEmpty());
}

TEST_F(Types, AreFoundByTheirIdAndANearOneIsProposed) {
  EXPECT_THAT(*types_.load_text(interface("t.Till/1") + "---\n" + binding("t.B/1"), "t", "/"),
              ::testing::ElementsAre("t.Till/1", "t.B/1"));
  EXPECT_EQ((*types_.interface("t.Till/1"))->id(), "t.Till/1");
  EXPECT_EQ(types_.binding("t.B/1")->name(), "t.B");
  const auto missing = types_.interface("t.Tall/1");
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("did you mean 't.Till/1'?"));
  EXPECT_EQ(types_.binding("t.C/1").error().code, Code::kNotFound);
}

TEST_F(Types, KeepTheirPlaceUnderOneIdAlsoAsBindingTypes) {
  ASSERT_TRUE(types_.load_text(binding("t.B/1"), "t", "/"));
  EXPECT_TRUE(types_.load_text(binding("t.B/1"), "t", "/"));
  const auto changed = types_.load_text(binding("t.B/1", "a ; b"), "t", "/");
  EXPECT_EQ(changed.error().code, Code::kAlreadyExists);
}

TEST_F(Types, OfAnotherMajorStandBesideThem) {
  ASSERT_TRUE(types_.load_text(interface("t.I/1"), "t", "/"));
  ASSERT_TRUE(types_.load_text(interface("t.I/2", "b"), "t", "/"));
  EXPECT_EQ(types_.interfaces().size(), 2U);
}

TEST_F(Types, AreJudgedOnceForAQuestion) {
  ASSERT_TRUE(types_.load_text(interface("t.I/1") + "---\n" + binding("t.B/1"), "t", "/"));
  const auto offered = *types_.interface("t.I/1");
  const auto type = *types_.binding("t.B/1");
  const auto first = types_.conformance(offered, type, 1, offered);
  EXPECT_TRUE((*first)->conforms());
  EXPECT_EQ(types_.conformance(offered, type, 1, offered), first) << "the same answer";
  EXPECT_NE(types_.conformance(offered, type, 0, offered), first);
}

TEST_F(Types, SayWhereTheyCameFromFirst) {
  ASSERT_TRUE(types_.load_text(interface("t.I/1") + "---\n" + binding("t.B/1"), "t.yaml", "/"));
  ASSERT_TRUE(types_.load_text(interface("t.J/1"), "t.py (its type)", "/", "template t.py"));
  ASSERT_TRUE(types_.add((*types_.interface("t.I/1"))->typed_model(), "capsule north"));
  EXPECT_EQ(types_.origin("t.I/1"), "t.yaml");
  EXPECT_EQ(types_.origin("t.B/1"), "t.yaml");
  EXPECT_EQ(types_.origin("t.J/1"), "template t.py");
  EXPECT_EQ(types_.origin(interaction_type_id(types_.interaction_types().front())), kBuiltIn);
  EXPECT_EQ(types_.origin("t.K/1"), "");
}

}  // namespace
}  // namespace hector::types
