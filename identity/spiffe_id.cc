#include "identity/spiffe_id.h"

#include <fmt/format.h>

#include <algorithm>

#include "identity/verdict.h"

namespace hector::identity {

namespace {

constexpr std::string_view kScheme = "spiffe://";

bool is_domain_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}
bool is_path_character(char c) noexcept { return is_domain_character(c) || (c >= 'A' && c <= 'Z'); }

/// Of a path without its first '/'.
std::string_view mistake_in_path(std::string_view path) {
  while (true) {
    const auto end = path.find('/');
    const auto segment = path.substr(0, end);
    if (segment.empty()) return "its path has an empty segment, or ends in '/'";
    if (segment == "." || segment == "..") return "its path has a segment '.' or '..'";
    if (!std::all_of(segment.begin(), segment.end(), is_path_character))
      return "its path has another character than letters, digits, '.', '-' and '_'";
    if (end == std::string_view::npos) return {};
    path.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_trust_domain(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kTrustDomainOctetsMax &&
         std::all_of(text.begin(), text.end(), is_domain_character);
}

Judged<SpiffeId> SpiffeId::read(std::string_view text) {
  if (text.size() > kIdOctetsMax)
    return malformed(fmt::format("the SPIFFE id has more than {} octets", kIdOctetsMax));
  if (!text.starts_with(kScheme))
    return malformed("the id does not begin with 'spiffe://', in small letters");
  const auto rest = text.substr(kScheme.size());
  const auto slash = rest.find('/');
  const auto domain = rest.substr(0, slash);
  if (!is_trust_domain(domain))
    return malformed(
        "the id's trust domain is not 1 to 255 of small letters, digits, '.', '-' and '_' (a port "
        "or a user has no place in it)");
  if (slash == std::string_view::npos)
    return malformed("the id names a trust domain alone; a principal has a path");
  if (const auto mistake = mistake_in_path(rest.substr(slash + 1)); !mistake.empty())
    return malformed(fmt::format("the id is no SPIFFE id: {}", mistake));
  return SpiffeId(std::string(text), domain.size());
}

std::string_view SpiffeId::trust_domain() const {
  return std::string_view(text_).substr(kScheme.size(), domain_length_);
}

}  // namespace hector::identity
