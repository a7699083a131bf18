// Who plays which place of a Binding: names, numbers, gaps that members leave, and capsules.
#include "binding/formation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr RoleIndex kCaller{0};
constexpr RoleIndex kWorker{1};

hector::type::v1::Binding pair_type() {
  hector::type::v1::Binding type;
  type.set_name("t.Pair");
  type.set_major(1);
  type.add_roles()->set_name("caller");
  auto* worker = type.add_roles();
  worker->set_name("worker");
  worker->set_members_max(3);
  type.mutable_roles(0)->set_members_max(-1);
  return type;
}

Candidate party(const std::string& object, std::uint64_t capsule, std::uint64_t offer) {
  Candidate candidate;
  candidate.reference.object = object;
  candidate.reference.capsule_id = capsule;
  candidate.reference.offer = offer;
  return candidate;
}

class APair : public ::testing::Test {
 protected:
  APair() {
    formation_.id = 0xab;
    formation_.add(kCaller, party("ana", 1, 11));
    formation_.add(kWorker, party("bo", 2, 12));
    formation_.add(kWorker, party("cy", 2, 13));
  }
  Formation formation_{pair_type()};
};

TEST_F(APair, FindsRolesByName) {
  EXPECT_EQ(formation_.find_role("worker"), kWorker);
  EXPECT_EQ(formation_.find_role("boss"), std::nullopt);
  const auto unknown = formation_.role_of("boss");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kInvalidArgument);
  EXPECT_THAT(unknown.error().message, HasSubstr("roles are caller, worker"));
  EXPECT_EQ(formation_.count_max(kCaller), std::nullopt) << "any number";
  EXPECT_EQ(formation_.count_max(kWorker), 3U);
}

TEST_F(APair, SaysWhichMembersThereAre) {
  const auto unknown = formation_.place_of("worker", 7);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kNotFound);
  EXPECT_THAT(unknown.error().message, HasSubstr("it has 0 (bo), 1 (cy)"));
  EXPECT_EQ(formation_.find({kWorker, MemberIndex(7)}), nullptr);
  EXPECT_EQ(formation_.find({RoleIndex(9), MemberIndex(0)}), nullptr);
}

TEST_F(APair, GivesTheNumberOfAMemberThatLeftToTheNext) {
  const Place bo{kWorker, MemberIndex(0)};
  formation_.remove(bo);
  EXPECT_EQ(formation_.count(kWorker), 1U);
  EXPECT_TRUE(formation_.is_place(bo)) << "the number was given";
  EXPECT_FALSE(formation_.place_of("worker", 0)) << "and nobody has it";
  EXPECT_THAT(formation_.view().absent[kWorker], ElementsAre(0U));
  EXPECT_EQ(formation_.view().members[kWorker], 2U);
  EXPECT_EQ(formation_.add(kWorker, party("di", 3, 14)), bo);
  EXPECT_EQ(formation_.add(kWorker, party("ed", 3, 15)), (Place{kWorker, MemberIndex(2)}));
}

TEST_F(APair, ListsPlacesAndCapsulesWithoutForeignServers) {
  EXPECT_THAT(formation_.places(), SizeIs(3));
  EXPECT_THAT(formation_.capsules(), SizeIs(2)) << "two workers are in one capsule";
  formation_.add(kWorker, Candidate{});  // a foreign server
  EXPECT_THAT(formation_.places(), SizeIs(3));
  EXPECT_EQ(formation_.count(kWorker), 3U);
}

TEST_F(APair, SpeaksOfPlacesInWordsAndOnTheWire) {
  const Place cy{kWorker, MemberIndex(1)};
  EXPECT_EQ(formation_.text(cy), "worker 1");
  const auto wire = formation_.to_wire(cy);
  EXPECT_EQ(wire.binding(), 0xabU);
  EXPECT_EQ(wire.role(), "worker");
  EXPECT_EQ(wire.member(), 1U);
  EXPECT_EQ(formation_.find_place(wire.role(), wire.member()), cy);
}

TEST_F(APair, StopsTheProcessWhenAPlaceIsAskedForWhereNobodyIs) {
  EXPECT_DEATH(static_cast<void>(formation_.at({kWorker, MemberIndex(2)})), "where nobody is");
  EXPECT_DEATH(formation_.remove({kWorker, MemberIndex(2)}), "not there");
  EXPECT_DEATH(static_cast<void>(formation_.role(RoleIndex(2))), "another Binding type");
}

TEST(FormationOfNoType, IsEmpty) {
  EXPECT_THAT(Formation().roles(), IsEmpty());
  EXPECT_THAT(Formation().places(), IsEmpty());
}

}  // namespace
}  // namespace hector
