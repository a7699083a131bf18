#include "party/management_roles.h"

#include <algorithm>

#include "hector/credentials.h"

namespace hector {

namespace {

const std::vector<ManagementRole>& usual_roles() {
  static const std::vector<ManagementRole> usual{{ManagementRight::kAdministrate, {"operator:*"}},
                                                 {ManagementRight::kOperate, {"capsule:*"}},
                                                 {ManagementRight::kLook, {"*"}}};
  return usual;
}

bool fits(std::string_view pattern, std::string_view principal) {
  if (pattern.ends_with('*')) return principal.starts_with(pattern.substr(0, pattern.size() - 1));
  return may_speak_as(pattern, principal);
}

}  // namespace

std::optional<ManagementRight> right_of(const std::vector<ManagementRole>& roles,
                                        std::string_view principal) {
  std::optional<ManagementRight> best;
  for (const auto& role : roles.empty() ? usual_roles() : roles) {
    const bool has_it = std::any_of(role.principals.begin(), role.principals.end(),
                                    [&](const auto& each) { return fits(each, principal); });
    if (has_it && (!best || role.right > *best)) best = role.right;
  }
  return best;
}

}  // namespace hector
