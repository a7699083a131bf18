// What: records as lines: one spelling, and everything else is none.
// Why: a hash is over octets; two spellings of one record would be two records.
// Who: ctest.
#include "audit/record.h"

#include <gtest/gtest.h>

#include "audit/testing.h"
#include "audit/utf8.h"
#include "hector/sha256.h"

namespace hector::audit {
namespace {

std::string line_of(Event event) {
  Record record{7, "2026-11-27T08:00:00.123Z", fitted(event), std::string(64, 'a'), {}};
  return write_record(record);
}

TEST(AuditRecord, IsCanonicalJsonWhoseHashIsOfTheRest) {
  const std::string line = line_of(
      {"management", "uid:0", "load", "a \"b\"\n", Outcome::kRefused, {"no right", "\x01"}});
  const std::string before = R"({"action":"load")",
                    after = R"(,"kind":"management","object":"a \"b\"\n","outcome":"refused",)"
                            R"("prev":")" +
                            std::string(64, 'a') +
                            R"(","principal":"uid:0","reasons":["no right","\u0001"],"seq":7,)"
                            R"("time":"2026-11-27T08:00:00.123Z"})";
  EXPECT_EQ(line, before + R"(,"hash":")" + sha256_hex(before + after) + '"' + after);
}

TEST(AuditRecord, IsReadAsItWasWritten) {
  const Event event{"k", "p\xc3\xa4", "\\/\b\f\r\t", std::string("\0\x1f\x7f", 3), Outcome::kBegun,
                    {}};
  const auto read = read_record(line_of(event));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->is_hash_right);
  EXPECT_EQ(read->record.event.principal, event.principal);
  EXPECT_EQ(read->record.event.action, event.action);
  EXPECT_EQ(read->record.event.object, event.object);
  EXPECT_EQ(read->record.event.outcome, event.outcome);
  EXPECT_EQ(read->record.sequence, 7U);
}

TEST(AuditRecord, HasAnotherHashWhereAnyBitIsAnother) {
  const std::string line = line_of({"k", "p", "a", "o", Outcome::kDone, {"r"}});
  for (std::size_t at = 0; at < line.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = line;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const auto read = read_record(changed);
      EXPECT_FALSE(read && read->is_hash_right) << "bit " << bit << " of octet " << at;
    }
  }
}

TEST(AuditRecord, HasNoOtherSpelling) {
  const std::string line = line_of({"k", "p", "a/b", "o", Outcome::kDone, {"r", "s"}});
  ASSERT_TRUE(read_record(line));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = line;
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  EXPECT_FALSE(read_record(with("{", "{ ")));
  EXPECT_FALSE(read_record(with("a/b", "a\\/b")));
  EXPECT_FALSE(read_record(with("a/b", "\\u0061/b")));
  EXPECT_FALSE(read_record(with("a/b", "\\u000a")));  // it is \n
  EXPECT_FALSE(read_record(with("a/b", "\\u001F")));
  EXPECT_FALSE(read_record(with("a/b", "\n")));
  EXPECT_FALSE(read_record(with("a/b", "\xff")));
  EXPECT_FALSE(read_record(with("a/b", "\xed\xa0\x80")));  // a surrogate
  EXPECT_FALSE(read_record(with(":7,", ":07,")));
  EXPECT_FALSE(read_record(with(":7,", ":0,")));
  EXPECT_FALSE(read_record(with(":7,", ":-7,")));
  EXPECT_FALSE(read_record(with(":7,", ":7.0,")));
  EXPECT_FALSE(read_record(with(":7,", ":9007199254740992,")));
  EXPECT_TRUE(read_record(with(":7,", ":9007199254740991,")));
  EXPECT_FALSE(read_record(with("\"r\",\"s\"", "\"r\",\"s\",")));
  EXPECT_FALSE(read_record(with("\"done\"", "\"undone\"")));
  EXPECT_FALSE(read_record(with("00.123Z", "00Z")));
  EXPECT_FALSE(read_record(with("\"kind\":\"k\"", "\"kind\":\"k\",\"kind\":\"k\"")));
  EXPECT_FALSE(read_record(line + " "));
  EXPECT_FALSE(read_record(line.substr(0, line.size() - 1)));
  EXPECT_FALSE(read_record(""));
}

TEST(AuditRecord, TakesTextsOfTheLimitAndCutsLongerOnes) {
  const std::string full(kTextOctetsMax, 'x');
  EXPECT_EQ(fitted({"", "", "", full}).object, full);
  const std::string cut = fitted({"", "", "", full + "x"}).object;
  EXPECT_EQ(cut.size(), kTextOctetsMax);
  EXPECT_TRUE(cut.ends_with("x... [cut: 4097 octets]")) << cut.substr(4000);
  std::string wide;
  while (wide.size() <= kTextOctetsMax) wide += "\xe2\x82\xac";
  EXPECT_EQ(as_utf8(fitted({wide}).kind), fitted({wide}).kind);  // no half character
}

TEST(AuditRecord, CountsTheReasonsThatDoNotFit) {
  std::vector<std::string> reasons(kReasonsMax, "r");
  EXPECT_EQ(fitted({"", "", "", "", Outcome::kDone, reasons}).reasons, reasons);
  reasons.emplace_back("r");
  const auto kept = fitted({"", "", "", "", Outcome::kDone, reasons}).reasons;
  EXPECT_EQ(kept.size(), kReasonsMax);
  EXPECT_EQ(kept.back(), "... and 2 more");
}

TEST(AuditRecord, FitsALineAlsoAtItsLargest) {
  const std::string worst(kTextOctetsMax, '\x01');
  const std::string line = line_of(
      {worst, worst, worst, worst, Outcome::kDone, std::vector<std::string>(kReasonsMax, worst)});
  EXPECT_LE(line.size(), kLineOctetsMax);
  EXPECT_TRUE(read_record(line));
}

TEST(AuditRecord, ReplacesOctetsThatAreNoCharacter) {
  EXPECT_EQ(as_utf8("a\xff"
                    "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(as_utf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");  // overlong
  EXPECT_EQ(as_utf8("\xf4\x90\x80\x80").size(), 12U);          // above U+10FFFF
  EXPECT_EQ(as_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");  // cut
  EXPECT_EQ(as_utf8("\xf0\x9f\x98\x80\xc3\xa4"), "\xf0\x9f\x98\x80\xc3\xa4");
}

}  // namespace
}  // namespace hector::audit
