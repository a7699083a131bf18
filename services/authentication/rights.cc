#include "rights.h"

#include <fmt/format.h>

#include <algorithm>

#include "bounds.h"
#include "refusals.h"

namespace hector::authentication {

namespace {

bool is_right(std::string_view text) noexcept {
  if (text.empty() || text.size() > kRightOctetsMax) return false;
  if (text.find('*') < text.size() - 1) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool covers(std::string_view held, std::string_view wanted) noexcept {
  if (!held.ends_with('*')) return held == wanted;
  held.remove_suffix(1);
  return wanted.starts_with(held);
}

}  // namespace

Status check_rights(const Rights& rights) {
  if (rights.empty() || rights.size() > kRightsMax)
    return refuse_argument(
        fmt::format("a delegation names 1 to {} rights ('*': all that its holder has), not {}",
                    kRightsMax, rights.size()));
  const auto wrong = std::find_if_not(rights.begin(), rights.end(), is_right);
  if (wrong == rights.end()) return {};
  return refuse_argument(
      fmt::format("right {} is not 1 to {} visible ASCII characters with '*' at the end only",
                  wrong - rights.begin() + 1, kRightOctetsMax));
}

bool has_right(const Rights& held, std::string_view wanted) noexcept {
  return std::any_of(held.begin(), held.end(),
                     [&](const auto& each) { return covers(each, wanted); });
}

std::string missing_right(const Rights& held, const Rights& wanted) {
  const auto missing = std::find_if_not(wanted.begin(), wanted.end(),
                                        [&](const auto& each) { return has_right(held, each); });
  return missing == wanted.end() ? "" : *missing;
}

}  // namespace hector::authentication
