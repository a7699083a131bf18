#include "identity/token_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "identity/base64.h"
#include "identity/strict_json.h"
#include "identity/web_key.h"

namespace hector::identity {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kHeaders{"alg", "kid", "typ"};

/// Sets algorithm and key id. JWT-SVID 2: other headers must not be there.
Judged<void> read_header(std::string_view text, TokenParts& parts) {
  const auto read = read_strict_json(text);
  if (!read || !read->is_object())
    return malformed("the token's header is no JSON object, or has a name twice");
  const auto& header = read->get_object();
  for (const auto& [name, value] : header) {
    const std::string_view key(name.data(), name.size());
    if (std::find(kHeaders.begin(), kHeaders.end(), key) == kHeaders.end())
      return malformed("the token has another header than alg, kid and typ");
    if (!value.is_string()) return malformed(fmt::format("the token's {} is no text", key));
  }
  const auto type = text_member(header, "typ");
  if (type && *type != "JWT" && *type != "JOSE")
    return malformed("the token's typ is neither JWT nor JOSE");
  const auto algorithm = text_member(header, "alg");
  if (!algorithm) return malformed("the token names no alg");
  parts.algorithm = *algorithm;
  parts.key_id = text_member(header, "kid");
  return {};
}

}  // namespace

Judged<TokenParts> TokenParts::read(std::string_view token) {
  if (token.size() > kTokenOctetsMax)
    return malformed(fmt::format("the token has more than {} octets", kTokenOctetsMax));
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  const bool has_three =
      first != std::string_view::npos && first != last && token.find('.', first + 1) == last;
  if (!has_three)
    return malformed("it is neither PEM nor a compact JWT, which has three parts with '.' between");
  const auto header = read_base64(token.substr(0, first), Base64::kUrl);
  auto claims = read_base64(token.substr(first + 1, last - first - 1), Base64::kUrl);
  auto signature = read_base64(token.substr(last + 1), Base64::kUrl);
  if (!header || !claims || !signature)
    return malformed(
        "a part of the token is no base64url: without padding, white space and unused bits");
  TokenParts parts{{}, {}, std::move(*claims), std::move(*signature), token.substr(0, last)};
  if (auto read = read_header(*header, parts); !read) return refuse(read.error());
  return parts;
}

}  // namespace hector::identity
