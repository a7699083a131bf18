// What: what a channel hides from the program: access, location, relocation, failure (ISO 10746-3,
// 16).
// Why: each can be taken away for the channels to a role, by policy, down to the protocol's own
// channel.
// Who: PartySession.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hector/result.h"

namespace hector {

/// access: stub and monitor stand between the program and the protocol. location: where a party is
/// cannot be asked. relocation: a party that was replaced is followed unseen. failure: of roles
/// that are traded again, idempotent calls are repeated elsewhere.
struct Transparencies {
  bool access = true, location = true, relocation = true, failure = true;
  [[nodiscard]] std::string text() const;
};

/// Policy's list of those that are kept; an empty answer keeps all, ["none"] keeps none.
/// INVALID_ARGUMENT names those there are.
Result<Transparencies> read_transparencies(const std::vector<std::string>& kept);

}  // namespace hector
