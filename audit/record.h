// What: a record as a line: JSON in canonical form (RFC 8785), written and read.
// Why: a record has one spelling, so that its hash is one, and other programs compute it too.
// Who: the appender, the check of a chain; fuzzed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hector/audit.h"

namespace hector::audit {

inline constexpr std::size_t kHashDigits = 64;
/// The last number that JSON's numbers hold exactly.
inline constexpr std::uint64_t kSequenceMax = (std::uint64_t{1} << 53U) - 1;

/// `prev` of the first record.
std::string no_hash();
bool is_hash(std::string_view text);

/// What of an event fits a record: texts cut, reasons counted, UTF-8 throughout.
Event fitted(const Event& event);

/// Sets the hash; the line without its end. The event is a fitted one.
std::string write_record(Record& record);

struct ReadRecord {
  Record record;
  bool is_hash_right = false;  ///< it is the hash of the rest
};
/// None: the line is no record in canonical form.
std::optional<ReadRecord> read_record(std::string_view line);

}  // namespace hector::audit
