// What: the claims of a token beside whose it is, read and written.
// Why: a claim that limits a token is never passed over because it has another shape.
// Who: read_token_details(), TokenKey::sign().
#include "identity/token_details.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "identity/base64.h"
#include "identity/spiffe_id.h"
#include "identity/strict_json.h"
#include "identity/verdict.h"

namespace hector::identity {

namespace {

namespace json = boost::json;

constexpr std::string_view kThumbprint = "x5t#S256";  // RFC 8705, 3.1
constexpr std::size_t kThumbprintOctets = 32;

std::optional<std::string> text_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const auto& text = value->get_string();
  return std::string(text.data(), text.size());
}

Judged<std::vector<std::string>> texts_of(const json::value& value) {
  constexpr const char* kMistake = "a claim of the token is no list of texts";
  if (!value.is_array()) return malformed(kMistake);
  std::vector<std::string> all;
  for (const auto& each : value.get_array()) {
    auto text = text_of(&each);
    if (!text) return malformed(kMistake);
    all.push_back(std::move(*text));
  }
  return all;
}

Judged<std::string> bound_to(const json::value& confirmation) {
  constexpr const char* kMistake =
      "the token is bound (cnf) to something else than a certificate's SHA-256 (x5t#S256)";
  if (!confirmation.is_object() || confirmation.get_object().size() != 1)
    return malformed(kMistake);
  const auto text = text_of(member(confirmation.get_object(), kThumbprint));
  auto octets = text ? read_base64(*text, Base64::kUrl) : std::nullopt;
  if (!octets || octets->size() != kThumbprintOctets) return malformed(kMistake);
  return std::move(*octets);
}

/// The SPIFFE id of {"sub": …}.
Judged<std::string> party_of(const json::value& value) {
  const auto* const subject = value.is_object() ? member(value.get_object(), "sub") : nullptr;
  const auto text = text_of(subject);
  if (!text) return malformed("the token's act or may_act is no object with a sub");
  const auto id = SpiffeId::read(*text);
  if (!id) return refuse(id.error());
  return id->text();
}

Judged<std::vector<std::string>> actors_of(const json::value* act) {
  std::vector<std::string> all;
  while (act != nullptr) {
    auto actor = party_of(*act);
    if (!actor) return refuse(actor.error());
    all.push_back(std::move(*actor));
    act = member(act->get_object(), "act");
  }
  return all;
}

/// Sets `to` by `read` where the claim is there.
template <class To, class Read>
Judged<void> take(const json::object& claims, std::string_view name, To& to, Read read) {
  const auto* const found = member(claims, name);
  if (found == nullptr) return {};
  auto value = read(*found);
  if (!value) return refuse(value.error());
  to = std::move(*value);
  return {};
}

json::array list_of(const std::vector<std::string>& texts) {
  json::array list;
  for (const auto& each : texts) list.emplace_back(json::string(each.data(), each.size()));
  return list;
}

json::string text_of(const std::string& text) { return json::string(text.data(), text.size()); }

json::object act_of(const std::vector<std::string>& actors) {
  json::object act;
  for (auto each = actors.rbegin(); each != actors.rend(); ++each) {
    json::object outer{{"sub", text_of(*each)}};
    if (!act.empty()) outer["act"] = std::move(act);
    act = std::move(outer);
  }
  return act;
}

}  // namespace

Judged<TokenDetails> read_token_details(std::string_view claims) {
  const auto read = read_strict_json(claims);
  if (!read || !read->is_object()) return malformed("the token's claims are no JSON object");
  const auto& object = read->get_object();
  TokenDetails details;
  const auto id = [](const json::value& value) -> Judged<std::string> {
    auto text = text_of(&value);
    if (!text) return malformed("the token's jti is no text");
    return std::move(*text);
  };
  const auto actors = [](const json::value& value) { return actors_of(&value); };
  for (auto taken :
       {take(object, "jti", details.token_id, id), take(object, "cnf", details.bound_to, bound_to),
        take(object, "act", details.actors, actors),
        take(object, "may_act", details.may_act, party_of),
        take(object, kRightsClaim, details.rights, texts_of),
        take(object, kOriginsClaim, details.origins, texts_of)}) {
    if (!taken) return refuse(std::move(taken.error()));
  }
  return details;
}

json::object claims_of(const TokenPlan& plan) {
  const auto& details = plan.details;
  json::object claims{{"sub", text_of(plan.subject)},
                      {"aud", list_of(plan.audiences)},
                      {"iat", plan.issued_s},
                      {"nbf", plan.issued_s},
                      {"exp", plan.expires_s}};
  if (!details.token_id.empty()) claims["jti"] = text_of(details.token_id);
  if (!details.bound_to.empty())
    claims["cnf"] = json::object{{json::string_view(kThumbprint.data(), kThumbprint.size()),
                                  text_of(write_base64url(details.bound_to))}};
  if (!details.actors.empty()) claims["act"] = act_of(details.actors);
  if (details.may_act) claims["may_act"] = json::object{{"sub", text_of(*details.may_act)}};
  if (details.rights) claims[kRightsClaim] = list_of(*details.rights);
  if (!details.origins.empty()) claims[kOriginsClaim] = list_of(details.origins);
  return claims;
}

}  // namespace hector::identity
