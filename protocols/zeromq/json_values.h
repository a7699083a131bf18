// What: values as JSON (RFC 8259) and back.
// Why: Hermes' envelopes and ROC's calls are JSON.
// Who: Hermes, ROC nodes, their fuzz target.
#pragma once

#include <string>
#include <string_view>

#include "hector/result.h"
#include "objects/value.h"

namespace hector::zeromq {

using objects::Value;

inline constexpr std::size_t kJsonDepthMax = 100;  ///< as a message's (objects/messages.cc)
/// INVALID_ARGUMENT. Integers keep their value, of up to 4,300 digits.
Result<Value> read_json(std::string_view text);
/// In ASCII, ", " and ": " between, as Python's json.dumps writes it. Octets as base64 text, tagged
/// values without their tags, numbers that JSON has not as null.
std::string json_of(const Value& value);

}  // namespace hector::zeromq
