// What: tests of History: reads at a revision, undo, compaction and the events of a range.
// Why: it is the one structure that every answer of a store comes from.
// Who: ctest, in store_engine_test.
#include "engine/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::stores {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class HistoryTest : public ::testing::Test {
 protected:
  void put(const std::string& key, const std::string& value) {
    const auto was = history.find(key, history.latest());
    history.apply({history.latest() + 1, true, key, Bytes::copy(value),
                   was ? was->created : history.latest() + 1, was ? was->version + 1 : 1});
  }
  void erase(const std::string& key) { history.apply({history.latest() + 1, false, key}); }
  std::string at(const std::string& key, Revision revision) {
    const auto found = history.find(key, revision);
    return found ? found->value.str() : "-";
  }
  std::vector<std::string> keys(StoreRead request) {
    std::vector<std::string> list;
    for (const auto& entry : history.range(request, history.latest()).entries)
      list.push_back(entry.key);
    return list;
  }
  std::vector<std::string> changes(Revision from, Revision to, const KeyRange& range) {
    std::vector<std::string> list;
    history.each_change(from, to, range, true, [&](const StoreChange& change) {
      for (const auto& event : change.events)
        list.push_back(std::to_string(change.revision) +
                       (event.kind == StoreEvent::Kind::kPut ? "+" : "-") + event.entry.key + "<" +
                       event.previous.value.str());
    });
    return list;
  }
  History history;
};

TEST_F(HistoryTest, ReadsEachRevisionAsItWas) {
  put("k", "one");
  put("k", "two");
  erase("k");
  put("k", "four");
  EXPECT_EQ(at("k", 0), "-");
  EXPECT_EQ(at("k", 1), "one");
  EXPECT_EQ(at("k", 2), "two");
  EXPECT_EQ(at("k", 3), "-");
  EXPECT_EQ(at("k", 4), "four");
  EXPECT_EQ(history.find("k", 2)->version, 2);
  EXPECT_EQ(history.find("k", 2)->created, 1);
  EXPECT_EQ(history.find("k", 4)->version, 1) << "an erased key begins again";
}

TEST_F(HistoryTest, CountsTheKeysThatExist) {
  put("a", "");
  put("b", "");
  put("a", "");
  EXPECT_EQ(history.entries(), 2U);
  erase("a");
  EXPECT_EQ(history.entries(), 1U);
  history.undo(3);
  EXPECT_EQ(history.entries(), 2U);
  history.undo(0);
  EXPECT_EQ(history.entries(), 0U);
}

TEST_F(HistoryTest, UndoLeavesNoTrace) {
  put("a", "kept");
  put("a", "undone");
  put("b", "undone");
  erase("a");
  history.undo(1);
  EXPECT_EQ(history.latest(), 1);
  EXPECT_EQ(at("a", 9), "kept");
  EXPECT_EQ(at("b", 9), "-");
  EXPECT_THAT(changes(1, 9, KeyRange::prefix("")), ElementsAre("1+a<"));
  put("b", "again");
  EXPECT_EQ(history.find("b", 2)->created, 2);
}

TEST_F(HistoryTest, CompactionForgetsOnlyWhatNoReadCanReach) {
  put("a", "1");
  put("a", "2");
  put("b", "3");
  erase("b");
  put("a", "5");
  EXPECT_THAT(history.superseded(4), ElementsAre(Pair(1, 0), Pair(3, 0), Pair(4, 0)))
      << "what the journal may drop with it";
  history.compact(4);
  EXPECT_EQ(history.compacted(), 4);
  EXPECT_EQ(at("a", 4), "2") << "the version at the compacted revision is still read";
  EXPECT_EQ(at("a", 5), "5");
  EXPECT_EQ(at("b", 5), "-");
  EXPECT_EQ(history.entries(), 1U);
  EXPECT_THAT(changes(0, 9, KeyRange::prefix("")), ElementsAre("5+a<2"));
}

TEST_F(HistoryTest, PagesARangeForwardsAndBackwards) {
  for (const char* key : {"a", "b", "c", "d", "e"}) put(key, "");
  erase("c");
  StoreRead read{{"a", "e"}};
  EXPECT_THAT(keys(read), ElementsAre("a", "b", "d"));
  read.limit = 2;
  auto page = history.range(read, history.latest());
  EXPECT_EQ(page.next, "b");
  read.after = page.next;
  EXPECT_THAT(keys(read), ElementsAre("d"));
  EXPECT_EQ(history.range(read, history.latest()).next, "") << "this was all";
  read.after.clear();
  read.reverse = true;
  EXPECT_THAT(keys(read), ElementsAre("d", "b"));
  read.after = "b";
  EXPECT_THAT(keys(read), ElementsAre("a"));
}

TEST_F(HistoryTest, AnInvertedRangeIsEmpty) {
  put("b", "");
  EXPECT_THAT(keys({{"c", "a"}}), IsEmpty());
}

TEST_F(HistoryTest, TellsTheChangesOfARangeByRevision) {
  put("in/a", "1");
  put("out", "2");
  history.apply({3, true, "in/b", Bytes::copy("3"), 3, 1});
  history.apply({3, false, "in/a", {}, 0, 0, 0, 1});
  put("in/b", "4");
  EXPECT_THAT(changes(1, 3, KeyRange::prefix("in/")),
              ElementsAre("1+in/a<", "3+in/b<", "3-in/a<1"));
  EXPECT_THAT(changes(4, 4, KeyRange::prefix("in/")), ElementsAre("4+in/b<3"));
  EXPECT_THAT(changes(2, 2, KeyRange::prefix("in/")), IsEmpty());
}

TEST_F(HistoryTest, GivesItsLatestVersionsForARewrite) {
  put("a", "old");
  put("b", "kept");
  put("a", "new");
  put("c", "");
  erase("c");
  std::vector<std::string> records;
  history.each_record([&](const Record& record) {
    records.push_back(std::to_string(record.revision) + record.key + record.value.str());
  });
  EXPECT_THAT(records, ElementsAre("2bkept", "3anew"));
}

TEST(HistoryDeathTest, StopsTheProcessWhenRevisionsGoBackwards) {
  History history;
  history.apply({7, true, "k", {}, 7, 1});
  EXPECT_DEATH(history.apply({6, true, "k", {}, 6, 1}), "backwards");
  EXPECT_DEATH(history.undo(8), "never was");
  EXPECT_DEATH(history.compact(8), "beyond");
}

}  // namespace
}  // namespace hector::stores
