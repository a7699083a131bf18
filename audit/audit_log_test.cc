// What: a log over its life: appended to by many, rotated, cut short by a crash, opened again.
// Why: what append() acknowledged is there, in one chain, whatever happened in between.
// Who: ctest.
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include "audit/parts.h"
#include "audit/testing.h"
#include "hector/thread.h"

namespace hector::audit {
namespace {

class FixedClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return {}; }
  std::chrono::system_clock::time_point wall() const noexcept override {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(1'795'766'400'123));
  }
};

class AuditLogs : public AuditTest {
 protected:
  AuditLog open(LogOptions options = {}) {
    auto log = AuditLog::open(path(), clock_, options);
    EXPECT_TRUE(log) << log.error().text();
    return std::move(*log);
  }
  Error refused() {
    const auto log = AuditLog::open(path(), clock_);
    EXPECT_FALSE(log);
    return log ? Error{} : log.error();
  }
  /// The number of its records, which all have to follow each other.
  std::uint64_t records(const Expected& expected = {}) {
    const auto verdict = verify(parts_of(path()), expected);
    EXPECT_TRUE(verdict);
    EXPECT_FALSE(verdict->finding) << verdict->finding->message;
    return verdict->records;
  }
  static Event event(const std::string& object) {
    return {"test", "uid:1", "touch", object, Outcome::kDone};
  }

  const FixedClock clock_;
};

TEST_F(AuditLogs, SayWhoDidWhatAndWhen) {
  auto log = open();
  const auto head = log.append({"binding", "uid:1", "bind", "a", Outcome::kRefused, {"why"}});
  ASSERT_TRUE(head);
  EXPECT_EQ(log.head(), *head);
  std::vector<Record> all;
  ASSERT_EQ(read({path()}, [&](const Record& each) { all.push_back(each); }).value(), 0U);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].time, "2026-11-27T08:00:00.123Z");
  EXPECT_EQ(all[0].event.principal, "uid:1");
  EXPECT_EQ(all[0].event.outcome, Outcome::kRefused);
  EXPECT_EQ(all[0].event.reasons, std::vector<std::string>{"why"});
  EXPECT_EQ(all[0].hash, head->hash);
}

TEST_F(AuditLogs, GoOnWhereTheyEnded) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(open().append(event("a")));
  const Head head = open().head();
  EXPECT_EQ(head.sequence, 5U);
  EXPECT_EQ(records({{}, head.hash, 5}), 5U);
}

TEST_F(AuditLogs, GiveEveryThreadItsPlace) {
  constexpr int kThreads = 8, kEach = 50;
  auto log = open({.file_octets_max = 8192});
  {
    std::vector<Thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back("appends", [&log, t] {
        std::uint64_t last = 0;
        for (int i = 0; i < kEach; ++i) {
          const auto head = log.append(event(std::to_string(t) + "." + std::to_string(i)));
          ASSERT_TRUE(head);
          ASSERT_GT(head->sequence, last);  // in the order in which a thread asks
          last = head->sequence;
        }
      });
  }
  EXPECT_EQ(records({{}, log.head().hash, kThreads * kEach}), kThreads * kEach);
  EXPECT_GT(earlier_parts(path()).size(), 10U);
}

TEST_F(AuditLogs, GoOnAfterAFileThatIsFull) {
  {
    auto log = open({.file_octets_max = 1});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.append(event("a")));
  }
  EXPECT_EQ(earlier_parts(path()), (std::vector<std::uint64_t>{1, 2}));
  std::filesystem::remove(path("log.1"));  // kept elsewhere
  {
    auto log = open({.file_octets_max = 1});
    ASSERT_TRUE(log.append(event("a")));
    EXPECT_EQ(log.head().sequence, 4U);
  }
  EXPECT_EQ(earlier_parts(path()), (std::vector<std::uint64_t>{2, 3}));
  // A crash after the full file was set down, and before there was another one.
  std::filesystem::rename(path(), path("log.4"));
  ASSERT_TRUE(open().append(event("a")));
  EXPECT_EQ(open().head().sequence, 5U);
  const auto first =
      read_record(content(path("log.2")).substr(0, content(path("log.2")).find('\n')));
  ASSERT_TRUE(first);
  EXPECT_EQ(records({first->record.prev}), 4U);
}

TEST_F(AuditLogs, NeverOverwriteAPart) {
  auto log = open({.file_octets_max = 1});
  ASSERT_TRUE(log.append(event("a")));
  write(path("log.1"), "precious");
  EXPECT_EQ(log.append(event("b")).error().code, Code::kUnavailable);
  EXPECT_EQ(content(path("log.1")), "precious");
  std::filesystem::remove(path("log.1"));
  EXPECT_TRUE(log.append(event("b")));
  EXPECT_EQ(records(), 2U);
}

TEST_F(AuditLogs, SetAHalfWrittenLineAsideAndSaySo) {
  ASSERT_TRUE(open().append(event("a")));
  const std::string whole = content(path());
  for (std::size_t size = 1; size < whole.size(); size += 17) {
    write(path(), whole + whole.substr(0, size));
    auto log = open();
    ASSERT_FALSE(log.set_aside().empty());
    EXPECT_EQ(content(log.set_aside()), whole.substr(0, size));
    std::filesystem::remove(log.set_aside());
    std::vector<Record> all;
    ASSERT_EQ(read({path()}, [&](const Record& each) { all.push_back(each); }).value(), 0U);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].event.kind, "audit");
    EXPECT_EQ(all[1].event.object, log.set_aside());
    EXPECT_NE(all[1].event.reasons[0].find(std::to_string(size) + " octets"), std::string::npos);
  }
  EXPECT_TRUE(open().set_aside().empty());
  EXPECT_EQ(records(), 2U);
}

TEST_F(AuditLogs, AreNotOpenedWhereTheirRecordsDoNotFollowEachOther) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(open().append(event("a")));
  const std::string whole = content(path());
  for (std::size_t at = 0; at + 1 < whole.size(); at += 5) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write(path(), changed);
    const auto error = refused();
    ASSERT_EQ(error.code, Code::kDataLoss) << at;
    ASSERT_EQ(content(path()), changed) << "nothing is repaired";
  }
  write(path(), whole);
  EXPECT_EQ(open().head().sequence, 3U);
}

TEST_F(AuditLogs, AreNotOpenedBehindAPartThatTheyDoNotFollow) {
  {
    auto log = open({.file_octets_max = 1});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.append(event("a")));
  }
  const std::string second = content(path("log.2"));
  std::filesystem::remove(path("log.2"));
  EXPECT_EQ(refused().code, Code::kDataLoss);
  write(path("log.2"), second.substr(0, second.size() - 1));
  EXPECT_EQ(refused().code, Code::kDataLoss);
  write(path("log.2"), second);
  EXPECT_EQ(open().head().sequence, 3U);
}

TEST_F(AuditLogs, FailClosedWhileThereIsNoRoomAndAreWholeAfterwards) {
  auto log = open();
  ASSERT_TRUE(log.append(event("a")));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit limit = before;
  limit.rlim_cur = content(path()).size() + 10;
  std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  for (int i = 0; i < 3; ++i) {
    const auto full = log.append(event("lost"));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Code::kResourceExhausted);
    EXPECT_NE(full.error().message.find("not done"), std::string::npos);
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(log.append(event("b"))->sequence, 2U);
  EXPECT_EQ(content(path()).find("lost"), std::string::npos);
  EXPECT_EQ(records({{}, log.head().hash, 2}), 2U);
}

TEST_F(AuditLogs, HaveEveryRecordThatWasAcknowledgedBeforeAKill) {
  for (int round = 0; round < 10; ++round) {
    int acknowledged[2];
    ASSERT_EQ(::pipe(acknowledged), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto log = AuditLog::open(path(), clock_, {.file_octets_max = 4096});
      while (log) {
        const auto head = log->append(event("a"));
        if (!head || ::write(acknowledged[1], &head->sequence, 8) != 8) break;
      }
      ::_exit(1);
    }
    ::close(acknowledged[1]);
    std::uint64_t last = 0;
    for (int i = 0; i < 20 + round; ++i) ASSERT_EQ(::read(acknowledged[0], &last, 8), 8);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    std::uint64_t more = 0;
    while (::read(acknowledged[0], &more, 8) == 8) last = more;
    ::close(acknowledged[0]);
    EXPECT_GE(open().head().sequence, last);
    EXPECT_GE(records(), last);
  }
}

}  // namespace
}  // namespace hector::audit
