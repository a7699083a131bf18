// Rights after Cedar: C1 and the rules around it.
#include "authorisation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Entities realm() {
  Entities entities;
  const EntityId r1{"Realm", "r1"};
  entities[r1];
  entities[{"Service", "s1"}] = {*read_record(R"({"sealed": false})"), {r1}};
  entities[{"Service", "s2"}] = {*read_record(R"({"sealed": true})"), {r1}};
  entities[{"User", "alice"}] = {
      *read_record(
          R"({"level": 1, "tags": ["a", "b"], "boss": {"__entity": {"type": "User", "id": "bob"}}})"),
      {}};
  entities[{"User", "bob"}] = {*read_record(R"({"level": 9})"), {}};
  return entities;
}
v1::PolicyDecision ask(const std::string& policies, const std::string& principal,
                       const std::string& resource, const std::string& context = "{}") {
  auto set = RuleSet::read("test", policies);
  if (!set) {
    ADD_FAILURE() << set.error().message;
    return {};
  }
  return decide({*set}, realm(),
                {*read_entity_id(principal),
                 {"Action", "bind"},
                 *read_entity_id(resource),
                 *read_record(context)});
}
bool holds(const std::string& condition, const std::string& context = "{}") {
  const auto decision = ask("permit (principal, action, resource) when { " + condition + " };",
                            "User::alice", "Service::s1", context);
  return decision.allowed() && decision.errors().empty();
}

constexpr const char* kC1 = R"(
// who may bind what
permit (principal == User::"alice", action == Action::"bind", resource in Realm::"r1");
forbid (principal, action, resource) when { resource.sealed };
permit (principal, action, resource) when { principal.level > 5 };
)";

TEST(Authorisation, C1_DeniedUnlessPermittedAndNotForbidden) {
  const auto alice = ask(kC1, "User::alice", "Service::s1");
  EXPECT_TRUE(alice.allowed());
  EXPECT_THAT(alice.reasons(), ElementsAre("test[1]"));
  const auto sealed = ask(kC1, "User::alice", "Service::s2");
  EXPECT_FALSE(sealed.allowed());
  EXPECT_THAT(sealed.reasons(), ElementsAre("test[2]"));
  EXPECT_FALSE(ask(kC1, "User::bob", "Service::s2").allowed());
  const auto eve = ask(kC1, "User::eve", "Service::s1");
  EXPECT_FALSE(eve.allowed());
  EXPECT_THAT(eve.errors(), ElementsAre(HasSubstr("User::\"eve\" is not known")));
  EXPECT_TRUE(ask(kC1, "User::bob", "Service::s1").allowed());
}
TEST(Authorisation, AForbidThatCannotBeEvaluatedDenies) {
  const auto decision =
      ask("permit (principal, action, resource); forbid (principal, action, resource) when { "
          "resource.secret };",
          "User::bob", "Service::s1");
  EXPECT_FALSE(decision.allowed());
  EXPECT_THAT(decision.reasons(), ElementsAre("test[2]"));
  EXPECT_THAT(decision.errors(), ElementsAre(HasSubstr("no attribute 'secret'")));
}
TEST(Authorisation, Expressions) {
  EXPECT_TRUE(holds("principal.level == 1 && !(principal.level > 1) || false"));
  EXPECT_TRUE(holds("1 + 2 * 3 - 1 == 6 && -1 < 0 && 7 >= 7 && 1 != \"1\""));
  EXPECT_TRUE(holds("principal has level && !(principal has rank) && principal has \"tags\""));
  EXPECT_TRUE(
      holds("principal.tags.contains(\"a\") && principal.tags.containsAll([\"b\", \"a\"]) && "
            "principal.tags.containsAny([\"z\", \"a\"]) && [].isEmpty()"));
  EXPECT_TRUE(
      holds("[1, 2, 2] == [2, 1] && {a: 1, \"b\": 2} == {b: 2, a: 1} && {a: {b: 3}}.a.b == 3"));
  EXPECT_TRUE(holds(
      "principal.boss == User::\"bob\" && principal.boss.level == 9 && principal[\"level\"] == 1"));
  EXPECT_TRUE(
      holds("resource in Realm::\"r1\" && resource in [Realm::\"x\", Realm::\"r1\"] && resource in "
            "resource && principal is User && resource is Service in Realm::\"r1\""));
  EXPECT_FALSE(holds("resource is User"));
  EXPECT_TRUE(holds("\"a*bc\" like \"a\\*b*\" && \"\" like \"*\" && !(\"abc\" like \"a\\*c\")"));
  EXPECT_TRUE(holds("if context.fast then true else principal.none", "{}") == false);
  EXPECT_TRUE(holds("if context.fast then context.n == 3 else principal.none",
                    R"({"fast": true, "n": 3})"));
  EXPECT_FALSE(holds("9223372036854775807 + 1 == 0"));
  EXPECT_FALSE(holds("\"a\" < \"b\""));
}
TEST(Authorisation, ScopesAndUnless) {
  EXPECT_TRUE(ask("permit (principal is User, action in [Action::\"bind\", Action::\"call\"], "
                  "resource is Service in Realm::\"r1\") unless { resource.sealed };",
                  "User::alice", "Service::s1")
                  .allowed());
  EXPECT_FALSE(ask("permit (principal is User, action, resource) unless { resource.sealed };",
                   "User::alice", "Service::s2")
                   .allowed());
  EXPECT_FALSE(ask("permit (principal is Group, action, resource);", "User::alice", "Service::s1")
                   .allowed());
}
TEST(Authorisation, WhatCannotBeReadIsRefusedWithItsPlace) {
  for (const char* text :
       {"", "permit", "permit (principal, action);", "permit (principal, action, resource)",
        "permit (principal, action, resource) when { };",
        "permit (principal, action, resource) when { 1 + };",
        "allow (principal, action, resource);", "permit (principal == ann, action, resource);"}) {
    auto set = RuleSet::read("p", text);
    ASSERT_FALSE(set) << text;
    EXPECT_EQ(set.error().type, "BAD_POLICY");
    EXPECT_THAT(set.error().message, HasSubstr("BAD_POLICY: p:1:"));
  }
  EXPECT_THAT(
      RuleSet::read("p", "permit (principal, action, resource) when {" + std::string(5'000, '('))
          .error()
          .message,
      HasSubstr("100 deep"));
  EXPECT_THAT(
      RuleSet::read("p", "permit (principal, action, resource) when {" + std::string(5'000, '!'))
          .error()
          .message,
      HasSubstr("100 deep"));
  EXPECT_THAT(RuleSet::read("p", std::string(100'000, ' ')).error().message,
              HasSubstr("65536 octets"));
  EXPECT_FALSE(read_entity_id("ann"));
  EXPECT_FALSE(read_record("[1]"));
  EXPECT_FALSE(read_record("{\"a\": 1.5}"));
}
TEST(Authorisation, PoliciesFitTheSchema) {
  v1::PolicySchema schema;
  (*(*schema.mutable_entities())["User"].mutable_attributes())["level"] = "Long";
  (*(*schema.mutable_entities())["User"].mutable_attributes())["rank"] = "Long?";
  (*schema.mutable_entities())["Service"];
  auto& bind = (*schema.mutable_actions())["bind"];
  bind.add_principals("User");
  bind.add_resources("Service");
  const auto reasons = [&](const std::string& text) {
    auto fits = (*RuleSet::read("p", text))->check(schema);
    return fits ? std::vector<std::string>() : fits.error().reasons;
  };
  EXPECT_THAT(reasons("permit (principal, action, resource) when { principal.level > 5 };"),
              IsEmpty());
  EXPECT_THAT(reasons("permit (principal, action, resource) when { principal.age > 5 };"),
              ElementsAre(HasSubstr("have no attribute 'age'")));
  EXPECT_THAT(reasons("permit (principal, action, resource) when { principal.rank > 5 };"),
              ElementsAre(HasSubstr("ask 'principal has rank' first")));
  EXPECT_THAT(reasons("permit (principal, action, resource) when { principal has rank && "
                      "principal.rank > 5 };"),
              IsEmpty());
  EXPECT_THAT(reasons("permit (principal is Robot, action == Action::\"fly\", resource);"),
              ElementsAre(HasSubstr("no entity type 'Robot'"), HasSubstr("no action 'fly'")));
  EXPECT_THAT(reasons("forbid (principal, action, resource) when { resource.sealed };"),
              ElementsAre(HasSubstr("entities of type Service have no attribute 'sealed'")));
}

}  // namespace
}  // namespace hector::policy
