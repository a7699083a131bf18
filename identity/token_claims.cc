#include "identity/token_claims.h"

#include <fmt/format.h>

#include <cmath>

#include "identity/strict_json.h"
#include "identity/verdict.h"
#include "identity/web_key.h"

namespace hector::identity {

namespace {

namespace json = boost::json;

std::optional<long double> number_of(const json::value& value) {
  if (value.is_int64()) return static_cast<long double>(value.get_int64());
  if (value.is_uint64()) return static_cast<long double>(value.get_uint64());
  if (value.is_double() && std::isfinite(value.get_double())) return value.get_double();
  return std::nullopt;
}

/// Nothing where the claim is not there.
Judged<std::optional<long double>> time_claim(const json::object& claims, std::string_view name) {
  const auto* const found = member(claims, name);
  if (found == nullptr) return std::nullopt;
  const auto number = number_of(*found);
  if (!number) return malformed(fmt::format("the token's {} is no number", name));
  return number;
}

Judged<std::vector<std::string>> audiences_of(const json::object& claims) {
  constexpr const char* kMistake = "the token's aud is neither a text nor a list of texts";
  std::vector<std::string> all;
  const auto* const found = member(claims, "aud");
  if (found == nullptr || found->is_null()) return all;
  const auto add = [&](const json::value& each) {
    if (!each.is_string()) return false;
    const auto& text = each.get_string();
    if (!text.empty()) all.emplace_back(text.data(), text.size());
    return true;
  };
  if (!found->is_array()) {
    if (!add(*found)) return malformed(kMistake);
    return all;
  }
  for (const auto& each : found->get_array()) {
    if (!add(each)) return malformed(kMistake);
  }
  return all;
}

}  // namespace

Judged<TokenClaims> TokenClaims::read(std::string_view text) {
  const auto read = read_strict_json(text);
  if (!read || !read->is_object())
    return malformed("the token's claims are no JSON object, or have a name twice");
  const auto& claims = read->get_object();
  auto audiences = audiences_of(claims);
  if (!audiences) return refuse(audiences.error());
  const auto expires = time_claim(claims, "exp");
  const auto not_before = time_claim(claims, "nbf");
  const auto issued = time_claim(claims, "iat");
  for (const auto* each : {&expires, &not_before, &issued}) {
    if (!*each) return refuse(each->error());
  }
  if (!*expires) return malformed("the token has no exp");
  const auto subject = text_member(claims, "sub");
  if (!subject) return malformed("the token's sub is missing, or no text");
  auto id = SpiffeId::read(*subject);
  if (!id) return refuse(id.error());
  return TokenClaims{std::move(*id), std::move(*audiences), **expires, *not_before, *issued};
}

}  // namespace hector::identity
