#include "channel/transparency.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/nearest.h"

namespace hector {

std::string Transparencies::text() const {
  std::vector<std::string> kept;
  for (const auto& [name, is_kept] :
       {std::pair{"access", access}, std::pair{"location", location},
        std::pair{"relocation", relocation}, std::pair{"failure", failure}}) {
    if (is_kept) kept.emplace_back(name);
  }
  return kept.empty() ? "none" : fmt::format("{}", fmt::join(kept, " "));
}

Result<Transparencies> read_transparencies(const std::vector<std::string>& kept) {
  if (kept.empty()) return Transparencies{};
  const std::vector<std::string> known{"access", "location", "relocation", "failure", "none"};
  Transparencies made{false, false, false, false};
  for (const auto& each : kept) {
    if (std::find(known.begin(), known.end(), each) == known.end()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("policy names a transparency '{}'{}; there are {}", each,
                              nearest_hint(each, known), fmt::join(known, ", ")));
    }
    made.access = made.access || each == "access";
    made.location = made.location || each == "location";
    made.relocation = made.relocation || each == "relocation";
    made.failure = made.failure || each == "failure";
  }
  return made;
}

}  // namespace hector
