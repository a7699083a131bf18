#include "identity/realm_records.h"

#include <fmt/format.h>

#include <sstream>

namespace hector::identity {

std::string record_of(const Issued& issued) {
  return fmt::format("{} {} {}\n", issued.serial, issued.not_after.seconds, issued.name);
}

std::vector<Issued> read_records(const std::string& text, const std::string& trust_domain) {
  std::vector<Issued> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    Issued read;
    std::istringstream words(line);
    if (!(words >> read.serial >> read.not_after.seconds >> read.name)) continue;
    read.id = fmt::format("spiffe://{}/{}", trust_domain, read.name);
    all.push_back(std::move(read));
  }
  return all;
}

std::vector<std::string> read_revoked(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) all.push_back(line);
  }
  return all;
}

}  // namespace hector::identity
