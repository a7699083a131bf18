// What: Kerberos, which accepts GSSAPI tokens of Kerberos 5 by a keytab.
// Why: people who have signed in to a realm need no second identity.
// Who: the Authentication servant.
#pragma once

#include <string>
#include <string_view>

#include "credentials.h"

namespace hector::authentication {

/// Any thread. Goes by the system's own clock, and by libkrb5's own replay cache: a file, which
/// outlives the process.
class Kerberos {
 public:
  /// `keytab`: a file; empty: nothing is accepted.
  explicit Kerberos(std::string keytab) : keytab_(std::move(keytab)) {}
  /// Blocks for the keytab and the replay cache. `krb:NAME@REALM`; whether the realm is trusted is
  /// not asked. MALFORMED, BAD_SIGNATURE, ALG_REFUSED, EXPIRED (also a clock that is more than 5
  /// minutes away), NOT_YET_VALID, WRONG_AUDIENCE (a ticket for another service), BINDING_MISMATCH,
  /// REPLAY. INVALID_ARGUMENT: there is no keytab.
  Result<Shown> accept(std::string_view token, std::string_view channel_binding,
                       identity::Instant now) const;

 private:
  const std::string keytab_;
};

}  // namespace hector::authentication
