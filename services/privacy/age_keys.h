// What: recipients (age1…) and identities (AGE-SECRET-KEY-1…) of age, those of X25519.
// Why: files are sealed for whoever shows a public key, with no keyset between them.
// Who: age files, the step reader.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"
#include "secret.h"

namespace hector::privacy {

/// The public key. INVALID_ARGUMENT: no age recipient of X25519, or a point that protects nothing.
Result<std::string> read_recipient(std::string_view text);
/// The private key. INVALID_ARGUMENT, without a word of the text.
Result<Secret> read_identity(std::string_view text);

std::string write_recipient(std::string_view public_key);

}  // namespace hector::privacy
