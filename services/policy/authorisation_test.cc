// What: rights in Cedar's language: C1 and the rules around it, expressions of each kind, and what
// is refused. Why: who may do what has to be what the policies say, and what cannot be read or
// evaluated denies. Who: ctest, in policy_test.
#include "authorisation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::policy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

v1::PolicyEntity entity(const std::string& id, const std::string& attributes = "",
                        const std::vector<std::string>& parents = {}) {
  v1::PolicyEntity made;
  made.set_id(id);
  made.set_attributes(attributes);
  for (const auto& each : parents) made.add_parents(each);
  return made;
}
void put(Authorisation& rights, const v1::PolicyEntity& entity) {
  const auto done = rights.put_entity(entity.id(), entity);
  ASSERT_TRUE(done) << done.error().message;
}
struct Realm : Authorisation {
  Realm() {
    put(*this, entity("Realm::r1"));
    put(*this, entity("Service::s1", R"({"sealed": false})", {"Realm::r1"}));
    put(*this, entity("Service::s2", R"({"sealed": true})", {"Realm::r1"}));
    auto alice = entity(
        "User::alice",
        R"({"level": 1, "tags": ["a", "b"], "boss": {"__entity": {"type": "User", "id": "bob"}},
          "address": {"city": "Ulm"}, "from": {"__extn": {"fn": "ip", "arg": "10.1.2.3"}},
          "cost": {"__extn": {"fn": "decimal", "arg": "2.5"}}})",
        {"Group::lab"});
    alice.set_tags(R"({"shift": "late"})");
    put(*this, alice);
    put(*this, entity("User::bob", R"({"level": 9})"));
    put(*this, entity("Group::lab", "", {"Group::house"}));
  }
};
v1::PolicyAuthorisation question(const std::string& principal, const std::string& resource,
                                 const std::string& context = "{}") {
  v1::PolicyAuthorisation asked;
  asked.set_principal(principal);
  asked.set_action("bind");
  asked.set_resource(resource);
  asked.set_context(context);
  return asked;
}
v1::PolicyDecision ask(const std::string& policies, const std::string& principal,
                       const std::string& resource, const std::string& context = "{}") {
  Realm rights;
  if (auto put = rights.put_rules("test", policies); !put) {
    ADD_FAILURE() << policies << ": " << put.error().message;
    return {};
  }
  auto decision = rights.decide(question(principal, resource, context));
  EXPECT_TRUE(decision) << decision.error().message;
  return decision ? *decision : v1::PolicyDecision();
}
std::string when(const std::string& condition) {
  return "permit (principal, action, resource) when { " + condition + " };";
}
bool holds(const std::string& condition, const std::string& context = "{}") {
  const auto decision = ask(when(condition), "User::alice", "Service::s1", context);
  return decision.allowed() && decision.errors().empty();
}
/// What evaluating it fails of; empty if it does not.
std::string error_of(const std::string& condition) {
  const auto decision = ask(when(condition), "User::alice", "Service::s1");
  EXPECT_FALSE(decision.allowed() && !decision.errors().empty());
  return decision.errors().empty() ? "" : decision.errors(0);
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
  EXPECT_THAT(eve.errors(), ElementsAre(HasSubstr("entity `User::\"eve\"` does not exist")));
  EXPECT_TRUE(ask(kC1, "User::bob", "Service::s1").allowed());
}
bool is_in(const std::string& principal, const std::string& group) {
  return ask("permit (principal in " + group + ", action, resource);", principal, "Service::s1")
      .allowed();
}
bool resource_is_in(const std::string& resource, const std::string& group) {
  return ask("permit (principal, action, resource in " + group + ");", "User::alice", resource)
      .allowed();
}
TEST(Authorisation, KnowsFromTheNamesOfHectorsOwnEntitiesWhatTheyAreIn) {
  const std::string ana = "Principal::\"capsule:north/ana\"",
                    north = "Principal::\"capsule:north\"";
  EXPECT_TRUE(is_in(ana, "Capsule::\"north\""));
  EXPECT_TRUE(is_in(ana, "Kind::\"object\""));
  EXPECT_FALSE(is_in(ana, "Kind::\"capsule\""));
  EXPECT_TRUE(is_in(north, "Kind::\"capsule\""));
  EXPECT_FALSE(is_in(north, "Kind::\"object\""));
  EXPECT_FALSE(is_in("Principal::\"capsule:northern\"", "Capsule::\"north\""));
  EXPECT_FALSE(is_in("Principal::\"user:capsule:north\"", "Capsule::\"north\""));
  EXPECT_TRUE(is_in("Principal::\"operator:ann\"", "Kind::\"operator\""));
  EXPECT_TRUE(is_in("Principal::\"anonymous\"", "Kind::\"anonymous\""));
  EXPECT_FALSE(is_in("Principal::\"spiffe://a.org/operator:x\"", "Kind::\"operator\""));
  EXPECT_TRUE(is_in("Principal::\"spiffe://a.org/x\"", "Domain::\"a.org\""));
  EXPECT_FALSE(is_in("Principal::\"spiffe://a.org.evil/x\"", "Domain::\"a.org\""));
  EXPECT_FALSE(is_in("Principal::\"\"", "Kind::\"operator\""));
  EXPECT_FALSE(is_in("User::\"operator:ann\"", "Kind::\"operator\""));
  EXPECT_TRUE(resource_is_in("Operation::\"a.B/1.hold\"", "Interface::\"a.B/1\""));
  EXPECT_FALSE(resource_is_in("Operation::\"a.B/12.hold\"", "Interface::\"a.B/1\""));
  EXPECT_TRUE(resource_is_in("Role::\"a.M/2.chair\"", "Binding::\"a.M/2\""));
  EXPECT_TRUE(resource_is_in("Object::\"north/ana\"", "Capsule::\"north\""));
  EXPECT_FALSE(resource_is_in("Object::\"ana\"", "Capsule::\"north\""));
}
TEST(Authorisation, KeepsWhatWasPutOfAnEntityBesideWhatItsNameSays) {
  Realm rights;
  put(rights, entity("Principal::\"capsule:north/ana\"", R"({"level": 3})", {"Group::lab"}));
  ASSERT_TRUE(rights.put_rules(
      "test",
      "permit (principal in Group::\"house\", action, resource) when { principal.level > 2 "
      "&& principal in Capsule::\"north\" };"));
  const auto decision = rights.decide(question("Principal::\"capsule:north/ana\"", "Service::s1"));
  ASSERT_TRUE(decision);
  EXPECT_TRUE(decision->allowed()) << decision->DebugString();
  EXPECT_FALSE(rights.check_entity(entity("Capsule::north", "", {"Principal::\"capsule:north\""})))
      << "it would be below itself";
}
TEST(Authorisation, AForbidThatCannotBeEvaluatedDenies) {
  const auto decision =
      ask("permit (principal, action, resource); forbid (principal, action, resource) when { "
          "resource.secret };",
          "User::bob", "Service::s1");
  EXPECT_FALSE(decision.allowed());
  EXPECT_THAT(decision.reasons(), ElementsAre("test[2]"));
  EXPECT_THAT(decision.errors(),
              ElementsAre(AllOf(StartsWith("test[2]:1:"),
                                HasSubstr("does not have the attribute `secret`"))));
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
TEST(Authorisation, WhatCedarHoldsHolds) {
  for (const char* condition : {
           // numbers
           "-9223372036854775808 < 0",
           "9223372036854775807 - 1 == 9223372036854775806",
           "2 * -3 == -6",
           "7 > 6 && 6 >= 6 && 5 <= 6 && 5 < 6 && 5 != 6",
           // texts and their escapes
           R"("\u{e9}" == "é")",
           R"("\x61nn" == "ann")",
           R"("\"\\\'\n\r\t\0" != "")",
           R"("a*b" like "a\*b")",
           R"(!("axb" like "a\*b"))",
           R"("a\\b" like "a\\*")",
           R"("" like "*" && !("" like "a*") && "abcabc" like "*a*c")",
           R"("Ünï" like "Ü*ï")",
           // attributes and paths
           R"(principal has address.city && principal.address.city == "Ulm")",
           "!(principal has address.street.name) && !(principal has none)",
           R"(principal["level"] == 1 && principal has "level" && {"a b": 1}["a b"] == 1)",
           "principal.boss.level == 9 && !(User::\"nobody\" has level)",
           // entities
           "principal in Group::\"lab\" && principal in Group::\"house\"",
           "principal in [User::\"x\", Group::\"house\"] && !(principal in [])",
           "principal is User && principal is User in Group::\"house\" && !(principal is Robot)",
           R"(User::"alice" == User :: "alice" && User::"\u{61}lice" == principal)",
           "NS::User::\"a\" != User::\"a\" && action == Action::\"bind\"",
           // sets and records
           "[1, [2, 2], {a: 1}] == [{a: 1}, [2], 1, 1] && [] == [] && [].isEmpty()",
           "[1, 2].containsAll([]) && ![1].containsAny([2]) && [\"a\", 1].contains(1)",
           "!principal.tags.isEmpty() && principal.tags.containsAny([\"b\", 7])",
           // tags
           R"(principal.hasTag("shift") && principal.getTag("shift") == "late")",
           R"(!principal.hasTag("none") && !resource.hasTag("shift"))",
           // addresses, decimals, times
           R"(ip("10.0.0.1").isInRange(ip("10.0.0.0/8")) && ip("::1").isLoopback())",
           R"(principal.from.isIpv4() && !ip("ff02::1").isIpv4() && ip("ff02::1").isMulticast())",
           R"(decimal("1.23").lessThan(decimal("1.24")) && decimal("2.50") == principal.cost)",
           R"(datetime("2024-10-15T00:00:00Z") < datetime("2024-10-15T00:00:00.001Z"))",
           R"(datetime("2024-10-15").offset(duration("1d2h")).toTime() == duration("2h"))",
           R"(datetime("2024-10-16").durationSince(datetime("2024-10-15")).toHours() == 24)",
           // what is not evaluated cannot fail
           "true || principal.none",
           "!(false && principal.none)",
           "if principal has none then principal.none else true",
       })
    EXPECT_TRUE(holds(condition)) << condition << ": " << error_of(condition);
}
TEST(Authorisation, WhatCannotBeEvaluatedSaysWhereAndPermitsNothing) {
  for (const auto& [condition, why] : std::vector<std::pair<std::string, std::string>>{
           {"9223372036854775807 + 1 > 0", "overflow"},
           {"-9223372036854775808 - 1 < 0", "overflow"},
           {"-(-9223372036854775808) == 0", "overflow"},
           {"9223372036854775807 * 2 == 0", "overflow"},
           {"1 < \"a\"", "expected"},
           {"principal.level && true", "type error: expected bool, got long"},
           {"!1", "expected bool"},
           {"principal.none == 1", "does not have the attribute `none`"},
           {"{a: 1}.b == 1", "record does not have the attribute `b`"},
           {"User::\"nobody\".level == 1", "entity `User::\"nobody\"` does not exist"},
           {"principal in [principal, 3]", "type error"},
           {"principal in 3", "type error"},
           {"[1].containsAll(1)", "expected set"},
           {"1 has a", "type error"},
           {"1 like \"a\"", "expected string"},
           {"principal.getTag(\"none\") == 1", "does not have the tag `none`"},
           {"ip(context.text).isIpv4()", "does not have the attribute `text`"},
           {"ip(principal.address.city).isIpv4()", "invalid IP address: Ulm"},
           {"decimal(principal.address.city) == principal.cost", "decimal"},
           {"context.none", "does not have the attribute `none`"},
           {"1", "expected bool"},
       }) {
    EXPECT_THAT(error_of(condition), AllOf(StartsWith("test:1:"), HasSubstr(why))) << condition;
    const auto forbid =
        ask("permit (principal, action, resource);\nforbid (principal, action, resource) when { " +
                condition + " };",
            "User::alice", "Service::s1");
    EXPECT_FALSE(forbid.allowed()) << condition;
    EXPECT_THAT(forbid.reasons(), ElementsAre("test[2]")) << condition;
    EXPECT_THAT(forbid.errors(), ElementsAre(StartsWith("test[2]:2:"))) << condition;
  }
}
TEST(Authorisation, AnnotationsTemplatesAndScopesAreCedars) {
  const auto decided = [](const std::string& text) {
    return ask(text, "User::alice", "Service::s1").allowed();
  };
  EXPECT_TRUE(decided(
      "@id(\"everybody\") @advice(\"ask\\nfirst\") @empty\npermit (principal, action, resource);"));
  EXPECT_TRUE(decided("permit (principal == User::\"\\u{61}lice\", action, resource);"));
  EXPECT_FALSE(
      decided("permit (principal, action, resource); forbid (principal == User::\"\\u{61}lice\", "
              "action, resource);"));
  EXPECT_FALSE(decided("permit (principal, action in [], resource);"));
  EXPECT_TRUE(
      decided("permit (principal is User in Group::\"house\", action in [Action::\"bind\"], "
              "resource in Realm::\"r1\");"));
  EXPECT_TRUE(decided("permit (principal, action, resource,) // a comma and a comment\n;"));
  // A template that nothing links applies to nobody.
  EXPECT_FALSE(decided("permit (principal == ?principal, action, resource);"));
  EXPECT_TRUE(decided(
      "forbid (principal == ?principal, action, resource); permit (principal, action, resource);"));
  const auto named =
      ask("permit (principal == ?principal, action, resource);\n"
          "permit (principal, action, resource);",
          "User::alice", "Service::s1");
  EXPECT_THAT(named.reasons(), ElementsAre("test[2]"));
}
TEST(Authorisation, SetsAreAskedTogetherAndNamesOfOneAreNoOthers) {
  Realm rights;
  ASSERT_TRUE(rights.put_rules("a",
                               "permit (principal, action, resource);"
                               "permit (principal is User, action, resource);"));
  ASSERT_TRUE(rights.put_rules("a[1]", "permit (principal, action, resource);"));
  const auto asked = question("User::alice", "Service::s1");
  EXPECT_THAT(rights.decide(asked)->reasons(), ElementsAre("a[1]", "a[2]", "a[1]"));
  ASSERT_TRUE(rights.put_rules("b", "forbid (principal, action, resource);"));
  EXPECT_THAT(rights.decide(asked)->reasons(), ElementsAre("b"));
  rights.remove_rules("b");
  rights.remove_rules("a");
  EXPECT_THAT(rights.decide(asked)->reasons(), ElementsAre("a[1]"));
}
TEST(Authorisation, AChangeCountsForWhatWasAskedBefore) {
  Realm rights;
  ASSERT_TRUE(rights.put_rules("p",
                               "permit (principal in Group::\"house\", action, resource) when { "
                               "principal.boss.level > 5 };"));
  const auto asked = question("User::alice", "Service::s1");
  EXPECT_TRUE(rights.decide(asked)->allowed());
  put(rights, entity("User::bob", R"({"level": 2})"));
  EXPECT_FALSE(rights.decide(asked)->allowed());
  put(rights, entity("User::bob", R"({"level": 6})"));
  EXPECT_TRUE(rights.decide(asked)->allowed());
  rights.remove_entity("Group::lab");
  EXPECT_FALSE(rights.decide(asked)->allowed());
}
TEST(Authorisation, EntitiesBehindAttributesAreFound) {
  Authorisation rights;
  const auto to = [](const std::string& id) {
    return fmt::format(R"({{"next": {{"__entity": {{"type": "N", "id": "{}"}}}}, "n": 1}})", id);
  };
  for (const auto& [id, next] : {std::pair("a", "b"), {"b", "c"}, {"c", "d"}, {"d", "a"}})
    put(rights, entity(fmt::format("N::{}", id), to(next)));
  put(rights, entity("N::e", R"({"n": 5})", {"N::far"}));
  ASSERT_TRUE(rights.put_rules("p", when("principal.next.next.next.n == 1 && context.who.n == 5 && "
                                         "context.who in N::\"far\" && N::\"e\".n == 5")));
  const auto decision =
      rights.decide(question("N::a", "N::x", R"({"who": {"__entity": {"type": "N", "id": "e"}}})"));
  EXPECT_TRUE(decision->allowed()) << decision->DebugString();
}
TEST(Authorisation, EntitiesAreReadExactly) {
  const Authorisation rights;
  for (const char* fine :
       {"", "{}", R"({"n": 9007199254740993})", R"({"n": -9223372036854775808})", R"({"n": 3.0})",
        R"({"a": {"b": [true, "x", {"__extn": {"fn": "ip", "arg": "10.0.0.0/8"}}]}})"})
    EXPECT_TRUE(rights.check_entity(entity("User::x", fine))) << fine;
  for (const char* wrong :
       {"[1]", "1", "{", R"({"n": 1.5})", R"({"n": null})", R"({"n": 9223372036854775808})",
        R"({"n": 1, "n": 2})", R"({"a": {"n": 1, "n": 2}})",
        R"({"a": {"__extn": {"fn": "ip", "arg": "300.0.0.1"}}})", R"({"n": 1} {"n": 2})", "\xff"}) {
    const auto refused = rights.check_entity(entity("User::x", wrong));
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  }
  Realm big;
  put(big, entity("User::big", R"({"number": 9007199254740993})"));
  ASSERT_TRUE(big.put_rules("p", when("principal.number == 9007199254740993")));
  EXPECT_TRUE(big.decide(question("User::big", "Service::s1"))->allowed());
}
TEST(Authorisation, AnEntityIsNotBelowItself) {
  Realm rights;
  const auto refused = rights.check_entity(entity("Group::house", "", {"Group::lab"}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("Group::\"house\" would be below itself"));
  EXPECT_FALSE(rights.check_entity(entity("Group::x", "", {"Group::x"})));
  EXPECT_TRUE(rights.check_entity(entity("Group::x", "", {"Group::lab", "Group::house"})));
}
TEST(Authorisation, WhatIsThereAndCannotBeReadDenies) {
  Realm rights;
  ASSERT_TRUE(rights.put_rules("all", "permit (principal, action, resource);"));
  const auto asked = question("User::alice", "Service::s1");
  EXPECT_TRUE(rights.decide(asked)->allowed());
  EXPECT_FALSE(
      rights.put_rules("old", "forbid (principal, action, resource) when { {a: 1, a: 2} == 1 };"));
  auto denied = *rights.decide(asked);
  EXPECT_FALSE(denied.allowed());
  EXPECT_THAT(denied.reasons(), ElementsAre("old"));
  EXPECT_THAT(denied.errors(),
              ElementsAre(AllOf(StartsWith("old:1:"), HasSubstr("put policies 'old' again"))));
  rights.remove_rules("old");
  EXPECT_TRUE(rights.decide(asked)->allowed());
  EXPECT_FALSE(rights.put_entity("User::x", entity("User::x", "{")));
  denied = *rights.decide(asked);
  EXPECT_FALSE(denied.allowed());
  EXPECT_THAT(denied.errors(), ElementsAre(HasSubstr("User::x cannot be read")));
  rights.remove_entity("User::x");
  EXPECT_TRUE(rights.decide(asked)->allowed());
}
TEST(Authorisation, WhatCannotBeReadIsRefusedWithItsPlace) {
  for (const char* text :
       {"",
        "// nothing",
        "permit",
        "permit (principal, action);",
        "permit (principal, action, resource)",
        "permit (principal, action, resource) when { };",
        "permit (principal, action, resource) when { 1 + };",
        "allow (principal, action, resource);",
        "permit (principal == ann, action, resource);",
        "permit (resource, action, principal);",
        "permit (principal, action, resource) when { {a: 1, a: 2} == {a: 2} };",
        "permit (principal, action, resource) when { {\"if\": 1}.if == 1 };",
        "permit (principal, action, resource) when { !!!!!true };",
        "permit (principal, action, resource) when { 9223372036854775808 > 0 };",
        "permit (principal, action, resource) when { \"\\q\" == \"\" };",
        "permit (principal, action, resource) when { 'a' == 'a' };",
        "permit (principal, action, resource) when { principal.level / 2 == 1 };",
        "permit (principal, action, resource) when { 1 < 2 < 3 };",
        "permit (principal, action, resource) when { nobody.level == 1 };",
        "permit (principal, action, resource) when { principal.shout() };",
        "permit (principal, action, resource) when { shout(principal) };",
        "permit (principal, action, resource) when { ?principal == principal };",
        "permit (principal, action, resource) while { true };",
        "@a(\"1\") @a(\"2\") permit (principal, action, resource);",
        "permit (principal, action == User::\"a\", resource);"}) {
    auto set = check_rules("p", text);
    ASSERT_FALSE(set) << text;
    EXPECT_EQ(set.error().type, "BAD_POLICY");
    EXPECT_THAT(set.error().message, StartsWith("BAD_POLICY: p:1:")) << text;
  }
  const auto second = check_rules("p",
                                  "permit (principal, action, resource);\n  permit (principal,\n  "
                                  "action, resource) when { é + \"ü\" };\n");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, StartsWith("BAD_POLICY: p:3:28: "));
  const auto two = check_rules("p",
                               "permit (principal, action, resource) when { a };\npermit "
                               "(principal, action, resource) when { b };");
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().reasons, ElementsAre(StartsWith("p:1:45: "), StartsWith("p:2:45: ")));
  for (const char* none :
       {"ann", "", "::", "User::", "::\"a\"", "User::\"a", "User::\"a\"b\"", "my-type::a"})
    EXPECT_FALSE(read_entity_id(none)) << none;
  EXPECT_EQ(print(*read_entity_id("A::B::\"a\\\"b\"")), "A::B::\"a\"b\"");
  EXPECT_EQ(*read_entity_id("A::b"), *read_entity_id("A::\"b\""));
  EXPECT_EQ(*read_entity_id("A::b"), *read_entity_id("A :: \"\\u{62}\" "));
  EXPECT_EQ(read_entity_id("User::\"a\nb\"")->id, "a\nb");
  EXPECT_FALSE(Realm().decide(question("User::alice", "Service::s1", "[1]")));
  EXPECT_FALSE(Realm().decide(question("User::alice", "nobody")));
}
TEST(Authorisation, NoTextIsTooDeepForAStack) {
  const auto around = [](int count, const std::string& before, const std::string& after) {
    std::string text = "permit (principal, action, resource) when { ";
    for (int i = 0; i < count; ++i) text += before;
    text += "true";
    for (int i = 0; i < count; ++i) text += after;
    return text + " };";
  };
  EXPECT_TRUE(check_rules("p", around(98, "(", ")")));
  EXPECT_TRUE(check_rules("p", around(990, "context.a && ", "")));
  EXPECT_TRUE(check_rules("p", "permit (principal, action, resource) when { \"" +
                                   std::string(5'000, '(') + "\" != \"\" }; // " +
                                   std::string(5'000, '{')));
  for (const auto& text : {around(100, "(", ")"), around(20'000, "(", ")"), around(20'000, "(", ""),
                           around(20'000, "[", "]"), around(5'000, "{a: ", "}")})
    EXPECT_THAT(check_rules("p", text).error().message, HasSubstr("100 deep")) << text.size();
  for (const auto& text : {around(1'000, "context.a && ", ""), around(4'500, "context.a && ", ""),
                           around(4'500, "context.a || ", ""), around(13'000, "1 + ", ""),
                           around(2'500, "if true then true else ", ""), around(13'000, "", ".a"),
                           around(5'000, "", "[\"a\"]")})
    EXPECT_THAT(check_rules("p", text).error().message, HasSubstr("1000 operators")) << text.size();
  EXPECT_FALSE(check_rules("p", around(30'000, "!", "")));
  EXPECT_FALSE(check_rules("p", around(30'000, "-", "")));
  EXPECT_THAT(check_rules("p", std::string(100'000, ' ')).error().message,
              HasSubstr("65536 octets"));
  // As deep as may be, and decided.
  Realm rights;
  ASSERT_TRUE(rights.put_rules("p", around(990, "principal.level == 1 && ", "")));
  EXPECT_TRUE(rights.decide(question("User::alice", "Service::s1"))->allowed());
  std::string attributes = "1";
  for (int i = 0; i < 5'000; ++i) attributes = "{\"a\": " + attributes + "}";
  EXPECT_FALSE(rights.check_entity(entity("User::deep", attributes)));
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
    auto fits = check_rules("p", text, &schema);
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
