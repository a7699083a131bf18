// What: tests of the parts that all type documents share: ids, names, cardinalities, interactions.
// Why: people write them by hand; a mistake must be found at its place, and not be read as
// something else.
// Who: ctest, in types_test.
#include "types/model/yaml_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "types/order/expression.h"

namespace hector::types {
namespace {

using namespace hector::type::v1;
using ::testing::HasSubstr;
using ::testing::Pair;

const std::string kFile = "t.yaml";

YamlNode node(const std::string& yaml) { return {YAML::Load(yaml), kFile, "the sample"}; }

/// What `read` says is wrong; "" if nothing is.
template <class Read>
std::string mistake(Read read) {
  try {
    read();
    return "";
  } catch (const YamlMistake& wrong) {
    return wrong.text;
  }
}
std::string mistake_of_id(const std::string& yaml) {
  return mistake([&] { read_id(node(yaml)); });
}

TEST(TypeId, IsANameAndAMajor) {
  EXPECT_THAT(read_id(node("diary.Calendar/12")), Pair("diary.Calendar", 12U));
  EXPECT_THAT(read_id(node("a/b/1")), Pair("a/b", 1U));
}

TEST(TypeId, WithoutANumberOfItsOwnIsRefusedAtItsPlace) {
  for (const char* const id :
       {"diary.Calendar", "/1", "a/", "a/0", "a/-1", "a/1x", "a/1.5", "a/99999999999"})
    EXPECT_THAT(mistake_of_id(id), HasSubstr("is not a type id")) << id;
  EXPECT_THAT(mistake_of_id("a"), ::testing::StartsWith("t.yaml:1:1: "));
}

std::pair<std::uint32_t, std::int32_t> members(const std::string& cardinality) {
  Role role;
  read_members("w", node("cardinality: " + cardinality), role);
  return {role.members_min(), role.members_max()};
}

TEST(Cardinality, IsANumberARangeOrOpen) {
  EXPECT_THAT(members("3"), Pair(3U, 3));
  EXPECT_THAT(members("2..5"), Pair(2U, 5));
  EXPECT_THAT(members("0..*"), Pair(0U, -1));
  Role one;
  read_members("w", node("{}"), one);
  EXPECT_EQ(one.members_min(), 1U);
  EXPECT_EQ(one.members_max(), 1);
}

TEST(Cardinality, ThatNoRoleCanHaveIsRefused) {
  for (const char* const wrong :
       {"0", "5..2", "..3", "1..", "1..x", "2x", "-1", "1...3", "4294967295", "3000000000..5"})
    EXPECT_THAT(mistake([&] { members(wrong); }), HasSubstr("is not a cardinality")) << wrong;
}

TEST(Name, MayNotBeAWordOfProtocolsUnlessItIsAnOperations) {
  EXPECT_EQ(mistake([] { check_name("take_over2", node("x")); }), "");
  for (const char* const wrong : {"end", "before", "2nd", "a-b", "a.b", ""})
    EXPECT_NE(mistake([&] { check_name(wrong, node("x")); }), "") << wrong;
  EXPECT_EQ(mistake([] { check_operation_name("end", node("x")); }), "");
}

TEST(KindOfOperation, IsNoMulticast) {
  EXPECT_EQ(read_kind(node("multicast"), KindOf::kInteraction), KIND_MULTICAST);
  EXPECT_EQ(read_kind(node("stream"), KindOf::kOperation), KIND_STREAM);
  EXPECT_THAT(mistake([] { read_kind(node("multicast"), KindOf::kOperation); }),
              HasSubstr("unknown kind 'multicast'"));
  EXPECT_THAT(mistake([] { read_kind(node("anounce"), KindOf::kOperation); }),
              HasSubstr("announce"));
}

std::string mistake_of_interaction(const std::string& yaml, InteractionForm form) {
  return mistake([&] {
    Interaction interaction;
    read_interaction("ask", node(yaml), node("ask"), {"p", "q"}, form, interaction);
  });
}

TEST(InteractionText, OfABindingNamesItsOperationAndOfAPatternMayLeaveItOut) {
  const std::string text = "{kind: rpc, from: p, to: q}";
  EXPECT_THAT(mistake_of_interaction(text, InteractionForm::kOfABinding),
              HasSubstr("has no 'operation'"));
  Interaction interaction;
  read_interaction("ask", node(text), node("ask"), {"p", "q"}, InteractionForm::kOfAPattern,
                   interaction);
  EXPECT_EQ(interaction.operation(), "ask");
}

TEST(InteractionText, GoesFromOneKnownRoleToAnother) {
  const auto said = [](const char* ends) {
    return mistake_of_interaction(std::string("{kind: rpc, operation: o, ") + ends + "}",
                                  InteractionForm::kOfABinding);
  };
  EXPECT_EQ(said("from: p, to: q"), "");
  EXPECT_THAT(said("from: p, to: p"), HasSubstr("not to its own"));
  EXPECT_THAT(said("from: p, to: r"), HasSubstr("unknown role 'r'"));
  EXPECT_THAT(said("from: p, to: q, too: q"), HasSubstr("unknown key 'too'"));
}

TEST(NamesInAProtocol, AreInteractionsAndRolesOfItsType) {
  const auto said = [](const char* protocol, const std::vector<std::string>* roles) {
    return mistake([&] {
      check_names(read_expression(node(std::string("\"") + protocol + "\"")), node("x"),
                  {"call", "bid"}, roles);
    });
  };
  const std::vector<std::string> roles{"w"};
  EXPECT_EQ(said("call ; bid[w]", &roles), "");
  EXPECT_THAT(said("call ; bit[w]", &roles), HasSubstr("unknown interaction 'bit'"));
  EXPECT_THAT(said("call ; bid[v]", &roles), HasSubstr("unknown role 'v'"));
  EXPECT_THAT(said("@v(call | bid)", &roles), HasSubstr("unknown role 'v'"));
  EXPECT_THAT(said("call ; bid[w]", nullptr), HasSubstr("an Interface's protocol has no roles"));
}

TEST(Qos, IsReadWithItsUnitsAndRefusesWhatItDoesNotKnow) {
  Qos qos;
  read_qos(node("{deadline_ms: 250, rate_max: 2.5, message_octets_max: 1024}"), qos);
  EXPECT_EQ(qos.deadline_ms(), 250U);
  EXPECT_EQ(qos.rate_max(), 2.5);
  EXPECT_EQ(qos.message_octets_max(), 1024U);
  EXPECT_THAT(mistake([] {
                Qos none;
                read_qos(node("{deadline: 250}"), none);
              }),
              HasSubstr("unknown key 'deadline'"));
  EXPECT_THAT(mistake([] {
                Qos none;
                read_qos(node("{privacy: much}"), none);
              }),
              HasSubstr("unknown privacy 'much'"));
}

}  // namespace
}  // namespace hector::types
