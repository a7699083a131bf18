#include "base/text/nearest.h"

#include <algorithm>

namespace hector {

namespace {

/// Longer words are compared with nothing: the distance costs the product of both lengths.
constexpr std::size_t kNameOctetsMax = 128;

/// Levenshtein's distance, one row of its table at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_hint(std::string_view wrong, const std::vector<std::string>& names) {
  if (wrong.size() > kNameOctetsMax) return {};
  // Near is less than a third of the word changed; of a short word, one letter. Two letters swapped
  // count as two.
  std::size_t best = wrong.size() < 3 ? 2 : std::max<std::size_t>(2, wrong.size() / 3) + 1;
  std::string_view nearest;
  for (const auto& name : names) {
    if (name.size() > kNameOctetsMax) continue;
    const std::size_t apart = distance(wrong, name);
    if (apart < best) {
      best = apart;
      nearest = name;
    }
  }
  if (nearest.empty()) return {};
  return " (did you mean '" + std::string(nearest) + "'?)";
}

}  // namespace hector
