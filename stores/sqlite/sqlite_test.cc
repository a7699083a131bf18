// What: tests of the SQLite provider when it is killed, when the power fails, when the disk is
// full, fails or has flipped a bit.
// Why: what was acknowledged survives all of it, and damage is found before it is read.
// Who: ctest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/testing/waiting.h"
#include "engine/engine.h"
#include "hector/system.h"
#include "power_cut_vfs.h"
#include "sqlite_journal.h"

namespace hector::stores {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::uint64_t seed_of_run() {
  const char* given = std::getenv("HECTOR_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}
int rounds(int usual) {
  const char* given = std::getenv("HECTOR_ROUNDS");
  return given != nullptr ? std::atoi(given) : usual;
}

struct World {
  std::unique_ptr<Clock> clock = make_system_clock();
  std::unique_ptr<Random> random = make_system_random();
  std::unique_ptr<Log> log = make_log(LogFormat::kText, Level::kError, "test");
  std::unique_ptr<EventLoops> loops = make_event_loops(1);
  Result<std::unique_ptr<Engine>> open(SqliteOptions options) {
    auto journal = HECTOR_TRY(SqliteJournal::open(std::move(options)));
    return Engine::make({clock.get(), random.get(), loops.get(), log.get()}, std::move(journal));
  }
};

class Sqlite : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "hector-sqlite-" + std::to_string(getpid()) + "-" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::create_directories(folder_);
    path_ = folder_ + "/store";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string folder_, path_;
};

/// Both halves of a pair are written together: what is half done shows.
StoreTransaction pair(const std::string& name, std::uint64_t value) {
  const Bytes bytes = Bytes::take(std::to_string(value));
  return {{},
          {StoreOperation::put("left/" + name, bytes), StoreOperation::put("right/" + name, bytes)},
          {},
          {}};
}

/// Writes pairs on four threads for ever and tells each acknowledgement. Never returns.
[[noreturn]] void write_until_killed(const std::string& path, int out, const std::string& dies_at,
                                     int dies_after) {
  World world;
  std::atomic<int> steps{0};
  auto store = world.open({path, {}, [&](const char* step) {
                             if (dies_at == step && ++steps >= dies_after) _exit(9);
                           }});
  if (!store) _exit(3);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t value = 1;; ++value) {
        const std::string name = std::to_string(t) + "." + std::to_string(value % 7);
        auto done = commit_and_wait(**store, pair(name, value));
        if (!done) _exit(4);
        char line[64];
        const int size = std::snprintf(line, sizeof line, "%ld %s %lu\n", done->revision,
                                       name.c_str(), static_cast<unsigned long>(value));
        if (::write(out, line, static_cast<std::size_t>(size)) != size) _exit(5);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  _exit(6);
}

struct Acknowledged {
  std::map<std::string, std::uint64_t> values;
  Revision revision = 0;
};

/// One round: a writer that dies; what it was told is added.
void one_round(const std::string& path, const std::string& dies_at, int dies_after, Duration lives,
               Acknowledged& told) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    ::close(ends[0]);
    write_until_killed(path, ends[1], dies_at, dies_after);
  }
  ::close(ends[1]);
  if (dies_at.empty()) {
    waiting::spend(lives, "it writes until it is killed");
    kill(writer, SIGKILL);
  }
  std::string text;
  char buffer[65536];
  for (ssize_t size; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  waitpid(writer, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 9)
      << "the writer ended with " << WEXITSTATUS(status);
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  Revision revision = 0;
  std::string name;
  std::uint64_t value = 0;
  Revision newest = told.revision;
  std::map<std::string, std::pair<Revision, std::uint64_t>> latest;
  while (lines >> revision >> name >> value) {
    ASSERT_GT(revision, told.revision) << "revisions go on where they were";
    newest = std::max(newest, revision);
    auto& last = latest[name];
    if (revision > last.first) last = {revision, value};
  }
  told.revision = newest;
  for (const auto& [each, last] : latest) told.values[each] = last.second;
}

/// Everything acknowledged is there, or something later of the same writer; both halves are equal.
void verify(const std::string& path, Acknowledged& told) {
  World world;
  const auto started = world.clock->now();
  auto store = world.open({path});
  ASSERT_TRUE(store) << store.error().text();
  ASSERT_LT(world.clock->now() - started, std::chrono::seconds(2));
  ASSERT_GE((*store)->health().revision, told.revision);
  told.revision = (*store)->health().revision;
  auto left = read_and_wait(**store, {KeyRange::prefix("left/")}),
       right = read_and_wait(**store, {KeyRange::prefix("right/")});
  ASSERT_EQ(left->entries.size(), right->entries.size());
  std::map<std::string, std::uint64_t> stored;
  for (std::size_t i = 0; i < left->entries.size(); ++i) {
    ASSERT_EQ(left->entries[i].value.view(), right->entries[i].value.view())
        << left->entries[i].key << ": half done";
    ASSERT_EQ(left->entries[i].modified, right->entries[i].modified);
    stored[left->entries[i].key.substr(5)] = std::stoull(left->entries[i].value.str());
  }
  for (const auto& [name, value] : told.values) {
    ASSERT_TRUE(stored.contains(name)) << name;
    // One more round of the writer's seven names may have been written and not yet told.
    ASSERT_TRUE(stored[name] == value || stored[name] == value + 7)
        << name << " is " << stored[name] << ", acknowledged was " << value;
    told.values[name] = stored[name];
  }
}

TEST_F(Sqlite, S7_KilledAtRandomMomentsItLosesNothingAcknowledged) {
  const std::uint64_t seed = seed_of_run();
  std::mt19937_64 random(seed);
  Acknowledged told;
  const int count = rounds(200);
  for (int i = 0; i < count; ++i) {
    one_round(path_, {}, 0, std::chrono::microseconds(1'000 + random() % 30'000), told);
    told.values.clear();  // each writer counts from the beginning
    ASSERT_FALSE(HasFatalFailure()) << "round " << i << ", HECTOR_SEED=" << seed;
    verify(path_, told);
    ASSERT_FALSE(HasFatalFailure()) << "round " << i << ", HECTOR_SEED=" << seed;
  }
  std::printf("%d rounds of kill -9, %ld revisions\n", count, static_cast<long>(told.revision));
}

TEST_F(Sqlite, S7_KilledAtEachStepItLosesNothingAcknowledged) {
  Acknowledged told;
  for (const char* step :
       {"store.begin", "store.begun", "store.record", "store.commit", "store.committed"}) {
    for (const int after : {1, 2, 3, 10, 50, 51, 52}) {
      told.values.clear();
      one_round(path_, step, after, {}, told);
      ASSERT_FALSE(HasFatalFailure()) << step << " " << after;
      verify(path_, told);
      ASSERT_FALSE(HasFatalFailure()) << step << " " << after;
    }
  }
}

Batch batch_of(Revision& revision, std::mt19937_64& random) {
  Batch batch;
  const int revisions = 1 + static_cast<int>(random() % 3);
  for (int r = 0; r < revisions; ++r) {
    ++revision;
    const std::uint32_t keys = 1 + random() % 4;
    for (std::uint32_t k = 0; k < keys; ++k) {
      Record record{
          revision,
          true,
          "k" + std::to_string(random() % 20) + "/" + std::to_string(k),
          Bytes::take(std::string(random() % 3'000, static_cast<char>('a' + revision % 26))),
          revision,
          1};
      record.sub = k;
      batch.records.push_back(std::move(record));
    }
  }
  return batch;
}

TEST_F(Sqlite, S8_APowerCutLosesNothingAcknowledged) {
  const std::uint64_t seed = seed_of_run();
  const int count = rounds(1'000);
  std::mt19937_64 random(seed);
  PowerCutVfs vfs(seed);
  constexpr int kRoundsOfAFile = 40;
  SqliteOptions options;
  Revision acknowledged = 0, attempted = 0;
  std::uint64_t records = 0, in_flight = 0;
  Revision revisions = 0;
  for (int i = 0; i < count; ++i) {
    if (i % kRoundsOfAFile == 0) {
      options = {"/power/store" + std::to_string(i), vfs.name(), {}};
      revisions += std::exchange(acknowledged, 0);
      attempted = 0;
      records = 0;
      vfs.forget();
    }
    auto journal = SqliteJournal::open(options);
    ASSERT_TRUE(journal) << journal.error().text() << " round " << i << ", HECTOR_SEED=" << seed;
    Revision last = 0;
    std::uint64_t found = 0;
    auto loaded = (*journal)->load([&](const Record& record) {
      last = record.revision;
      ++found;
    });
    ASSERT_TRUE(loaded) << loaded.error().text() << " round " << i << ", HECTOR_SEED=" << seed;
    ASSERT_TRUE(last == acknowledged || last == attempted)
        << "stored " << last << ", acknowledged " << acknowledged << ", attempted " << attempted
        << ", round " << i << ", HECTOR_SEED=" << seed;
    ASSERT_EQ(found, last == acknowledged ? records : records + in_flight)
        << "round " << i << ", HECTOR_SEED=" << seed;
    records = found;
    acknowledged = last;
    vfs.cut_at(1 + static_cast<int>(random() % 120));
    for (;;) {
      attempted = acknowledged;
      const Batch batch = batch_of(attempted, random);
      in_flight = batch.records.size();
      if (!(*journal)->append(batch)) break;
      acknowledged = attempted;
      records += in_flight;
    }
    journal->reset();
    vfs.restore_power();
  }
  std::printf("%d power cuts, %ld revisions, seed %lu\n", count, static_cast<long>(revisions),
              static_cast<unsigned long>(seed));
}

TEST_F(Sqlite, AFullDiskRefusesWritesAndReadsGoOn) {
  PowerCutVfs vfs(1);
  World world;
  auto store = world.open({"/full/store", vfs.name(), {}});
  ASSERT_TRUE(store);
  ASSERT_TRUE(commit_and_wait(**store, pair("a", 1)));
  vfs.is_full = true;
  for (int i = 0; i < 3; ++i) {
    const auto refused = commit_and_wait(**store, pair("a", 2));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("make room on the disk"));
  }
  EXPECT_EQ(read_and_wait(**store, {KeyRange::one("left/a")})->entries.at(0).value.view(), "1");
  EXPECT_EQ((*store)->health().revision, 1);
  vfs.is_full = false;
  const auto done = commit_and_wait(**store, pair("a", 3));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->revision, 2);
}

TEST_F(Sqlite, ARealDiskThatIsFullRefusesWritesAndRecovers) {
  // A limit on a file's size is what a child of this process can set for itself; SQLite meets it as
  // a short write.
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{400 * 1024, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    World world;
    auto store = world.open({path_});
    if (!store) _exit(2);
    int written = 0;
    Result<StoreOutcome> last = StoreOutcome{};
    while (written < 1'000 && last) {
      last = commit_and_wait(**store, {{},
                                       {StoreOperation::put("k" + std::to_string(written),
                                                            Bytes::take(std::string(10'000, 'x')))},
                                       {},
                                       {}});
      written += last.has_value();
    }
    if (last || written == 0) _exit(3);
    // The first one crosses the limit, the next ones begin beyond it.
    for (int i = 0; i < 3; ++i) {
      if (last.error().code != Code::kResourceExhausted) _exit(6);
      const StoreOperation put = StoreOperation::put("full", Bytes::take(std::string(10'000, 'x')));
      last = commit_and_wait(**store, {{}, {put}, {}, {}});
      if (last) _exit(7);
    }
    if (read_and_wait(**store, {KeyRange::prefix("k")})->entries.size() !=
        static_cast<std::size_t>(written))
      _exit(4);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    const bool recovers = waiting::until([&] {
      const StoreOperation put = StoreOperation::put("after", Bytes::copy("x"));
      return commit_and_wait(**store, {{}, {put}, {}, {}}).has_value();
    });
    _exit(recovers ? 0 : 5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  World world;
  auto store = world.open({path_});
  ASSERT_TRUE(store) << store.error().text();
  EXPECT_EQ(read_and_wait(**store, {KeyRange::one("after")})->entries.size(), 1U);
}

/// SQLite's own file system, whose synchronisation fails when told.
class FailingSync {
 public:
  FailingSync() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "failing-sync";
    vfs_.pAppData = this;
    vfs_.pNext = nullptr;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = open;
    vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int synced) {
      return real(vfs)->xDelete(real(vfs), name, synced);
    };
    vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* out) {
      return real(vfs)->xAccess(real(vfs), name, flags, out);
    };
    vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* out) {
      return real(vfs)->xFullPathname(real(vfs), name, size, out);
    };
    methods_.iVersion = 1;
    methods_.xClose = [](sqlite3_file* file) { return inner(file)->pMethods->xClose(inner(file)); };
    methods_.xRead = [](sqlite3_file* file, void* out, int size, sqlite3_int64 at) {
      return inner(file)->pMethods->xRead(inner(file), out, size, at);
    };
    methods_.xWrite = [](sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
      return inner(file)->pMethods->xWrite(inner(file), data, size, at);
    };
    methods_.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
      return inner(file)->pMethods->xTruncate(inner(file), size);
    };
    methods_.xSync = [](sqlite3_file* file, int how) {
      return fails ? SQLITE_IOERR_FSYNC : inner(file)->pMethods->xSync(inner(file), how);
    };
    methods_.xFileSize = [](sqlite3_file* file, sqlite3_int64* out) {
      return inner(file)->pMethods->xFileSize(inner(file), out);
    };
    methods_.xLock = [](sqlite3_file* file, int how) {
      return inner(file)->pMethods->xLock(inner(file), how);
    };
    methods_.xUnlock = [](sqlite3_file* file, int how) {
      return inner(file)->pMethods->xUnlock(inner(file), how);
    };
    methods_.xCheckReservedLock = [](sqlite3_file* file, int* out) {
      return inner(file)->pMethods->xCheckReservedLock(inner(file), out);
    };
    methods_.xFileControl = [](sqlite3_file* file, int what, void* with) {
      return inner(file)->pMethods->xFileControl(inner(file), what, with);
    };
    methods_.xSectorSize = [](sqlite3_file* file) {
      return inner(file)->pMethods->xSectorSize(inner(file));
    };
    methods_.xDeviceCharacteristics = [](sqlite3_file* file) {
      return inner(file)->pMethods->xDeviceCharacteristics(inner(file));
    };
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FailingSync() {
    sqlite3_vfs_unregister(&vfs_);
    fails = false;
  }
  static inline std::atomic<bool> fails{false};

 private:
  struct File {
    sqlite3_file base;
    std::int64_t alignment;
  };
  static sqlite3_vfs* real(sqlite3_vfs* vfs) {
    return static_cast<FailingSync*>(vfs->pAppData)->real_;
  }
  static sqlite3_file* inner(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
  }
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    const int code = real(vfs)->xOpen(real(vfs), name, inner(file), flags, out);
    file->pMethods = inner(file)->pMethods == nullptr
                         ? nullptr
                         : &static_cast<FailingSync*>(vfs->pAppData)->methods_;
    return code;
  }
  sqlite3_vfs vfs_{};
  sqlite3_vfs* real_ = nullptr;
  sqlite3_io_methods methods_{};
};

TEST_F(Sqlite, AFailedSynchronisationIsNeverTriedAgainAsIfNothingWere) {
  FailingSync vfs;
  World world;
  std::unique_ptr<Log> quiet = make_log(LogFormat::kText, Level::kError, "test");
  auto store = world.open({path_});
  ASSERT_TRUE(store) << store.error().text();
  ASSERT_TRUE(commit_and_wait(**store, pair("a", 1)));
  FailingSync::fails = true;
  const auto unknown = commit_and_wait(**store, pair("a", 2));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().type, kOutcomeUnknown);
  EXPECT_FALSE((*store)->health().is_writable);
  const auto refused = commit_and_wait(**store, pair("a", 3));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("read-only"));
  EXPECT_EQ(read_and_wait(**store, {KeyRange::one("left/a")})->entries.at(0).value.view(), "1");
  FailingSync::fails = false;
  Result<StoreOutcome> recovered = fail(Error{});
  ASSERT_TRUE(waiting::until([&] {
    recovered = commit_and_wait(**store, pair("a", 4));
    return recovered.has_value();
  })) << recovered.error().text();
  store->reset();
  auto again = world.open({path_});
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(read_and_wait(**again, {KeyRange::one("right/a")})->entries.at(0).value.view(), "4");
}

TEST_F(Sqlite, ARewriteThatWasCutShortIsFinishedOrForgotten) {
  World world;
  {
    auto store = world.open({path_});
    ASSERT_TRUE(commit_and_wait(**store, pair("a", 1)));
  }
  fs::copy_file(path_, path_ + ".recovered");
  std::ofstream(path_ + "-wal") << "of another file";
  std::ofstream(path_) << "not trusted";
  std::ofstream(path_ + ".new") << "not finished";
  auto store = world.open({path_});
  ASSERT_TRUE(store) << store.error().text();
  EXPECT_EQ(read_and_wait(**store, {KeyRange::one("left/a")})->entries.at(0).value.view(), "1");
  EXPECT_FALSE(fs::exists(path_ + ".recovered"));
  EXPECT_FALSE(fs::exists(path_ + ".new"));
}

TEST_F(Sqlite, OneProcessAtATimeHoldsTheFile) {
  World world;
  auto store = world.open({path_});
  ASSERT_TRUE(store);
  const auto second = world.open({path_});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(second.error().message, HasSubstr("held by another process"));
  EXPECT_THAT(world.open({"relative"}).error().message, HasSubstr("absolute path"));
}

TEST_F(Sqlite, AFlippedBitIsFoundAndNeverRead) {
  World world;
  {
    auto store = world.open({path_});
    for (int i = 0; i < 40; ++i)
      ASSERT_TRUE(commit_and_wait(
          **store,
          {{},
           {StoreOperation::put("key" + std::to_string(i),
                                Bytes::take(std::string(300, static_cast<char>('a' + i % 26))))},
           {},
           {}}));
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  ASSERT_GT(whole.size(), 10'000U);
  const std::uint64_t seed = seed_of_run();
  std::mt19937_64 random(seed);
  int refused = 0, harmless = 0;
  for (int i = 0; i < rounds(600); ++i) {
    const std::size_t bit = random() % (whole.size() * 8);
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    for (const char* rest : {"-wal", "-journal"}) fs::remove(path_ + rest);
    std::ofstream(path_, std::ios::binary) << flipped;
    auto store = world.open({path_});
    if (!store) {
      EXPECT_THAT(store.error().code,
                  ::testing::AnyOf(Code::kDataLoss, Code::kUnavailable, Code::kFailedPrecondition))
          << store.error().text();
      ++refused;
      continue;
    }
    ++harmless;  // free pages, unused octets, statistics
    auto page = read_and_wait(**store, {KeyRange::prefix("key")});
    ASSERT_EQ(page->entries.size(), 40U) << "bit " << bit << ", HECTOR_SEED=" << seed;
    for (const auto& entry : page->entries) {
      const int number = std::stoi(entry.key.substr(3));
      ASSERT_EQ(entry.value.str(), std::string(300, static_cast<char>('a' + number % 26)))
          << "bit " << bit << ", HECTOR_SEED=" << seed;
    }
  }
  std::printf("flipped bits: %d refused, %d without effect\n", refused, harmless);
  EXPECT_GT(refused, 0);
}

TEST_F(Sqlite, AMissingRowIsRefusedWithItsPlace) {
  World world;
  {
    auto store = world.open({path_});
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(commit_and_wait(**store, pair("a", static_cast<std::uint64_t>(i))));
  }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  sqlite3_exec(database, "DELETE FROM log WHERE rev=5 AND sub=0", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  const auto refused = world.open({path_});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, kStoreCorrupt);
  EXPECT_THAT(refused.error().message,
              HasSubstr("table log, rev 5, sub 1: what comes before it is missing"));
}

TEST_F(Sqlite, AMissingRowOfMetaIsRefused) {
  for (const std::string name : {"epoch", "format", "%"}) {
    fs::remove(path_);
    World world;
    {
      auto store = world.open({path_});
      ASSERT_TRUE(commit_and_wait(**store, pair("a", 1)));
    }
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    sqlite3_exec(database, ("DELETE FROM meta WHERE name LIKE '" + name + "'").c_str(), nullptr,
                 nullptr, nullptr);
    sqlite3_close(database);
    const auto refused = world.open({path_});
    ASSERT_FALSE(refused) << "without it the store would begin a new epoch over an old log";
    EXPECT_EQ(refused.error().type, kStoreCorrupt);
    EXPECT_THAT(refused.error().message, HasSubstr(name == "%" ? "no epoch" : name));
  }
}

TEST_F(Sqlite, AHundredThousandRecordsAreReadInTwoSeconds) {
  World world;
  {
    auto store = world.open({path_});
    std::vector<std::thread> writers;
    for (int t = 0; t < 20; ++t) {
      writers.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          StoreTransaction transaction;
          for (int k = 0; k < 100; ++k)
            transaction.then.push_back(StoreOperation::put(
                "k/" + std::to_string((t * 50 + i) * 100 + k), Bytes::take(std::string(128, 'x'))));
          ASSERT_TRUE(commit_and_wait(**store, std::move(transaction)));
        }
      });
    }
    for (auto& writer : writers) writer.join();
  }
  const auto started = world.clock->now();
  auto store = world.open({path_});
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->health().entries, 100'000U);
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(world.clock->now() - started);
  std::printf("100,000 records read in %ld ms\n", static_cast<long>(took.count()));
  EXPECT_LT(took, std::chrono::seconds(2));
}

}  // namespace
}  // namespace hector::stores
