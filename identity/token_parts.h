// What: the three parts of a compact JWT, decoded, and its header.
// Why: what a token says is read before anything is believed of it.
// Who: judge_token().
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "identity/verdict.h"

namespace hector::identity {

struct TokenParts {
  std::string algorithm;
  std::optional<std::string> key_id;
  std::string claims;            ///< JSON, not yet read
  std::string signature;         ///< octets
  std::string_view signed_text;  ///< of the token

  /// MALFORMED.
  static Judged<TokenParts> read(std::string_view token);
};

}  // namespace hector::identity
