// What: audited(), an act that is recorded before and after it is done.
// Why: what cannot be recorded must not be done, and nobody may forget to ask.
// Who: management; Bindings.
#pragma once

#include <utility>

#include "hector/kernel.h"

namespace hector {

/// What the act ends with, or why it was not begun: UNAVAILABLE. Runs work() at once where nothing
/// is recorded. Blocks as long as the log does.
template <class Work>
auto audited(const AuditSink& record, AuditEvent event, const Work& work) -> decltype(work()) {
  if (!record) return work();
  event.outcome = AuditOutcome::kBegun;
  if (auto begun = record(event); !begun)
    return fail(Error::unavailable(
        "it is not done, since it cannot be recorded in the audit log: " + begun.error().message));
  auto result = work();
  event.outcome = AuditOutcome::kDone;
  if (!result) {
    const Error& why = result.error();
    event.outcome =
        why.code == Code::kPermissionDenied ? AuditOutcome::kRefused : AuditOutcome::kFailed;
    event.reasons = why.reasons;
    event.reasons.insert(event.reasons.begin(), why.text());
  }
  // It has been done: that it was begun stands in the log, and the sink says what is wrong with it.
  static_cast<void>(record(event));
  return result;
}

}  // namespace hector
