// What: logs for tests: records made up, in files of a folder that goes with the test.
// Why: a test changes lines and asks who notices.
// Who: the tests beside it.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "audit/record.h"

namespace hector::audit {

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    std::string made = (std::filesystem::temp_directory_path() / "audit.XXXXXX").string();
    folder_ = ::mkdtemp(made.data());
  }
  ~AuditTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name = "log") const {
    return folder_ + "/" + name;
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    ::chmod(path.c_str(), 0600);
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::string folder_;
};

/// Lines without their ends, and their hashes.
struct MadeLog {
  std::vector<std::string> lines;
  std::vector<std::string> hashes;
};

inline Record made_record(std::uint64_t sequence, const std::string& prev) {
  return {sequence,
          "2026-11-27T08:00:00.000Z",
          {"management", "spiffe://example.org/operator/admin", "load template",
           "object-" + std::to_string(sequence), Outcome::kDone},
          prev,
          {}};
}

/// `count` records after one with this number and hash.
inline MadeLog made_log(std::uint64_t count, const Head& after = {0, no_hash()}) {
  MadeLog log;
  std::string prev = after.hash;
  for (std::uint64_t i = 1; i <= count; ++i) {
    Record record = made_record(after.sequence + i, prev);
    log.lines.push_back(write_record(record));
    log.hashes.push_back(record.hash);
    prev = record.hash;
  }
  return log;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

}  // namespace hector::audit
