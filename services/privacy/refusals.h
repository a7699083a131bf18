// What: the refusals of Privacy under the names of its specification.
// Why: a program goes by the name; and every ciphertext that does not verify gets the very same
// refusal, which says nothing of where it differs.
// Who: everything here that refuses.
#pragma once

#include <string>
#include <utility>

#include "hector/result.h"

namespace hector::privacy {

inline constexpr const char* kInvalidArgument = "INVALID_ARGUMENT";
inline constexpr const char* kExists = "EXISTS";
inline constexpr const char* kKeyUnknown = "KEY_UNKNOWN";
inline constexpr const char* kKeyDestroyed = "KEY_DESTROYED";
inline constexpr const char* kVersionDisallowed = "VERSION_DISALLOWED";
inline constexpr const char* kStillReferenced = "STILL_REFERENCED";
inline constexpr const char* kAuthFailed = "AUTH_FAILED";
inline constexpr const char* kMalformed = "MALFORMED";
inline constexpr const char* kNoIdentityMatched = "NO_IDENTITY_MATCHED";
inline constexpr const char* kTooLarge = "TOO_LARGE";

/// "NAME: text", with the name as Error::type.
inline tl::unexpected<Error> refuse(const char* name, const std::string& text,
                                    Code code = Code::kInvalidArgument) {
  return fail(Error{code, std::string(name) + ": " + text}.with_type(name));
}
inline tl::unexpected<Error> refuse_argument(const std::string& text) {
  return refuse(kInvalidArgument, text);
}
inline tl::unexpected<Error> refuse_malformed(const std::string& text) {
  return refuse(kMalformed, text);
}
inline tl::unexpected<Error> refuse_auth() {
  return refuse(kAuthFailed,
                "this is not what was protected with this key and this associated data; it was "
                "changed, cut or moved, or belongs to another place");
}

}  // namespace hector::privacy
