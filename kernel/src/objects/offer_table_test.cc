// What: OfferTable: by id, by name, by Interface; admission.
// Why: references, inbound calls and management see the same Offers.
// Who: ctest.
#include "objects/offer_table.h"

#include <gmock/gmock.h>

namespace hector {
namespace {

OfferPtr offer(std::uint64_t id, const std::string& object) {
  auto made = std::make_shared<Offer>();
  made->id = id;
  made->object = object;
  return made;
}

TEST(OfferTable, FindsAnOfferByIdAndByName) {
  OfferTable table;
  const auto ana = offer(1, "ana");
  ASSERT_TRUE(table.add(ana));
  EXPECT_EQ(table.find(1), ana);
  EXPECT_EQ(table.find_object("ana"), ana);
  EXPECT_EQ(table.find(2), nullptr);
  EXPECT_EQ(table.find_object("ben"), nullptr);
}

TEST(OfferTable, RefusesANameThatIsTakenAndKeepsTheFirst) {
  OfferTable table;
  const auto first = offer(1, "ana");
  ASSERT_TRUE(table.add(first));
  const auto refused = table.add(offer(2, "ana"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kAlreadyExists);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("'ana'"));
  EXPECT_EQ(table.find_object("ana"), first);
  EXPECT_EQ(table.find(2), nullptr);
}

TEST(OfferTable, ForgetsWhatWasRemoved) {
  OfferTable table;
  const auto ana = offer(1, "ana");
  ASSERT_TRUE(table.add(ana));
  EXPECT_EQ(table.remove("ana"), ana);
  EXPECT_EQ(table.remove("ana"), nullptr);
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_TRUE(table.all().empty());
  EXPECT_TRUE(table.add(offer(2, "ana"))) << "its name is free again";
}

TEST(OfferTable, ListsOffersByName) {
  OfferTable table;
  for (const char* name : {"cid", "ana", "ben"})
    ASSERT_TRUE(table.add(offer(static_cast<std::uint64_t>(name[0]), name)));
  std::vector<std::string> names;
  for (const auto& each : table.all()) names.push_back(each->object);
  EXPECT_THAT(names, testing::ElementsAre("ana", "ben", "cid"));
}

TEST(OfferTable, RefusesAnInterfaceThatNoObjectOffers) {
  OfferTable table;
  const auto found = table.find_interface("diary.Calendar");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kUnimplemented);
}

TEST(OfferTable, AnIdThatIsTakenEndsTheProcess) {
  OfferTable table;
  ASSERT_TRUE(table.add(offer(1, "ana")));
  EXPECT_DEATH(static_cast<void>(table.add(offer(1, "ben"))), "two Offers have one id");
}

TEST(OfferTable, ReleasingMoreThanWasReservedEndsTheProcess) {
  const auto ana = offer(1, "ana");
  EXPECT_DEATH(OfferTable::release(*ana), "released more often than reserved");
}

}  // namespace
}  // namespace hector
