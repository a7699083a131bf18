// What: Buf's rules, in the category in which each begins to count.
// Why: what may change depends on what users hold on to: a file, a package, JSON, or the wire.
// Who: types_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hector/authoring.h"

namespace hector::types {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The rules that the change breaks, in this category.
std::vector<std::string> rules(const std::string& older, const std::string& newer,
                               const std::string& category) {
  const std::string head = "syntax = \"proto3\"; package t;\n";
  const auto changes =
      breaking_changes({{"a.proto", head + older}}, {{"a.proto", head + newer}}, category);
  EXPECT_TRUE(changes) << changes.error().text();
  std::vector<std::string> list;
  for (const auto& change : *changes) list.push_back(change.rule);
  return list;
}
struct Sample {
  const char *older, *newer;
  std::vector<std::string> package, json, wire;
};

TEST(ProtoBreaking, CountsInTheCategoriesThatBufSays) {
  const Sample samples[] = {
      {"message M { int32 a = 1; }", "message M { int32 a = 1; string b = 2; }", {}, {}, {}},
      {"message M { int32 a = 1; }",
       "message M { int64 a = 1; }",
       {"FIELD_SAME_TYPE"},
       {"FIELD_WIRE_JSON_COMPATIBLE_TYPE"},
       {}},
      {"message M { int32 a = 1; }", "message M { uint32 a = 1; }", {"FIELD_SAME_TYPE"}, {}, {}},
      {"message M { int32 a = 1; }",
       "message M { sint32 a = 1; }",
       {"FIELD_SAME_TYPE"},
       {"FIELD_WIRE_JSON_COMPATIBLE_TYPE"},
       {"FIELD_WIRE_COMPATIBLE_TYPE"}},
      {"message M { int32 a = 1; }",
       "message M { reserved 1; reserved \"a\"; }",
       {"FIELD_NO_DELETE"},
       {},
       {}},
      {"message M { int32 a = 1; }",
       "message M { int32 b = 1; }",
       {"FIELD_SAME_NAME", "FIELD_SAME_JSON_NAME"},
       {"FIELD_SAME_NAME", "FIELD_SAME_JSON_NAME"},
       {}},
      {"message M { int32 a = 1; }",
       "message M { repeated int32 a = 1; }",
       {"FIELD_SAME_CARDINALITY"},
       {"FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY"},
       {"FIELD_WIRE_COMPATIBLE_CARDINALITY"}},
      {"enum E { X = 0; Y = 1; }",
       "enum E { X = 0; }",
       {"ENUM_VALUE_NO_DELETE"},
       {"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED"},
       {"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED"}},
      {"message M {} service S { rpc f(M) returns (M); }",
       "message M {} service S { rpc f(stream M) returns (M); }",
       {"RPC_SAME_CLIENT_STREAMING"},
       {"RPC_SAME_CLIENT_STREAMING"},
       {"RPC_SAME_CLIENT_STREAMING"}},
      {"message M {} service S { rpc f(M) returns (M); }",
       "message M {} service S {}",
       {"RPC_NO_DELETE"},
       {},
       {}},
  };
  for (const auto& sample : samples) {
    EXPECT_EQ(rules(sample.older, sample.newer, "PACKAGE"), sample.package) << sample.newer;
    EXPECT_EQ(rules(sample.older, sample.newer, "WIRE_JSON"), sample.json) << sample.newer;
    EXPECT_EQ(rules(sample.older, sample.newer, "WIRE"), sample.wire) << sample.newer;
  }
}

TEST(ProtoBreaking, CountsWhatIsGoneByFileOrByPackage) {
  const std::string head = "syntax = \"proto3\"; package t;\n";
  const ProtoTexts one{{"a.proto", head + "message M {}"}, {"b.proto", head + "message N {}"}};
  const ProtoTexts moved{{"a.proto", head + "message M {} message N {}"},
                         {"b.proto", head + "message O {}"}};
  const auto by = [&](const char* category) {
    std::vector<std::string> list;
    const auto changes = breaking_changes(one, moved, category);
    for (const auto& each : *changes) list.push_back(each.rule + " " + each.path);
    return list;
  };
  EXPECT_THAT(by("FILE"), ElementsAre("MESSAGE_NO_DELETE t.N"));
  EXPECT_THAT(by("PACKAGE"), IsEmpty());
  EXPECT_THAT(rules("message M {}", "", "PACKAGE"), ElementsAre("PACKAGE_MESSAGE_NO_DELETE"));
}

TEST(ProtoBreaking, RefusesAnUnknownCategoryAndWhatDoesNotParse) {
  EXPECT_EQ(breaking_changes({}, {}, "STRICT").error().code, Code::kInvalidArgument);
  EXPECT_EQ(breaking_changes({{"a.proto", "message"}}, {}, "WIRE").error().code,
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace hector::types
