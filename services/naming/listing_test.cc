// What: pages, equivalent names and events as they are told.
// Why: an iterator comes back from a client, who may send any text.
// Who: ctest.
#include "listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "searches.h"

namespace hector::naming {
namespace {

using ::testing::ElementsAre;

class NamingListing : public ::testing::Test {
 protected:
  NamingListing() { context_.id = "7"; }
  Context context_;
  v1::NamingPage asked_;
};

TEST_F(NamingListing, ReadsTheFirstPageAtTheRevisionOfTheState) {
  const auto read = page_read(context_, asked_, 12);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->revision, 12);
  EXPECT_EQ(read->limit, kPageMax);
}
TEST_F(NamingListing, ReadsTheNextPageAtTheRevisionOfTheFirst) {
  StorePage page;
  page.revision = 12;
  page.next = "nm/n/7/b";
  asked_.set_iterator(page_reply(page, prefix_size(context_), Listed::kNames).iterator());
  const auto read = page_read(context_, asked_, 99);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->revision, 12);
  EXPECT_EQ(read->after, "nm/n/7/b");
}
TEST_F(NamingListing, RefusesAnIteratorThatItDidNotGive) {
  for (const char* iterator : {"x", "12", ":ab", "-1:ab", "s0123"}) {
    asked_.set_iterator(iterator);
    const auto read = page_read(context_, asked_, 12);
    ASSERT_FALSE(read) << iterator;
    EXPECT_EQ(read.error().type, "INVALID_ENUM_HANDLE");
  }
}
TEST_F(NamingListing, GivesAtMostAPage) {
  EXPECT_EQ(page_of(0), kPageMax);
  EXPECT_EQ(page_of(kPageMax), kPageMax);
  EXPECT_EQ(page_of(kPageMax + 1), kPageMax);
}
TEST_F(NamingListing, TellsAnErasedNameWithoutItsBinding) {
  StoreEvent event;
  event.kind = StoreEvent::Kind::kErase;
  event.entry.key = entries_prefix(context_) + "lp/1";
  const auto told = event_of(13, event, prefix_size(context_));
  EXPECT_TRUE(told.is_gone());
  EXPECT_EQ(told.revision(), 13);
  EXPECT_EQ(told.binding().name(), print_name({"lp/1"}));
}

TEST(EquivalentName, BeginsWithTheNameThatWasAskedFor) {
  const InitialNames initial{{"_host", {"hosts", "h"}}, {"_us", {"hosts"}}};
  v1::NamingEquivalent asked;
  asked.set_name("_host/printers/lp1");
  asked.set_leading("_us");
  const auto found = equivalent(asked, initial);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->components(), ElementsAre("_us", "h", "printers", "lp1"));
  asked.set_leading("elsewhere");
  EXPECT_EQ(equivalent(asked, initial)->components_size(), 0);
}

}  // namespace
}  // namespace hector::naming
