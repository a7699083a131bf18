// Modes and rules of the Type service, and what Buf says: Y1 to Y13 where no capsule is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formal.h"
#include "hector/authoring.h"

namespace hector::type_service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kCategories[] = {"FILE", "PACKAGE", "WIRE_JSON", "WIRE"};

/// "✓✗✗✓" in the order of the categories, as o and x.
std::string verdicts(const std::string& older, const std::string& newer) {
  const std::string head = "syntax = \"proto3\";\npackage p;\n";
  std::string text;
  for (const char* category : kCategories) {
    auto breaking =
        types::breaking_changes({{"a.proto", head + older}}, {{"a.proto", head + newer}}, category);
    text += !breaking ? breaking.error().message : breaking->empty() ? "o" : "x";
  }
  return text;
}

TEST(Breaking, Y1_AFieldMayBeAdded) {
  EXPECT_EQ(verdicts("message M { int32 a = 1; }", "message M { int32 a = 1; int32 b = 2; }"),
            "oooo");
}
TEST(Breaking, Y2_ARenamedFieldBreaksAllButTheWire) {
  EXPECT_EQ(verdicts("message M { int32 a = 1; }", "message M { int32 b = 1; }"), "xxxo");
}
TEST(Breaking, Y3_ADeletedFieldMayBeReserved) {
  const std::string before = "message M { int32 a = 1; int32 b = 2; }";
  EXPECT_EQ(verdicts(before, "message M { int32 a = 1; }"), "xxxx");
  EXPECT_EQ(verdicts(before, "message M { int32 a = 1; reserved 2; }"), "xxxo");
  EXPECT_EQ(verdicts(before, "message M { int32 a = 1; reserved 2; reserved \"b\"; }"), "xxoo");
}
TEST(Breaking, Y5_AStringMayBecomeBytesOnTheWireOnly) {
  EXPECT_EQ(verdicts("message M { string a = 1; }", "message M { bytes a = 1; }"), "xxxo");
  EXPECT_EQ(verdicts("message M { bytes a = 1; }", "message M { string a = 1; }"), "xxxx");
  EXPECT_EQ(verdicts("message M { int32 a = 1; }", "message M { uint32 a = 1; }"), "xxoo");
  EXPECT_EQ(verdicts("message M { int32 a = 1; }", "message M { int64 a = 1; }"), "xxxo");
}
TEST(Breaking, Y6_CardinalityAndNumbersStay) {
  EXPECT_EQ(verdicts("message M { string a = 1; }", "message M { repeated string a = 1; }"),
            "xxxx");
  EXPECT_EQ(verdicts("message M { string a = 1; }", "message M { string a = 2; }"), "xxxx");
}
TEST(Breaking, Y7_AnEnumsValuesStay) {
  EXPECT_EQ(verdicts("enum E { A = 0; B = 1; }", "enum E { A = 0; }"), "xxxx");
}
TEST(Breaking, Y8_Y9_OperationsOfServices) {
  const std::string head = "message M {}\n";
  EXPECT_EQ(verdicts(head + "service S { rpc A(M) returns (M); rpc B(M) returns (M); }",
                     head + "service S { rpc A(M) returns (M); }"),
            "xxoo");
  EXPECT_EQ(verdicts(head + "service S { rpc A(M) returns (M); }",
                     head + "service S { rpc A(M) returns (stream M); }"),
            "xxxx");
}

v1::TypeCandidate candidate(const std::string& text, const std::string& media = "text/x-protobuf") {
  v1::TypeCandidate made;
  auto& description = *made.add_descriptions();
  description.set_language(media == "text/x-protobuf" ? "proto" : "hector");
  description.set_media(media);
  description.set_content(text);
  return made;
}
TypeModelPtr message(const std::string& body) {
  auto model = formal_model("p.M", "message",
                            candidate("syntax = \"proto3\";\npackage p;\n" + body).descriptions());
  if (!model) ADD_FAILURE() << model.error().message;
  return model ? *model : nullptr;
}
TypeModelPtr interface(const std::string& protocol, const std::string& operations = "get put quit",
                       const std::string& name = "p.I/1") {
  std::string yaml = "interface: " + name + "\nmessages: [m.proto]\noperations:\n";
  for (std::size_t at = 0; at < operations.size();) {
    const auto end = std::min(operations.find(' ', at), operations.size());
    yaml += "  " + operations.substr(at, end - at) + ": {kind: rpc, in: p.M, out: p.M}\n";
    at = end + 1;
  }
  if (!protocol.empty()) yaml += "protocol: " + protocol + "\n";
  auto both = candidate(yaml, "application/yaml");
  auto& proto = *both.add_descriptions();
  proto.set_language("proto");
  proto.set_media("text/x-protobuf");
  proto.set_path("m.proto");
  proto.set_content("syntax = \"proto3\";\npackage p;\nmessage M { int32 a = 1; }\n");
  auto model = formal_model(name, "interface", both.descriptions());
  if (!model) ADD_FAILURE() << model.error().message;
  return model ? *model : nullptr;
}
int violations(const TypeModelPtr& newer, const TypeModelPtr& older, const std::string& mode) {
  v1::TypeVerdict verdict;
  EXPECT_TRUE(check_version(*newer, *older, 1, *mode_of(mode), verdict));
  return verdict.violations_size();
}

TEST(Modes, MessagesByWhoReadsWhat) {
  const auto one = message("message M { int32 a = 1; int32 b = 2; }");
  const auto less = message("message M { int32 a = 1; }");
  const auto wider = message("message M { int64 a = 1; int32 b = 2; }");
  for (const char* mode : {"BACKWARD", "FORWARD", "FULL"}) {
    EXPECT_EQ(violations(less, one, mode), 0) << mode;
    EXPECT_EQ(violations(one, less, mode), 0) << mode;
  }
  EXPECT_EQ(violations(wider, one, "BACKWARD"), 0);
  EXPECT_GT(violations(wider, one, "FORWARD"), 0);
  EXPECT_GT(violations(wider, one, "FULL"), 0);
  EXPECT_GT(violations(message("message M { string a = 1; }"), one, "BACKWARD"), 0);
  EXPECT_EQ(violations(message("message M { string a = 1; }"), one, "NONE"), 0);
}
TEST(Modes, Y8_AnInterfacesOperationsStayAndMayBecomeMore) {
  const auto one = interface("", "get put quit");
  EXPECT_GT(violations(interface("", "get quit"), one, "BACKWARD"), 0);
  EXPECT_GT(violations(interface("", "get quit"), one, "FORWARD"), 0);
  EXPECT_EQ(violations(interface("", "get put quit more"), one, "FULL"), 0);
}
TEST(Modes, Y11_OrdersCount) {
  const auto any = interface("(get | put)* ; quit");
  const auto few = interface("get* ; quit");
  auto wide_for_few = check_replacement(*any, *few, ConformanceLevel::kBehaviour);
  ASSERT_TRUE(wide_for_few);
  EXPECT_THAT(wide_for_few->findings, IsEmpty());
  auto few_for_wide = check_replacement(*few, *any, ConformanceLevel::kBehaviour);
  ASSERT_TRUE(few_for_wide);
  ASSERT_FALSE(few_for_wide->findings.empty());
  EXPECT_THAT(few_for_wide->findings.front().trace, ::testing::ElementsAre("put"));
  EXPECT_THAT(check_replacement(*few, *any, ConformanceLevel::kSignature)->findings, IsEmpty());
}
TEST(Descriptions, WhatIsNotTheSameIsRefused) {
  auto both = candidate("syntax = \"proto3\";\npackage p;\nmessage M { int32 a = 1; }");
  auto& other = *both.add_descriptions();
  other.set_language("descriptors");
  other.set_media("application/x-protobuf-descriptor-set");
  other.set_content(message("message M { int32 b = 1; }")->canonical());
  auto model = formal_model("p.M", "message", both.descriptions());
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().type, "INCONSISTENT");
  auto wrong = formal_model(
      "p.M", "message", candidate("syntax = \"proto3\";\nmessage M { int32 a = }").descriptions());
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().type, "PARSE");
  EXPECT_THAT(wrong.error().message, HasSubstr("proto: type.proto:2:"));
  auto absent = formal_model(
      "p.N", "message", candidate("syntax = \"proto3\";\npackage p;\nmessage M {}").descriptions());
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().type, "PARSE");
  auto outside = formal_model(
      "p.M", "message",
      candidate("syntax = \"proto3\";\npackage p;\nimport \"../../etc/passwd\";\nmessage M {}")
          .descriptions());
  ASSERT_FALSE(outside);
  EXPECT_THAT(outside.error().message, HasSubstr("File not found"));
}
TEST(Modes, ANamedModeIsOneOfSeven) {
  EXPECT_TRUE(mode_of("FULL_TRANSITIVE")->is_transitive);
  EXPECT_FALSE(mode_of("SIDEWARD"));
  EXPECT_FALSE(mode_of("NONE_TRANSITIVE"));
}

}  // namespace
}  // namespace hector::type_service
