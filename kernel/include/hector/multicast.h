// What: multicast(), one message to every member of a role, complete when its interaction's
// reliability says so.
// Why: an auction wants one bid, a vote the majority, a meeting everybody; each wants to know who
// answered what.
// Who: language plugins, C++ Objects.
#pragma once

#include <optional>
#include <vector>

#include "hector/capsule.h"

namespace hector {

/// Of one member, as far as it was known when the multicast was complete.
struct MemberResult {
  bool is_known = false;  ///< false: no answer yet; it is not waited for
  std::optional<Error> error;
  Bytes reply;
};

struct MulticastOutcome {
  /// Absent where the reliability was reached: best_effort at once, at_least_one and majority with
  /// the answer that makes it true, all when everybody has answered well. Else how many did, with
  /// each member's reason; then every member has answered.
  std::optional<Error> error;
  std::vector<MemberResult> members;  ///< in the order of the role's members
};

/// One step of the order, one message to each member. `done` runs once, on any thread, possibly
/// before this returns. Members that were not waited for still get the message.
void multicast(Session& session, std::uint32_t interaction, const Bytes& request, Deadline deadline,
               Callback<void(MulticastOutcome)> done);

}  // namespace hector
