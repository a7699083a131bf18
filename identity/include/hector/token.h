// What: tokens that are made here, and what an accepted token says beside whose it is: its id, what
// it is bound to, who acts for whom, with which rights.
// Why: what is written and what is read back are the same claims (RFC 8693, RFC 7800, RFC 8705).
// Who: the Authentication service; whatever shows a token's rights.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hector/identity.h"

namespace hector::identity {

struct TokenDetails {
  std::string token_id;  ///< jti; empty: it has none
  /// Of the certificate that its bearer has to prove (cnf, x5t#S256), 32 octets; empty: any bearer.
  std::string bound_to;
  std::vector<std::string> actors;                 ///< act: who acts now first; SPIFFE ids
  std::optional<std::string> may_act;              ///< who may act for the subject: a SPIFFE id
  std::optional<std::vector<std::string>> rights;  ///< no others; none: the subject's own
  std::vector<std::string> origins;  ///< names of the credentials that it was made from
};

/// Of the claims of a token that was accepted. MALFORMED: one of these is of the wrong kind, or its
/// cnf holds another confirmation than x5t#S256, which nobody here could check.
Judged<TokenDetails> read_token_details(std::string_view claims);

/// A JWKS of what `key_set` has (empty: nothing) and of these entries. A text that is no JWKS
/// counts as empty.
std::string key_set_with(std::string_view key_set, const std::vector<std::string>& web_keys);

struct TokenPlan {
  std::string subject;
  std::vector<std::string> audiences;
  std::int64_t issued_s = 0;
  std::int64_t expires_s = 0;
  TokenDetails details = {};
};

/// A key that signs tokens (ES256). It is in this process alone. Any thread.
class TokenKey {
 public:
  static TokenKey make();
  ~TokenKey();
  TokenKey(TokenKey&&) noexcept;
  TokenKey& operator=(TokenKey&&) noexcept;

  [[nodiscard]] const std::string& id() const { return id_; }  ///< its kid
  /// The public key as an entry of a JWKS, with use jwt-svid.
  [[nodiscard]] std::string web_key() const;
  /// A compact JWT that judge() accepts where web_key() is trusted.
  [[nodiscard]] std::string sign(const TokenPlan& plan) const;

 private:
  struct Secret;
  TokenKey(std::string id, std::unique_ptr<Secret> secret);

  std::string id_;
  std::unique_ptr<Secret> secret_;
};

}  // namespace hector::identity
