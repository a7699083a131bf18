#include "cli/output.h"

#include <gtest/gtest.h>

namespace hector {

namespace {

const std::vector<OutputRow> kRows{{"ana", {{"state", "up"}, {"language", "python"}}},
                                   {"ben", {{"language", "cpp \"17\""}}}};

TEST(Output, AlignsTheColumnsOfATableAndNamesThemInCapitals) {
  EXPECT_EQ(format_rows(kRows, "table"),
            "NAME  STATE  LANGUAGE\n"
            "ana   up     python\n"
            "ben          cpp \"17\"\n");
}

TEST(Output, SaysNoneForAnEmptyTable) { EXPECT_EQ(format_rows({}, "table"), "none\n"); }

TEST(Output, KeepsControlCharactersOffTheTerminal) {
  EXPECT_EQ(format_rows({{"a\x1b[2J", {}}}, "table"), "NAME\na?[2J\n");
}

TEST(Output, QuotesValuesInJson) {
  EXPECT_EQ(format_rows(kRows, "json"),
            "[{\"name\": \"ana\", \"state\": \"up\", \"language\": \"python\"},\n"
            " {\"name\": \"ben\", \"language\": \"cpp \\\"17\\\"\"}]\n");
}

TEST(Output, WritesAnEmptyListInEachFormatOfPrograms) {
  EXPECT_EQ(format_rows({}, "json"), "[]\n");
  EXPECT_EQ(format_rows({}, "yaml"), "[]\n");
  EXPECT_EQ(format_rows({}, "name"), "");
}

TEST(Output, WritesARowALineInJsonLines) {
  EXPECT_EQ(format_rows(kRows, "jsonl"),
            "{\"name\": \"ana\", \"state\": \"up\", \"language\": \"python\"}\n"
            "{\"name\": \"ben\", \"language\": \"cpp \\\"17\\\"\"}\n");
  EXPECT_EQ(format_rows({}, "jsonl"), "");
}

TEST(Output, WritesCountsAndTimesAsNumbers) {
  const std::vector<OutputRow> rows{
      {"7", {{"calls", "12"}, {"mean us", "3"}, {"identity", "12345678"}, {"failed", "-"}}}};
  EXPECT_EQ(format_rows(rows, "jsonl"),
            "{\"name\": \"7\", \"calls\": 12, \"mean_us\": 3, \"identity\": \"12345678\", "
            "\"failed\": \"-\"}\n");
  EXPECT_EQ(format_rows(rows, "yaml"),
            "- name: \"7\"\n  calls: 12\n  mean_us: 3\n  identity: \"12345678\"\n"
            "  failed: \"-\"\n");
}

TEST(Output, WritesRatesAsNumbersAndNoTextThatLooksLikeThem) {
  const std::vector<OutputRow> rows{
      {"ana", {{"processor %", "97"}, {"processor s", "1.5"}, {"calls/s", "0"}, {"up s", "1.2.3"}}},
      {"ben", {{"processor %", "."}, {"processor s", "1."}, {"calls/s", ""}, {"up s", "-1"}}}};
  EXPECT_EQ(
      format_rows(rows, "jsonl"),
      "{\"name\": \"ana\", \"processor_%\": 97, \"processor_s\": 1.5, \"calls/s\": 0, "
      "\"up_s\": \"1.2.3\"}\n"
      "{\"name\": \"ben\", \"processor_%\": \".\", \"processor_s\": \"1.\", \"calls/s\": \"\", "
      "\"up_s\": \"-1\"}\n");
}

TEST(Output, WritesOneNameALine) { EXPECT_EQ(format_rows(kRows, "name"), "ana\nben\n"); }

struct ExitCode {
  Error error;
  int code;
};

class ReportTest : public testing::TestWithParam<ExitCode> {};

TEST_P(ReportTest, ReturnsTheExitCodeOfTheContract) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(report(GetParam().error), GetParam().code);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "hector: " + GetParam().error.text() + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Codes, ReportTest,
    testing::Values(ExitCode{Error::invalid_argument("a"), 2},
                    ExitCode{Error::out_of_range("a"), 2}, ExitCode{Error::not_found("a"), 3},
                    ExitCode{Error::permission_denied("a"), 4},
                    ExitCode{Error::already_exists("a"), 5}, ExitCode{Error::aborted("a"), 5},
                    ExitCode{Error::unavailable("a"), 6},
                    ExitCode{Error::deadline_exceeded("a"), 6},
                    ExitCode{Error::failed_precondition("a").with_type(kIncompatible), 7},
                    ExitCode{Error::internal("a"), 1}));

}  // namespace

}  // namespace hector
