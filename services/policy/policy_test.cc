// X's precedence, the cases whose answers libX11 1.8.4 gave.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "resource_file.h"

namespace hector::policy {
namespace {

using ::testing::HasSubstr;

struct Given {
  Quarks quarks;
  Database database{quarks};
  explicit Given(std::string_view text) {
    const auto read = read_resources(text, {Dialect::kXrm}, [&](Entry entry) {
      static_cast<void>(database.put(std::move(entry)));  // X ignores what is malformed
      return Status{};
    });
    EXPECT_TRUE(read);
  }
  std::string get(std::string_view names, std::string_view classes) {
    const Entry* entry = database.get(*quarks.find_all(names), *quarks.find_all(classes));
    return entry == nullptr ? "-" : entry->value;
  }
};

std::string get(std::string_view database, std::string_view names, std::string_view classes) {
  return Given(database).get(names, classes);
}

TEST(Policy, X1_TightBeatsLoose) { EXPECT_EQ(get("*a.b: L\nx.a.b: T", "x.a.b", "X.A.B"), "T"); }
TEST(Policy, X2_AComponentBeatsASkip) { EXPECT_EQ(get("x*b: 1\nx.?.b: 2", "x.a.b", "X.A.B"), "2"); }
TEST(Policy, X4_TheFirstLevelDecidesEvenByClass) {
  EXPECT_EQ(get("x*b: 1\n*a.b: 2", "x.a.b", "X.A.B"), "1");
  EXPECT_EQ(get("X*b: 1\n*a.b: 2", "x.a.b", "X.A.B"), "1");
}
TEST(Policy, X5_AnyOneBeatsASkipAndTightBeatsLoose) {
  EXPECT_EQ(get("?.a.b: 1\n*a.b: 2", "x.a.b", "X.A.B"), "1");
  EXPECT_EQ(get("x.a*b: 1\nx*a.b: 2", "x.a.b", "X.A.B"), "1");
}
TEST(Policy, X7_WhatIsMalformedIsIgnored) {
  for (const char* each : {"x.b: 1", "x.a.?: 1", "*: 1"})
    EXPECT_EQ(get(each, "x.a.b", "X.A.B"), "-") << each;
}
TEST(Policy, X8_ARunOfBindingsIsLooseIfItHasAStar) {
  EXPECT_EQ(get("x..*a.b: 1", "x.q.a.b", "X.Q.A.B"), "1");
}
TEST(Policy, X9_TheLastOneCountsAndEscapes) {
  EXPECT_EQ(get("x.a.b: one\nx.a.b: two", "x.a.b", "X.A.B"), "two");
  EXPECT_EQ(get("x.a.b: \\ lead\\n2\\101", "x.a.b", "X.A.B"), " lead\n2A");
  EXPECT_EQ(get("x.a.b:   lead and trail \nx.c: 1", "x.a.b", "X.A.B"), "lead and trail ");
  EXPECT_EQ(get("x.a.b: joined \\\nlines", "x.a.b", "X.A.B"), "joined lines");
}
TEST(Policy, X10_TheExampleOfTheManual) {
  EXPECT_EQ(get("xmh*Paned*activeForeground: red\n*incorporate.Foreground: "
                "blue\nxmh.toc*Command*activeForeground: green\nxmh.toc*?.Foreground: "
                "white\nxmh.toc*Command.activeForeground: black",
                "xmh.toc.messageFunctions.incorporate.activeForeground",
                "Xmh.Paned.Box.Command.Foreground"),
            "black");
}

TEST(Policy, ExplainTellsEveryMatchBestFirst) {
  Given given("*b: loose\nx.a.b: exact\nx.?.b: one\nX.A.b: classes\nother: no");
  std::vector<Quark> names, classes;
  for (const auto part : {"x", "a", "b"}) names.push_back(given.quarks.find(part));
  for (const auto part : {"X", "A", "B"}) classes.push_back(given.quarks.find(part));
  std::vector<std::string> found;
  given.database.each_match(names, classes, [&](const Entry& entry, const std::vector<Way>& way) {
    EXPECT_EQ(way.size(), 3U);
    found.push_back(entry.value);
  });
  EXPECT_THAT(found, ::testing::ElementsAre("exact", "one", "classes", "loose"));
}

TEST(Policy, RemovedEntriesAreGone) {
  Given given("x.a.b: 1\n*b: 2");
  EXPECT_TRUE(*given.database.remove("x.a.b"));
  EXPECT_FALSE(*given.database.remove("x.a.b"));
  EXPECT_EQ(given.get("x.a.b", "X.A.B"), "2");
  EXPECT_EQ(given.database.size(), 1U);
  EXPECT_EQ(given.database.remove("x.?").error().type, "BAD_SPEC");
}

TEST(Policy, AQuestionThatCouldBeMetInManyWaysIsAnsweredAtOnce) {
  std::string text, question, classes;
  for (int i = 0; i < 40; ++i) {
    text += "*a";
    question += i == 0 ? "a" : ".a";
    classes += i == 0 ? "A" : ".A";
  }
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(get(text + "*zz: 1\n" + text + "*b*zz: 2", question + "." + question + ".b",
                classes + "." + classes + ".B"),
            "-");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(200));
}

TEST(Policy, HectorsDialectRefusesWithThePlaceAndKnowsMarks) {
  std::vector<Entry> entries;
  const auto read = [&](std::string_view text) {
    entries.clear();
    auto done = read_resources(text, {Dialect::kHector, "site.policy"}, [&](Entry entry) {
      entries.push_back(std::move(entry));
      return Status{};
    });
    return done ? "read" : done.error().message;
  };
  EXPECT_EQ(read("! a comment\n\nfinal *protocols: udp\n[valid-until 2027-01-31] final x.b: "
                 "1\n[valid-until 2027-01-31T12:00:00Z] *c: 2\nfinal: odd\n"),
            "read");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_TRUE(entries[0].is_final);
  EXPECT_EQ(entries[0].line, 3U);
  EXPECT_TRUE(entries[1].is_final);
  EXPECT_EQ(entries[1].valid_until_s, 1801353600);
  EXPECT_FALSE(entries[2].is_final);
  EXPECT_EQ(entries[3].spec, "final");
  EXPECT_THAT(read("a: 1\nb.: 2\n"),
              HasSubstr("site.policy:2:1: BAD_SPEC: column 3: a name must follow"));
  EXPECT_THAT(read("a: 1\n  x.? : 2\n"), HasSubstr("the last component must be a name, not '?'"));
  EXPECT_THAT(read("no separator\n"), HasSubstr("site.policy:1:4: ':' was expected"));
  EXPECT_THAT(read("[until tomorrow] a: 1\n"), HasSubstr("'[' begins [valid-until"));
  EXPECT_THAT(read("# include \"other\"\n"), HasSubstr("'other' cannot be included here"));
}

TEST(Policy, HectorsDialectReadsWhatWindowsSaves) {
  const std::string plain = "*Role.protocols: udp, \\\n  grpc\nfinal *b: 1\n\n! no more\n*c: 2\n";
  std::string windows = "\xEF\xBB\xBF";
  for (const char c : plain) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto read = [](std::string_view text, Dialect dialect) {
    std::string shown;
    EXPECT_TRUE(read_resources(text, {dialect}, [&](Entry entry) {
      shown += fmt::format("{}|{}={}\n", entry.line, entry.spec, entry.value);
      return Status{};
    }));
    return shown;
  };
  EXPECT_EQ(read(windows, Dialect::kHector), read(plain, Dialect::kHector));
  EXPECT_EQ(read(plain, Dialect::kHector), "1|*Role.protocols=udp,   grpc\n3|*b=1\n6|*c=2\n");
  EXPECT_THAT(read(windows, Dialect::kXrm), HasSubstr("=2\r")) << "X keeps every octet";
}

TEST(Policy, WhatIsWrittenIsReadBack) {
  for (const char* value : {"", "plain", " leading", "\ttab", "a\nb", "back\\slash", "trailing ",
                            "\\101", "ü", "end\r", "\r\n7"}) {
    Entry entry{"*a.?.b", value, 1, true, 1801353600};
    std::vector<Entry> back;
    ASSERT_TRUE(read_resources(write_resource(entry), {}, [&](Entry each) {
      back.push_back(std::move(each));
      return Status{};
    }));
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(back[0].value, value);
    EXPECT_EQ(back[0].spec, entry.spec);
    EXPECT_TRUE(back[0].is_final);
    EXPECT_EQ(back[0].valid_until_s, entry.valid_until_s);
  }
}

TEST(Policy, AKeyHasNoEmptyComponent) {
  for (const char* key : {"", ".", "a.", ".a", "a..b"})
    EXPECT_EQ(Quarks().find_all(key).error().type, "BAD_KEY") << key;
  EXPECT_EQ(Quarks().find_all("a.b")->size(), 2U);
}

}  // namespace
}  // namespace hector::policy
