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

/// The rules that a change of proto2 breaks.
std::vector<std::string> rules2(const std::string& older, const std::string& newer,
                                const std::string& category) {
  const std::string head = "syntax = \"proto2\"; ";
  const auto changes =
      breaking_changes({{"a.proto", head + older}}, {{"a.proto", head + newer}}, category);
  EXPECT_TRUE(changes) << changes.error().text();
  std::vector<std::string> list;
  for (const auto& change : *changes) list.push_back(change.rule);
  return list;
}

TEST(ProtoBreaking, SeesExtensionsLikeFieldsAndGroupsLikeMessages) {
  const std::string m =
      "package t; message M { extensions 100 to 199; } message N { optional int32 a = 1; } ";
  const Sample samples[] = {
      {"extend M { optional int32 x = 100; }",
       "extend M { optional string x = 100; }",
       {"FIELD_SAME_TYPE"},
       {"FIELD_WIRE_JSON_COMPATIBLE_TYPE"},
       {"FIELD_WIRE_COMPATIBLE_TYPE"}},
      {"extend M { optional int32 x = 100; }",
       "extend M { optional int64 x = 100; }",
       {"FIELD_SAME_TYPE"},
       {"FIELD_WIRE_JSON_COMPATIBLE_TYPE"},
       {}},
      {"message O { extend M { repeated int32 x = 100; } }",
       "message O { extend M { optional int32 x = 100; } }",
       {"FIELD_SAME_CARDINALITY"},
       {"FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY"},
       {"FIELD_WIRE_COMPATIBLE_CARDINALITY"}},
      {"extend M { optional int32 x = 100; }", "", {"PACKAGE_EXTENSION_NO_DELETE"}, {}, {}},
      {"extend M { optional int32 x = 100; }",
       "message O { extend M { optional int32 x = 100; } }",
       {"PACKAGE_EXTENSION_NO_DELETE", "FIELD_SAME_NAME"},
       {"FIELD_SAME_NAME"},
       {}},
      {"", "extend M { optional int32 x = 100; }", {}, {}, {}},
      {"message G { optional group Part = 1 { optional int32 a = 1; } }",
       "message G { optional group Part = 1 { optional string a = 1; } }",
       {"FIELD_SAME_TYPE"},
       {"FIELD_WIRE_JSON_COMPATIBLE_TYPE"},
       {"FIELD_WIRE_COMPATIBLE_TYPE"}},
      {"message G { optional group Part = 1 { optional int32 a = 1; } }",
       "message G { message Part { optional int32 a = 1; } optional Part part = 1; }",
       {"FIELD_SAME_TYPE"},
       {"FIELD_WIRE_JSON_COMPATIBLE_TYPE"},
       {"FIELD_WIRE_COMPATIBLE_TYPE"}},
      {"extend M { optional group Part = 101 { optional int32 a = 1; } }",
       "extend M { optional group Part = 101 { } }",
       {"FIELD_NO_DELETE"},
       {"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", "FIELD_NO_DELETE_UNLESS_NAME_RESERVED"},
       {"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED"}},
  };
  for (const auto& sample : samples) {
    EXPECT_EQ(rules2(m + sample.older, m + sample.newer, "PACKAGE"), sample.package)
        << sample.newer;
    EXPECT_EQ(rules2(m + sample.older, m + sample.newer, "WIRE_JSON"), sample.json) << sample.newer;
    EXPECT_EQ(rules2(m + sample.older, m + sample.newer, "WIRE"), sample.wire) << sample.newer;
  }
}

TEST(ProtoBreaking, HoldsARangeOfExtensionsToOneThatContainsIt) {
  const std::string rule = "EXTENSION_MESSAGE_NO_DELETE";
  const auto ranges = [](const std::string& older, const std::string& newer) {
    return rules2("message M { extensions " + older + "; }",
                  "message M { extensions " + newer + "; }", "FILE");
  };
  EXPECT_THAT(ranges("5 to 7", "5 to 7"), IsEmpty());
  EXPECT_THAT(ranges("5 to 7, 8 to 9", "5 to 9"), IsEmpty());
  EXPECT_THAT(ranges("5 to 7", "5 to max"), IsEmpty());
  EXPECT_THAT(ranges("5 to 7", "5 to 6"), ElementsAre(rule));
  EXPECT_THAT(ranges("5 to 9", "5 to 7, 8 to 9"), ElementsAre(rule));
  EXPECT_THAT(rules2("message M { extensions 5 to 9; }", "message M {}", "WIRE_JSON"), IsEmpty());
}

TEST(ProtoBreaking, SeesAFilesPackageInEveryCategory) {
  const std::string older = "package a; message M {}", newer = "package b; message M {}";
  for (const char* category : {"FILE", "PACKAGE", "WIRE_JSON", "WIRE"})
    EXPECT_THAT(rules2(older, newer, category), ::testing::Contains("FILE_SAME_PACKAGE"))
        << category;
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
