// What: reading resource files (Xlib, section 15.1), as XrmGetStringDatabase does, with what Hector
// adds where it is allowed.
// Why: policies are files people write; X's syntax is what they know.
// Who: Policy; `hector policy get --db`.
#pragma once

#include "database.h"

namespace hector::policy {

enum class Dialect : std::uint8_t {
  kXrm,     ///< what is malformed is ignored, as X does
  kHector,  ///< what is malformed is refused with its line; "final" before the spec, "[valid-until
            ///< 2027-01-31]" before that
};

struct ReadOptions {
  Dialect dialect = Dialect::kHector;
  std::string file = "policy";  ///< for messages, and where "#include" looks from
  /// The text of an included file; unset: includes are ignored (kXrm) or refused.
  std::function<Result<std::string>(const std::string& path)> include = {};
};

/// Calls `entry` for each, in order. In kHector the text is read as plain_text() has it; X keeps
/// every octet. INVALID_ARGUMENT (BAD_SPEC): "file:line:column: what".
Status read_resources(std::string_view text, const ReadOptions& options,
                      const std::function<Status(Entry)>& entry);
/// "file:line": how an entry is written so that it is read back as it is.
std::string write_resource(const Entry& entry);

}  // namespace hector::policy
