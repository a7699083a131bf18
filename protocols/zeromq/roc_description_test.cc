// What: tests of ROC's descriptions, out of each form that servers send.
// Why: a server that describes itself in another form must not lose its methods.
// Who: ctest, in zeromq_wire_test.
#include "roc_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::zeromq {
namespace {

using objects::Description;
using objects::Member;
using objects::ParameterKind;
using ::testing::ElementsAre;

Description read(const char* json) {
  const auto said = read_json(json);
  EXPECT_TRUE(said) << json;
  return read_description(said.value_or(Value::null()));
}
std::vector<std::string> names(const Description& description) {
  std::vector<std::string> list;
  for (const auto& each : description.members)
    list.push_back((each.kind == Member::Kind::kMethod ? ""
                    : each.is_writable                 ? "rw "
                                                       : "r ") +
                   each.name);
  return list;
}

TEST(RocDescription, IsReadWithParametersAndAccess) {
  const auto made = read(R"({"class": "Pump",
      "methods": {"run": [{"name": "speed", "type": "float", "default": 1.5}, "label"],
                  "_hidden": []},
      "attributes": {"state": "r", "target": "rw"}})");
  EXPECT_EQ(made.class_name, "Pump");
  EXPECT_THAT(names(made), ElementsAre("run", "r state", "rw target"));
  const auto& parameters = made.members[0].parameters;
  ASSERT_EQ(parameters.size(), 2U);
  EXPECT_EQ(parameters[0].type, "float");
  EXPECT_EQ(*parameters[0].fallback, Value::of(1.5));
  EXPECT_EQ(parameters[1].name, "label");
  EXPECT_FALSE(has_only_call(made));
}

TEST(RocDescription, OfNamesOnlyTakesAnyArguments) {
  const auto made = read(R"({"methods": ["run"], "attributes": ["state"]})");
  EXPECT_EQ(made.class_name, "Object");
  EXPECT_THAT(names(made), ElementsAre("run", "rw state"));
  ASSERT_EQ(made.members[0].parameters.size(), 2U);
  EXPECT_EQ(made.members[0].parameters[0].kind, ParameterKind::kPositionalRest);
  EXPECT_EQ(made.members[0].parameters[1].kind, ParameterKind::kKeywordRest);
}

TEST(RocDescription, AParametersKindIsTakenWithinItsRange) {
  const auto made = read(R"({"methods": {"m": [{"name": "a", "kind": 3}, {"name": "b", "kind": 9},
                                              {"name": "c", "kind": -1}]}})");
  EXPECT_EQ(made.members[0].parameters[0].kind, ParameterKind::kKeywordOnly);
  EXPECT_EQ(made.members[0].parameters[1].kind, ParameterKind::kPositionalOrKeyword);
  EXPECT_EQ(made.members[0].parameters[2].kind, ParameterKind::kPositionalOrKeyword);
}

TEST(RocDescription, ThatSaysNothingHasOneCall) {
  for (const char* json : {"{}", "null", "7", R"({"methods": {}})"}) {
    const auto made = read(json);
    EXPECT_TRUE(has_only_call(made)) << json;
    EXPECT_THAT(names(made), ElementsAre("call"));
  }
}

TEST(RocDescription, IsReadAsItIsWritten) {
  const std::vector<objects::ShownMember> members{
      {{Member::Kind::kMethod,
        "run",
        {{"speed", "float", ParameterKind::kPositionalOrKeyword, Value::of(2)}},
        {},
        true,
        false}},
      {{Member::Kind::kAttribute, "state", {}, "str", true, false}},
      {{Member::Kind::kEvent, "tick", {}, {}, true, false}}};
  const auto made = read_description(write_description("lab.Pump", members));
  EXPECT_EQ(made.class_name, "lab.Pump");
  EXPECT_THAT(names(made), ElementsAre("run", "r state")) << "ROC has no events";
  EXPECT_EQ(*made.members[0].parameters[0].fallback, Value::of(2));
}

}  // namespace
}  // namespace hector::zeromq
