#include "audit/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "audit/record.h"

namespace hector::audit {

namespace fs = std::filesystem;

namespace {

/// 0: `name` is no part of this log.
std::uint64_t part_number(const std::string& log, const std::string& name) {
  if (!name.starts_with(log + ".")) return 0;
  std::uint64_t number = 0;
  const char* const begin = name.data() + log.size() + 1;
  const char* const end = name.data() + name.size();
  const auto [read, error] = std::from_chars(begin, end, number);
  return error == std::errc() && read == end && *begin != '0' ? number : 0;
}

}  // namespace

std::string part_path(const std::string& path, std::uint64_t number) {
  return fmt::format("{}.{}", path, number);
}

std::vector<std::uint64_t> earlier_parts(const std::string& path) {
  std::vector<std::uint64_t> numbers;
  const fs::path log(path);
  const fs::path folder = log.has_parent_path() ? log.parent_path() : fs::path(".");
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto number = part_number(log.filename().string(), at->path().filename().string());
    if (number != 0) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> files;
  for (const auto number : earlier_parts(path)) files.push_back(part_path(path, number));
  std::error_code error;
  if (files.empty() || fs::exists(path, error)) files.push_back(path);
  return files;
}

Result<Head> last_record(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return fail(Code::kNotFound, fmt::format("log '{}' cannot be read", path));
  const auto size = static_cast<std::size_t>(in.tellg());
  std::string tail(std::min(size, kLineOctetsMax + 2), '\0');
  in.seekg(static_cast<std::streamoff>(size - tail.size()));
  in.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  if (in && tail.ends_with('\n')) {
    tail.pop_back();
    const auto read = read_record(std::string_view(tail).substr(tail.rfind('\n') + 1));
    if (read && read->is_hash_right) return Head{read->record.sequence, read->record.hash};
  }
  return fail(Error::data_loss(
      fmt::format("audit log '{0}' does not end with a record: see `hector audit verify {0}`; to "
                  "go on, move the log's files away and keep them: a new log begins then",
                  path)));
}

}  // namespace hector::audit
