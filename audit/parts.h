// What: the files of one log: PATH.1, PATH.2, … that are full, and PATH.
// Why: a log outgrows any one file, and its chain goes on through all of them.
// Who: AuditLog, `hector audit`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hector/audit.h"

namespace hector::audit {

/// PATH.NUMBER
std::string part_path(const std::string& path, std::uint64_t number);
/// The numbers of the full parts that are there, ascending.
std::vector<std::uint64_t> earlier_parts(const std::string& path);
/// Of a file that is not empty. NOT_FOUND; DATA_LOSS: its end is no record.
Result<Head> last_record(const std::string& path);

}  // namespace hector::audit
