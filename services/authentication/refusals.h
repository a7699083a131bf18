// What: the refusals of Authentication under the names of its Interface.
// Why: a caller goes by the type of the error; people read the text.
// Who: everything here that refuses.
#pragma once

#include <string>

#include "hector/identity.h"
#include "state/answer.h"

namespace hector::authentication {

using state::refuse;

inline constexpr const char* kMalformed = "MALFORMED";
inline constexpr const char* kUntrustedDomain = "UNTRUSTED_DOMAIN";
inline constexpr const char* kExpired = "EXPIRED";
inline constexpr const char* kRevoked = "REVOKED";
inline constexpr const char* kBindingMismatch = "BINDING_MISMATCH";
inline constexpr const char* kReplay = "REPLAY";
inline constexpr const char* kDelegationRefused = "DELEGATION_REFUSED";

inline constexpr const char* kInvalidArgument = "INVALID_ARGUMENT";
inline constexpr const char* kNoDomain = "NO_DOMAIN";
inline constexpr const char* kTooMany = "TOO_MANY";
inline constexpr const char* kRateLimited = "RATE_LIMITED";

/// A credential that does not prove what it says.
inline tl::unexpected<Error> refuse_credential(const char* name, const std::string& text) {
  return refuse(name, text, Code::kUnauthenticated);
}
inline tl::unexpected<Error> refuse_credential(const identity::Refusal& refusal) {
  const std::string name(identity::fault_name(refusal.fault));
  return refuse(name.c_str(), refusal.message, Code::kUnauthenticated);
}
inline tl::unexpected<Error> refuse_delegation(const std::string& text) {
  return refuse(kDelegationRefused, text, Code::kPermissionDenied);
}
inline tl::unexpected<Error> refuse_argument(const std::string& text) {
  return refuse(kInvalidArgument, text);
}
inline tl::unexpected<Error> refuse_room(const std::string& text) {
  return refuse(kTooMany, text, Code::kResourceExhausted);
}

}  // namespace hector::authentication
