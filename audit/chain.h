// What: check_chain(), whether records follow each other, and the first that does not.
// Why: each record names the one before it by its hash; where that breaks, what stands before and
// behind tells which record is the wrong one, and how.
// Who: verify(); AuditLog::open().
#pragma once

#include "audit/line_reader.h"
#include "audit/record.h"

namespace hector::audit {

/// Reads `lines` to their end, or to the end of what explains the first break.
Result<Verdict> check_chain(LineReader& lines, const Expected& expected);

}  // namespace hector::audit
