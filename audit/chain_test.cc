// What: logs of 1,000 records of which one is altered, removed, moved or inserted, at every place.
// Why: the first bad record is named, and no other.
// Who: ctest.
#include "audit/chain.h"

#include <algorithm>

#include "audit/testing.h"

namespace hector::audit {
namespace {

constexpr std::uint64_t kRecords = 1000;

class AuditChain : public AuditTest {
 protected:
  Verdict check(const std::vector<std::string>& lines, const Expected& expected = {}) {
    return check_text(joined(lines), expected);
  }
  Verdict check_text(const std::string& text, const Expected& expected = {}) {
    write(path(), text);
    return check_files({path()}, expected);
  }
  static Verdict check_files(const std::vector<std::string>& files, const Expected& expected = {}) {
    auto verdict = verify(files, expected);
    EXPECT_TRUE(verdict) << verdict.error().text();
    return verdict ? *verdict : Verdict{};
  }
  /// "ALTERED 17 in line 17".
  static std::string told(const Verdict& verdict) {
    if (!verdict.finding) return "whole";
    return std::string(fault_name(verdict.finding->fault)) + " " +
           std::to_string(verdict.finding->sequence) + " in line " +
           std::to_string(verdict.finding->line);
  }
  static std::string here(const std::string& fault, std::uint64_t place) {
    return fault + " " + std::to_string(place) + " in line " + std::to_string(place);
  }

  const MadeLog log_ = made_log(kRecords);
};

TEST_F(AuditChain, IsWholeAsItWasWritten) {
  const auto verdict = check(log_.lines, {{}, log_.hashes.back(), kRecords});
  EXPECT_EQ(told(verdict), "whole");
  EXPECT_EQ(verdict.records, kRecords);
  EXPECT_EQ(verdict.head, (Head{kRecords, log_.hashes.back()}));
}

TEST_F(AuditChain, NamesTheRecordThatWasAlteredAtEveryPlace) {
  for (std::uint64_t i = 1; i <= kRecords; ++i) {
    auto lines = log_.lines;
    auto& line = lines[i - 1];
    line[line.find("object-")] = 'O';
    ASSERT_EQ(told(check(lines)), here("ALTERED", i));
  }
}

TEST_F(AuditChain, NamesTheRecordThatWasRemovedAtEveryPlaceButTheLast) {
  for (std::uint64_t i = 1; i < kRecords; ++i) {
    auto lines = log_.lines;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i - 1));
    ASSERT_EQ(told(check(lines)), here("REMOVED", i));
  }
}

TEST_F(AuditChain, NamesTheRecordThatWasReorderedAtEveryPlace) {
  for (std::uint64_t i = 1; i < kRecords; ++i) {
    auto lines = log_.lines;
    std::swap(lines[i - 1], lines[i]);
    ASSERT_EQ(told(check(lines)), here("REORDERED", i));
  }
}

TEST_F(AuditChain, NamesTheRecordThatWasInsertedAtEveryPlace) {
  for (std::uint64_t i = 1; i <= kRecords; i += 7) {
    const auto place = static_cast<std::ptrdiff_t>(i - 1);
    auto lines = log_.lines;
    lines.insert(lines.begin() + place, "");
    ASSERT_EQ(told(check(lines)), here("INSERTED", i));
    lines = log_.lines;
    lines.insert(lines.begin() + place + 1, lines[i - 1]);  // a copy behind it
    ASSERT_EQ(told(check(lines)),
              "INSERTED " + std::to_string(i) + " in line " + std::to_string(i + 1));
    if (i == kRecords) continue;
    lines = log_.lines;
    lines.insert(lines.begin() + place, lines.back());  // a copy from further down
    ASSERT_EQ(told(check(lines)), "INSERTED 1000 in line " + std::to_string(i));
  }
}

TEST_F(AuditChain, NamesTheFirstOfRecordsThatWereInsertedWithRightHashes) {
  for (std::uint64_t i = 0; i + 2 < kRecords; i += 97) {
    for (std::uint64_t count = 1; count < 4; ++count) {
      const Head after{i, i == 0 ? no_hash() : log_.hashes[i - 1]};
      auto lines = log_.lines;
      std::string prev = after.hash;
      for (std::uint64_t k = 1; k <= count; ++k) {
        Record forged = made_record(i + k, prev);
        forged.event.object = "forged";
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(i + k - 1), write_record(forged));
        prev = forged.hash;
      }
      ASSERT_EQ(told(check(lines)), here("INSERTED", i + 1)) << count;
    }
  }
}

TEST_F(AuditChain, NamesTheRecordThatWasAlteredAndHashedAgain) {
  for (std::uint64_t i = 1; i < kRecords; i += 37) {
    Record altered = read_record(log_.lines[i - 1])->record;
    altered.event.outcome = Outcome::kRefused;
    auto lines = log_.lines;
    lines[i - 1] = write_record(altered);
    ASSERT_EQ(told(check(lines)), here("ALTERED", i));
    altered = read_record(log_.lines[i - 1])->record;
    altered.prev = std::string(64, '1');
    lines[i - 1] = write_record(altered);
    ASSERT_EQ(told(check(lines)), here("ALTERED", i)) << "another record before it";
  }
}

TEST_F(AuditChain, NamesTheLastRecordAlteredAndHashedAgainWhereTheHeadIsKnown) {
  Record altered = read_record(log_.lines.back())->record;
  altered.event.outcome = Outcome::kRefused;
  auto lines = log_.lines;
  lines.back() = write_record(altered);
  EXPECT_EQ(told(check(lines)), "whole");  // nobody could know
  EXPECT_EQ(told(check(lines, {{}, log_.hashes.back(), kRecords})), here("ALTERED", kRecords));
  EXPECT_EQ(told(check(lines, {{}, log_.hashes.back()})), here("TRUNCATED", kRecords + 1));
}

TEST_F(AuditChain, NamesARecordThatWasMovedFarOrWithOthers) {
  auto lines = log_.lines;
  std::rotate(lines.begin() + 10, lines.begin() + 11, lines.end());
  EXPECT_EQ(told(check(lines)), here("REORDERED", 11));
  lines = log_.lines;
  std::reverse(lines.begin() + 499, lines.end());
  EXPECT_EQ(told(check(lines)), here("REORDERED", 500));
  lines = log_.lines;
  lines.erase(lines.begin() + 20, lines.begin() + 30);
  const auto verdict = check(lines);
  EXPECT_EQ(told(verdict), here("REMOVED", 21));
  EXPECT_EQ(verdict.finding->message, "records 21 to 30 are gone");
  EXPECT_EQ(verdict.records, 20U);
}

TEST_F(AuditChain, NamesTheFirstOfSeveralFaults) {
  auto lines = log_.lines;
  lines[800][5] = '?';
  lines.erase(lines.begin() + 400);
  std::swap(lines[99], lines[100]);
  EXPECT_EQ(told(check(lines)), here("REORDERED", 100));
}

TEST_F(AuditChain, FindsWhatWasCutOffItsEndWhereTheHeadOrTheCountIsKnown) {
  for (std::uint64_t left : {0, 1, 998, 999}) {
    auto lines = log_.lines;
    lines.resize(left);
    EXPECT_EQ(told(check(lines)), "whole");
    EXPECT_EQ(told(check(lines, {{}, log_.hashes.back()})), here("TRUNCATED", left + 1));
    EXPECT_EQ(told(check(lines, {{}, {}, kRecords})), here("TRUNCATED", left + 1));
  }
  // A head that was noted earlier is in a log that has grown since.
  EXPECT_EQ(told(check(log_.lines, {{}, log_.hashes[499], 500})), "whole");
  EXPECT_EQ(told(check(log_.lines, {{}, {}, 500})), "whole");
}

TEST_F(AuditChain, FindsALineWithoutAnEndAtEveryLength) {
  const std::string two = joined({log_.lines[0], log_.lines[1]});
  for (std::size_t size = log_.lines[0].size() + 2; size < two.size(); ++size)
    ASSERT_EQ(told(check_text(two.substr(0, size))), here("INCOMPLETE", 2));
  EXPECT_EQ(told(check_text(two)), "whole");
}

TEST_F(AuditChain, FindsAnyOctetThatIsAnotherOne) {
  const std::string text = joined({log_.lines[0], log_.lines[1], log_.lines[2]});
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    const auto line = std::to_string(
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    const std::string fault = at + 1 == text.size() ? "INCOMPLETE " : "ALTERED ";
    ASSERT_EQ(told(check_text(changed)), fault + line + " in line " + line) << at;
  }
}

TEST_F(AuditChain, IsRefusedWhereItIsNoLogAtAll) {
  EXPECT_EQ(told(check_text("hello\n")), here("ALTERED", 1));
  EXPECT_EQ(told(check_text(std::string(3, '\0'))), here("INCOMPLETE", 1));
  EXPECT_EQ(told(check_text(std::string(4 * kLineOctetsMax, 'x') + "\n")), here("ALTERED", 1));
  EXPECT_EQ(told(check_text(joined(log_.lines) + std::string(4 * kLineOctetsMax, 'x'))),
            here("INCOMPLETE", kRecords + 1));
  EXPECT_EQ(verify({path("none")}, {}).error().code, Code::kNotFound);
}

TEST_F(AuditChain, TakesNoRecordFromTheEndOfALineThatIsTooLong) {
  for (std::size_t read = 1; read <= 10; ++read) {  // a reader drops what it cannot keep by parts
    const std::string padding(read << 18U, 'x');
    const auto verdict = check_text(padding + log_.lines[0] + "\n" + log_.lines[1] + "\n");
    ASSERT_EQ(told(verdict), here("ALTERED", 1)) << read;
    ASSERT_EQ(verdict.records, 0U);
  }
}

TEST_F(AuditChain, GoesOnAcrossFiles) {
  const auto& lines = log_.lines;
  write(path("log.1"), joined({lines.begin(), lines.begin() + 300}));
  write(path("log.2"), joined({lines.begin() + 300, lines.begin() + 600}));
  write(path("log.10"), joined({lines.begin() + 600, lines.begin() + 900}));
  write(path("log"), joined({lines.begin() + 900, lines.end()}));
  const auto files = parts_of(path());
  EXPECT_EQ(files, (std::vector{path("log.1"), path("log.2"), path("log.10"), path("log")}));
  EXPECT_EQ(told(check_files(files)), "whole");
  const auto verdict = check_files({files[0], files[2], files[3]});
  EXPECT_EQ(told(verdict), "REMOVED 301 in line 1");
  EXPECT_EQ(verdict.finding->file, path("log.10"));
  EXPECT_EQ(told(check_files({files[1], files[2]})), "REMOVED 1 in line 1");
  EXPECT_EQ(told(check_files({files[1], files[2]}, {log_.hashes[299]})), "whole");
  EXPECT_EQ(told(check_files({files[1], files[2]}, {log_.hashes[298]})), "ALTERED 301 in line 1");
}

TEST_F(AuditChain, HasPartsThatAreNamedByNumbersAlone) {
  for (const char* name : {"log", "log.1", "log.02", "log.x", "log.3x", "log.cut-1", "logs.4"})
    write(path(name), "");
  EXPECT_EQ(parts_of(path()), (std::vector{path("log.1"), path("log")}));
  EXPECT_EQ(parts_of(path("log.1")), std::vector{path("log.1")});
  EXPECT_EQ(parts_of(path("none")), std::vector{path("none")});
}

}  // namespace
}  // namespace hector::audit
