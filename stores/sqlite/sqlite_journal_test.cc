// What: tests of SqliteJournal without an Engine: what it appends, loads, drops and rewrites, and
// what of a damaged file it finds.
// Why: sqlite_test.cc looks at whole stores; what a row means is decided here.
// Who: ctest, in sqlite_test.
#include "sqlite_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hector::stores {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Record put(Revision revision, std::uint32_t sub, const std::string& key, const std::string& value) {
  Record made;
  made.revision = revision;
  made.sub = sub;
  made.key = key;
  made.value = Bytes::copy(value);
  made.created = revision;
  made.version = 1;
  return made;
}
/// The first batch of a store: with it come its format and epoch.
Batch first(std::vector<Record> records) {
  Batch made;
  made.records = std::move(records);
  made.epoch = 7;
  return made;
}

class SqliteJournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "hector-journal-" + std::to_string(getpid()) + "-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    path_ = folder_ + "/store";
    open();
  }
  void TearDown() override {
    journal_.reset();
    fs::remove_all(folder_);
  }
  void open() {
    journal_.reset();
    auto made = SqliteJournal::open({path_});
    ASSERT_TRUE(made) << made.error().message;
    journal_ = std::move(*made);
  }
  void append(const Batch& batch) {
    const auto done = journal_->append(batch);
    ASSERT_TRUE(done) << done.error().message;
  }
  /// "revision.sub key=value"; its other rows in `loaded_`.
  std::vector<std::string> load() {
    std::vector<std::string> records;
    auto loaded = journal_->load([&](const Record& each) {
      records.push_back(std::to_string(each.revision) + "." + std::to_string(each.sub) + " " +
                        each.key + (each.is_put ? "=" + each.value.str() : " gone"));
    });
    error_ = loaded ? Error{} : loaded.error();
    if (loaded) loaded_ = std::move(*loaded);
    return records;
  }
  /// As the sqlite3 program does it.
  void damage(const std::string& sql) {
    journal_.reset();
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    sqlite3_close(database);
    open();
  }

  std::string folder_, path_;
  std::unique_ptr<SqliteJournal> journal_;
  Loaded loaded_;
  Error error_{};
};

TEST_F(SqliteJournalTest, OfNothingLoadsNothing) {
  EXPECT_THAT(load(), IsEmpty());
  EXPECT_EQ(error_.message, "");
  EXPECT_EQ(loaded_.epoch, 0U);
}

TEST_F(SqliteJournalTest, LoadsWhatWasAppendedInItsOrder) {
  append(first({put(1, 0, "b", "1"), put(1, 1, "a", std::string("\0x", 2))}));
  Batch more;
  more.records = {put(2, 0, "b", "")};
  more.records[0].is_put = false;
  more.granted = {{5, std::chrono::seconds(3)}, {6, std::chrono::seconds(4)}};
  more.ended = {6};
  more.outcomes = {{"key", "outcome"}, {"old", "outcome"}};
  more.forgotten = {"old"};
  append(more);
  open();
  EXPECT_THAT(load(), ElementsAre("1.0 b=1", std::string("1.1 a=\0x", 8), "2.0 b gone"));
  EXPECT_EQ(loaded_.epoch, 7U);
  EXPECT_THAT(loaded_.leases, ElementsAre(Pair(5, std::chrono::seconds(3))));
  EXPECT_THAT(loaded_.outcomes, ElementsAre(Pair("key", "outcome")));
}

TEST_F(SqliteJournalTest, KeepsNothingOfABatchThatFails) {
  append(first({put(1, 0, "a", "1")}));
  Batch twice;
  twice.records = {put(2, 0, "a", "2"), put(2, 0, "a", "3")};  // one row of the log, twice
  EXPECT_FALSE(journal_->append(twice));
  EXPECT_THAT(load(), ElementsAre("1.0 a=1"));
  Batch next;
  next.records = {put(2, 0, "a", "4")};
  append(next);
  EXPECT_THAT(load(), ElementsAre("1.0 a=1", "2.0 a=4"));
}

TEST_F(SqliteJournalTest, MayLackWhatWasCompactedAndNothingBehindIt) {
  append(first({put(1, 0, "a", "1")}));
  Batch second;
  second.records = {put(2, 0, "a", "2")};
  append(second);
  Batch compacting;
  compacting.records = {put(3, 0, "a", "3")};
  compacting.compacted = 2;
  compacting.dropped = {{1, 0}};
  append(compacting);
  EXPECT_THAT(load(), ElementsAre("2.0 a=2", "3.0 a=3"));
  EXPECT_EQ(loaded_.compacted, 2);
  damage("DELETE FROM log WHERE rev=2");
  EXPECT_THAT(load(), ElementsAre("3.0 a=3"));
  damage("UPDATE meta SET value=1 WHERE name='compacted'");
  load();
  EXPECT_EQ(error_.code, Code::kDataLoss);
  EXPECT_THAT(error_.message, HasSubstr("what comes before it is missing"));
}

TEST_F(SqliteJournalTest, FindsAValueThatWasChangedBehindItsBack) {
  append(first({put(1, 0, "a", "1")}));
  damage("UPDATE log SET v=x'32'");
  load();
  EXPECT_EQ(error_.code, Code::kDataLoss);
  EXPECT_THAT(error_.message, HasSubstr("table log, rev 1, sub 0: the checksum is wrong"));
}

TEST_F(SqliteJournalTest, RefusesTheFormatOfANewerBuild) {
  append(first({put(1, 0, "a", "1")}));
  damage("UPDATE meta SET value=99 WHERE name='format'");
  load();
  EXPECT_EQ(error_.code, Code::kFailedPrecondition);
  EXPECT_THAT(error_.message, HasSubstr("use a newer one"));
}

TEST_F(SqliteJournalTest, FindsThatTheFormatIsGone) {
  append(first({put(1, 0, "a", "1")}));
  damage("DELETE FROM meta WHERE name='format'");
  load();
  EXPECT_EQ(error_.code, Code::kDataLoss);
}

TEST_F(SqliteJournalTest, RewritesWhatItIsGivenAndGoesOn) {
  append(first({put(1, 0, "a", "1"), put(1, 1, "b", "1")}));
  History history;
  history.apply(put(1, 0, "a", "kept"));
  Loaded state;
  state.epoch = 8;
  state.outcomes = {{"key", "outcome"}};
  const auto done = journal_->rewrite(state, history);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(load(), ElementsAre("1.0 a=kept"));
  Batch next;
  next.records = {put(2, 0, "a", "2")};
  append(next);
  open();
  EXPECT_THAT(load(), ElementsAre("1.0 a=kept", "2.0 a=2"));
  EXPECT_EQ(loaded_.epoch, 8U);
  EXPECT_THAT(loaded_.outcomes, ElementsAre(Pair("key", "outcome")));
}

TEST_F(SqliteJournalTest, TakesARewrittenFileThatACrashLeftBesideIt) {
  append(first({put(1, 0, "a", "old")}));
  journal_.reset();
  auto other = SqliteJournal::open({folder_ + "/other"});
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->append(first({put(1, 0, "a", "new")})));
  other->reset();
  fs::rename(folder_ + "/other", path_ + ".recovered");
  open();
  EXPECT_THAT(load(), ElementsAre("1.0 a=new"));
  EXPECT_FALSE(fs::exists(path_ + ".recovered"));
}

TEST_F(SqliteJournalTest, HoldsItsFileAlone) {
  append(first({put(1, 0, "a", "1")}));
  const auto second = SqliteJournal::open({path_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(second.error().message, HasSubstr("is held by another process"));
}

TEST_F(SqliteJournalTest, NeedsAnAbsolutePath) {
  EXPECT_EQ(SqliteJournal::open({"store"}).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace hector::stores
