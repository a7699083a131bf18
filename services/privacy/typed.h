// What: typed(), refusals as the errors that the Interface declares.
// Why: a program in any language catches hector.privacy.v1.AuthFailed, and not a text.
// Who: the servant; the trial has the names of the specification.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "refusals.h"

namespace hector::privacy {

inline Error typed(Error error) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kDeclared{{
      {kInvalidArgument, "InvalidArgument"},
      {kExists, "Exists"},
      {kKeyUnknown, "KeyUnknown"},
      {kKeyDestroyed, "KeyDestroyed"},
      {kVersionDisallowed, "VersionDisallowed"},
      {kStillReferenced, "StillReferenced"},
      {kAuthFailed, "AuthFailed"},
      {kMalformed, "Malformed"},
      {kNoIdentityMatched, "NoIdentityMatched"},
      {kTooLarge, "TooLarge"},
  }};
  for (const auto& [name, message] : kDeclared) {
    if (error.type == name) error.type = "hector.privacy.v1." + std::string(message);
  }
  return error;
}

}  // namespace hector::privacy
