// What: json_quoted and read_file.
// Why: logs and lists are read by programs.
// Who: base_test.
#include "base/text/quoted.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/text/read_file.h"

namespace hector {
namespace {

TEST(JsonQuoted, EscapesQuotesBackslashesAndControlCharacters) {
  EXPECT_EQ(json_quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_quoted(std::string_view("\n\x1f\0", 3)), R"("\u000a\u001f\u0000")");
  EXPECT_EQ(json_quoted("Zürich"), "\"Zürich\"") << "UTF-8 stays as it is";
  EXPECT_EQ(json_quoted(""), "\"\"");
}

TEST(ReadFile, GivesEveryOctet) {
  const std::string path = ::testing::TempDir() + "read_file_test";
  const std::string octets = std::string(100'000, 'x') + std::string("\r\n\0", 3);
  std::ofstream(path, std::ios::binary) << octets;
  EXPECT_EQ(read_file(path), octets);
  std::remove(path.c_str());
}

TEST(ReadText, LeavesOutTheMarkAndWhatWindowsAddsToLineEnds) {
  const std::string path = ::testing::TempDir() + "read_text_test";
  for (const std::string mark : {"", "\xEF\xBB\xBF"}) {
    for (const std::string end : {"\n", "\r\n"}) {
      std::ofstream(path, std::ios::binary) << mark + "a" + end + end + "b\rc" + end;
      EXPECT_EQ(read_text(path), "a\n\nb\rc\n");
    }
  }
  std::ofstream(path, std::ios::binary) << "\xEF\xBB\xBF";
  EXPECT_EQ(read_text(path), "");
  for (const std::string mark : {"\xFF\xFE", "\xFE\xFF"}) {
    std::ofstream(path, std::ios::binary) << mark + "a";
    EXPECT_EQ(
        read_text(path, "type file").error().text(),
        "INVALID_ARGUMENT: " + path + ":1: type file '" + path + "' is UTF-16; save it as UTF-8");
  }
  std::remove(path.c_str());
}

TEST(ReadFile, SaysWhatCannotBeReadAndWhy) {
  const auto missing = read_file("/nowhere/at.all", "manifest");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text(),
            "NOT_FOUND: manifest '/nowhere/at.all' cannot be read: No such file or directory");
  EXPECT_EQ(read_file("/").error().code, Code::kNotFound) << "a folder";
}

}  // namespace
}  // namespace hector
