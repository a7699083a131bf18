// What: what a watcher of a query is told.
// Why: an importer that goes by the best offer has to learn of each change of its place.
// Who: ctest.
#include "offer_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::trading {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::TradingOffer offer(const std::string& id, const std::string& price = "1") {
  v1::TradingOffer made;
  made.set_id(id);
  (*made.mutable_properties())["price"] = price;
  return made;
}

std::vector<std::string> told(const std::vector<v1::TradingOffer>& before,
                              const std::vector<v1::TradingOffer>& now) {
  std::vector<std::string> lines;
  for (const auto& each : changes_between(before, now))
    lines.push_back(v1::TradingChangeKind_Name(each.kind()) + " " + each.offer().id() + " " +
                    std::to_string(each.place()));
  return lines;
}

TEST(OfferChanges, AreNoneWhereNothingChanged) {
  EXPECT_THAT(told({offer("a"), offer("b")}, {offer("a"), offer("b")}), IsEmpty());
}
TEST(OfferChanges, TellOffersThatCome) {
  EXPECT_THAT(told({}, {offer("a"), offer("b")}),
              ElementsAre("TRADING_ENTER a 1", "TRADING_ENTER b 2"));
}
TEST(OfferChanges, TellOffersThatGoFirstWithThePlaceTheyHad) {
  EXPECT_THAT(told({offer("a"), offer("b")}, {offer("b")}),
              ElementsAre("TRADING_LEAVE a 1", "TRADING_REORDER b 1"));
}
TEST(OfferChanges, TellOffersWithOtherProperties) {
  EXPECT_THAT(told({offer("a", "1")}, {offer("a", "2")}), ElementsAre("TRADING_REORDER a 1"));
}

}  // namespace
}  // namespace hector::trading
