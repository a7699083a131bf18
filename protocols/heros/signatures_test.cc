// What: tests of what is said of signatures beside the Interface.
// Why: the text comes from other programs, and goes to them.
// Who: ctest, in heros_wire_test.
#include "signatures.h"

#include <gtest/gtest.h>

namespace hector::heros {
namespace {

using objects::Member;
using objects::Parameter;
using objects::ParameterKind;
using objects::Value;

Parameter parameter(const std::string& name,
                    ParameterKind kind = ParameterKind::kPositionalOrKeyword,
                    std::optional<Value> fallback = {}) {
  return {name, "", kind, std::move(fallback)};
}
objects::ShownMember shown(const std::string& name, std::vector<Parameter> parameters) {
  return {{Member::Kind::kMethod, name, std::move(parameters), {}, true, false},
          nullptr,
          nullptr,
          nullptr};
}

objects::Description camera() {
  objects::Description made;
  const auto add = [&](const std::string& name, std::vector<Parameter> parameters) {
    made.members.push_back({Member::Kind::kMethod, name, std::move(parameters), {}, true, false});
  };
  add("add", {parameter("a"), parameter("b", ParameterKind::kPositionalOrKeyword, Value::of(5)),
              parameter("scale", ParameterKind::kKeywordOnly, Value::of(2.5))});
  add("plain", {parameter("a")});
  add("odd", {parameter("octets", ParameterKind::kPositionalOrKeyword, Value::map()),
              parameter("rest", ParameterKind::kPositionalRest)});
  add("many", {parameter("list", ParameterKind::kPositionalOnly,
                         Value::list({Value::of("x"), Value::null(), Value::of(true)}))});
  return made;
}

TEST(HeroSignatures, SayDefaultsAndKinds) {
  std::vector<objects::ShownMember> members{
      shown("add", {parameter("a"), parameter("b"), parameter("scale")}),
      shown("many", {parameter("list")}), shown("other", {parameter("b")}),
      shown("plain", {parameter("a", ParameterKind::kPositionalOrKeyword, Value::null())}),
      shown("odd", {parameter("octets", ParameterKind::kPositionalOrKeyword, Value::null())})};
  read_signatures(write_signatures(camera()), members);
  const auto& add = members[0].member.parameters;
  EXPECT_FALSE(add[0].fallback);
  EXPECT_EQ(add[1].fallback->integer, 5);
  EXPECT_EQ(add[1].kind, ParameterKind::kPositionalOrKeyword);
  EXPECT_EQ(add[2].fallback->real, 2.5);
  EXPECT_EQ(add[2].kind, ParameterKind::kKeywordOnly);
  EXPECT_EQ(members[1].member.parameters[0].fallback->print(),
            Value::list({Value::of("x"), Value::null(), Value::of(true)}).print());
  EXPECT_FALSE(members[2].member.parameters[0].fallback);
  EXPECT_FALSE(members[3].member.parameters[0].fallback) << "an untyped field may be left out";
  EXPECT_TRUE(members[4].member.parameters[0].fallback) << "whatever it is";
}

TEST(HeroSignatures, SayNothingWhereThereIsNothingToSay) {
  objects::Description plain;
  plain.members.push_back({Member::Kind::kMethod, "plain", {}, {}, true, false});
  plain.members.push_back({Member::Kind::kEvent, "tick", {}, {}, true, false});
  EXPECT_EQ(write_signatures(plain), "");
}

TEST(HeroSignatures, OfOtherProgramsChangeNothing) {
  for (const char* text : {"", "{", "[]", "1", "{\"add\": 1}", "{\"add\": {\"b\": 1}}",
                           "{\"add\": {\"b\": {\"kind\": 9, \"default\": {}}}}",
                           "{\"add\": {\"b\": {\"kind\": -1}}}", "{\"none\": {\"b\": {}}}"}) {
    std::vector<objects::ShownMember> members{shown("add", {parameter("b")})};
    read_signatures(text, members);
    EXPECT_FALSE(members[0].member.parameters[0].fallback) << text;
    EXPECT_EQ(members[0].member.parameters[0].name, "b") << text;
    EXPECT_EQ(members[0].member.parameters[0].kind, ParameterKind::kPositionalOrKeyword) << text;
  }
}

}  // namespace
}  // namespace hector::heros
