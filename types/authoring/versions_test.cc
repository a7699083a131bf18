// What: differences and breaking changes between two versions of type files.
// Why: a breaking change that is not reported breaks a running system.
// Who: types_test.
#include "types/authoring/versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::types {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TypeFile file(const std::string& yaml) {
  auto read = read_types(yaml, "t.yaml", "/");
  EXPECT_TRUE(read) << read.error().text();
  return *read;
}
TypeFile interface(const std::string& protocol, const std::string& extra = "", int major = 1) {
  return file("interface: t.I/" + std::to_string(major) +
              "\nmessages: [google/protobuf/empty.proto]\noperations:\n"
              "  a: {kind: announce, in: google.protobuf.Empty}\n"
              "  b: {kind: announce, in: google.protobuf.Empty}\n" +
              extra + "protocol: " + protocol + "\n");
}
TypeFile binding(const std::string& roles, const std::string& protocol) {
  return file("binding: t.B/1\nroles: {" + roles +
              "}\ninteractions:\n  x: {kind: announce, from: p, to: q, operation: a}\n  y: {kind: "
              "announce, from: p, to: q, operation: b}\nprotocol: " +
              protocol + "\n");
}
const std::string kTwo = "p: {interface: t.P/1}, q: {interface: t.I/1}";

std::vector<std::string> rules(const TypeFile& older, const TypeFile& newer) {
  std::vector<std::string> list;
  const auto findings = breaking_changes(older, newer);
  EXPECT_TRUE(findings) << findings.error().text();
  for (const auto& finding : *findings) list.push_back(finding.rule + " " + finding.text);
  return list;
}

TEST(Differences, AreToldALineEach) {
  const auto lines = differences(
      interface("a ; b"), interface("a | b", "  c: {kind: announce, in: google.protobuf.Empty}\n"));
  EXPECT_THAT(lines, ::testing::Contains("t.I: protocol: a ; b -> a | b"));
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("t.I: added: operations[")));
  EXPECT_THAT(differences(interface("a"), interface("a")), IsEmpty());
  EXPECT_THAT(differences(interface("a"), TypeFile{}), ElementsAre("t.I: removed"));
  EXPECT_THAT(differences(TypeFile{}, interface("a")), ElementsAre("t.I: added"));
}

TEST(BreakingChanges, AreNoneWhereTheNewerAcceptsMore) {
  EXPECT_THAT(rules(interface("a ; b"), interface("a ; b")), IsEmpty());
  EXPECT_THAT(rules(interface("a ; b"), interface("a ; b | b ; a")), IsEmpty());
}

TEST(BreakingChanges, NameTheRuleAndTheType) {
  EXPECT_THAT(rules(interface("a | b"), interface("a")), ElementsAre(HasSubstr("R1 t.I: ")));
  EXPECT_THAT(rules(interface("a"), TypeFile{}), ElementsAre("removed t.I: the Interface is gone"));
  EXPECT_THAT(rules(binding(kTwo, "x"), TypeFile{}),
              ElementsAre("removed t.B: the Binding type is gone"));
}

TEST(BreakingChanges, CompareTheHighestMajors) {
  TypeFile both = interface("a");
  both.interfaces.push_back(interface("a | b", "", 2).interfaces.at(0));
  EXPECT_THAT(rules(interface("a | b"), both), IsEmpty());
}

TEST(BreakingChanges, OfABindingTypeAreThoseOfItsRoles) {
  EXPECT_THAT(rules(binding(kTwo, "x ; y"), binding(kTwo, "x ; y")), IsEmpty());
  EXPECT_THAT(rules(binding(kTwo, "x ; y"), binding(kTwo, "y ; x")),
              ::testing::Contains(HasSubstr("t.B.q: ")));
  EXPECT_THAT(rules(binding(kTwo, "x"), binding(kTwo + ", r: {interface: t.R/1}", "x")),
              ElementsAre(HasSubstr("roles t.B.r: a new role that is not optional")));
  EXPECT_THAT(
      rules(binding(kTwo, "x"), binding(kTwo + ", r: {interface: t.R/1, optional: true}", "x")),
      IsEmpty());
  EXPECT_THAT(rules(binding(kTwo + ", r: {interface: t.R/1}", "x"), binding(kTwo, "x")),
              ElementsAre("roles t.B.r: the role is gone"));
}

TEST(BreakingChanges, OfARoleAreFewerMembersOrMoreThatMustBe) {
  const auto role = [](const std::string& rest) {
    return binding(kTwo + ", r: {interface: t.R/1" + rest + "}", "x");
  };
  const std::string few = "roles t.B.r: it may have ", had = " members, it had ";
  EXPECT_THAT(rules(role(", cardinality: 1..50"), role(", cardinality: 1..3")),
              ElementsAre(few + "1..3" + had + "1..50"));
  EXPECT_THAT(rules(role(", cardinality: 1..*"), role(", cardinality: 1..9")),
              ElementsAre(few + "1..9" + had + "1..*"));
  EXPECT_THAT(rules(role(", cardinality: 0..5"), role(", cardinality: 2..5")),
              ElementsAre(few + "2..5" + had + "0..5"));
  EXPECT_THAT(rules(role(""), role(", cardinality: 2")), ElementsAre(few + "2" + had + "1"));
  EXPECT_THAT(rules(role(", optional: true"), role("")),
              ElementsAre("roles t.B.r: it is no longer optional"));
  for (const char* wider : {"1..50", "0..3", "1..*", "1..3"})
    EXPECT_THAT(rules(role(", cardinality: 1..3"), role(std::string(", cardinality: ") + wider)),
                IsEmpty())
        << wider;
}

}  // namespace
}  // namespace hector::types
