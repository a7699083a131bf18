// What: tests of write_interface() and shown_members().
// Why: the Interface of a foreign object is what capsules of other builds compare; its text may not
// change by accident.
// Who: ctest, in foreign_objects_test.
#include "objects/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/adoption.h"
#include "objects/testing.h"

namespace hector::objects {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ModelInterface;
using ::testing::Not;

Description camera() {
  return {"Camera",
          {{Member::Kind::kMethod,
            "expose",
            {{"seconds", "float", ParameterKind::kPositionalOrKeyword, std::nullopt},
             {"label", "str", ParameterKind::kPositionalOrKeyword, Value::of("none")}},
            "int"},
           {Member::Kind::kAttribute, "gain", {}, "float"},
           {Member::Kind::kAttribute, "serial", {}, "str", true, false},
           {Member::Kind::kEvent, "frame", {}, ""}}};
}

TEST(WriteInterface, MakesMethodsAttributesAndEventsOperations) {
  const auto written = write_interface(camera(), "hero.Camera", 2);
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(written->id, "hero.Camera/2");
  EXPECT_EQ(written->proto_path, "hero/Camera_v2.proto");
  std::vector<std::string> operations;
  for (const auto& each : written->routes) operations.push_back(each.operation);
  EXPECT_THAT(operations, ElementsAre("expose", "get_gain", "set_gain", "get_serial", "frame"));
  EXPECT_EQ(written->route_of("set_gain").use, Use::kSet);
  EXPECT_EQ(written->route_of("set_gain").member, 1U);
  EXPECT_EQ(written->route_of("frame").use, Use::kEvent);
  EXPECT_THAT(written->proto, HasSubstr("double seconds = 1;"));
  EXPECT_THAT(written->proto, HasSubstr("optional string label = 2;"));
  EXPECT_THAT(written->proto, HasSubstr("hector.value.v1.Untyped untyped = 2047;"));
}

TEST(WriteInterface, LeavesOutAndNamesWhatIsNoIdentifier) {
  Description description = camera();
  description.members.push_back({Member::Kind::kMethod, "not-a-name", {}, ""});
  description.members.push_back({Member::Kind::kMethod, "end", {}, ""});
  description.members.push_back({Member::Kind::kMethod, "expose", {}, ""});
  std::vector<std::string> left_out;
  ASSERT_TRUE(write_interface(description, "hero.Camera", 1, &left_out));
  EXPECT_THAT(left_out, ElementsAre("not-a-name", "end", "expose"));
}

TEST(WriteInterface, TakesAMethodWithTheMaximumOfParametersAndNoMore) {
  Member method{Member::Kind::kMethod, "many", {}, ""};
  for (int i = 0; i < 100; ++i)
    method.parameters.push_back(
        {"p" + std::to_string(i), "int", ParameterKind::kPositionalOrKeyword, std::nullopt});
  std::vector<std::string> left_out;
  ASSERT_TRUE(write_interface({"A", {method}}, "hero.A", 1, &left_out));
  EXPECT_THAT(left_out, IsEmpty());
  method.parameters.push_back({"more", "int", ParameterKind::kPositionalOrKeyword, std::nullopt});
  ASSERT_TRUE(write_interface({"A", {method}}, "hero.A", 1, &left_out));
  EXPECT_THAT(left_out, ElementsAre("many"));
}

TEST(WriteInterface, ParametersWhoseNamesAreOneInJsonAreTwoFields) {
  const auto written =
      write_interface({"A",
                       {{Member::Kind::kMethod,
                         "m",
                         {{"x_y", "int", ParameterKind::kPositionalOrKeyword, std::nullopt},
                          {"xY", "int", ParameterKind::kPositionalOrKeyword, std::nullopt},
                          {"untyped", "int", ParameterKind::kPositionalOrKeyword, std::nullopt}},
                         ""}}},
                      "hero.A", 1);
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_THAT(written->proto, HasSubstr("int64 x_y = 1;"));
  EXPECT_THAT(written->proto, HasSubstr("int64 xY2 = 2;"));
  EXPECT_THAT(written->proto, HasSubstr("int64 untyped2 = 3;"));
}

TEST(ShownMembers, AreTheMembersThatTheInterfaceWasWrittenFrom) {
  const auto written = write_interface(camera(), "hero.Camera", 1);
  ASSERT_TRUE(written);
  const ModelInterface interface(written->model);
  std::vector<std::string> shown;
  for (const auto& each : shown_members(interface)) {
    const char* const kind = each.member.kind == Member::Kind::kMethod      ? "method "
                             : each.member.kind == Member::Kind::kAttribute ? "attribute "
                                                                            : "event ";
    shown.push_back(kind + each.member.name + (each.set != nullptr ? " rw" : ""));
  }
  EXPECT_THAT(shown,
              ElementsAre("attribute gain rw", "attribute serial", "method expose", "event frame"));
}

TEST(ShownMembers, AParameterBehindAnOptionalOneIsOptional) {
  const auto written =
      write_interface({"A",
                       {{Member::Kind::kMethod,
                         "m",
                         {{"first", "int", ParameterKind::kPositionalOrKeyword, Value::of(1)},
                          {"class", "int", ParameterKind::kPositionalOrKeyword, std::nullopt}},
                         "None"}}},
                      "hero.A", 1);
  ASSERT_TRUE(written) << written.error().text();
  const ModelInterface interface(written->model);
  const auto shown = shown_members(interface);
  ASSERT_EQ(shown.size(), 1U);
  const auto& parameters = shown[0].member.parameters;
  ASSERT_EQ(parameters.size(), 2U);
  EXPECT_TRUE(parameters[0].fallback);
  EXPECT_TRUE(parameters[1].fallback) << "Python has no positional one behind a default";
  EXPECT_EQ(parameters[1].name, "class_") << "a keyword of Python";
}

TEST(IdentifierOf, ReplacesWhatIdentifiersHaveNot) {
  EXPECT_EQ(identifier_of("plain_1"), "plain_1");
  EXPECT_EQ(identifier_of("a b.c"), "a_b_c");
  EXPECT_EQ(identifier_of("2nd"), "n2nd");
  EXPECT_EQ(identifier_of("42"), std::nullopt);
  EXPECT_EQ(identifier_of(""), std::nullopt);
}

TEST(IsListed, TakesNamesAndBeginnings) {
  EXPECT_TRUE(is_listed({"*"}, "anything"));
  EXPECT_TRUE(is_listed({"lab-*", "one"}, "lab-2"));
  EXPECT_TRUE(is_listed({"lab-*", "one"}, "one"));
  EXPECT_FALSE(is_listed({"lab-*", "one"}, "ones"));
  EXPECT_FALSE(is_listed({}, "one"));
}

TEST(JsonText, EscapesQuotesAndControlOctets) {
  EXPECT_EQ(json_text("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
}

}  // namespace
}  // namespace hector::objects
