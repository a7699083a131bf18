// What: the audit log: records of who did what, each with the hash of the one before it, in files
// that only grow.
// Why: what was done can be shown later, and whoever changes, removes or moves a record is found;
// what cannot be recorded is not done.
// Who: whatever accepts, refuses or administers; `hector audit`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hector/clock.h"
#include "hector/result.h"

namespace hector::audit {

enum class Outcome : std::uint8_t {
  kBegun,    ///< it is recorded before it is done
  kDone,     ///< as it was asked for
  kRefused,  ///< it was not allowed; nothing was done
  kFailed,   ///< it was allowed and did not work
};
/// "begun", "done", "refused", "failed".
std::string_view outcome_name(Outcome outcome) noexcept;
std::optional<Outcome> outcome_of(std::string_view name) noexcept;

inline constexpr std::size_t kTextOctetsMax = 4096;  ///< of each text; what is longer is cut
inline constexpr std::size_t kReasonsMax = 16;       ///< more: the last one says how many
/// A line without its end. A record has 21 texts, of which each octet takes six where it is a
/// control character.
inline constexpr std::size_t kLineOctetsMax = std::size_t{1} << 20U;

/// What happened, as its writer tells it. Texts are UTF-8; an octet that is not becomes U+FFFD.
struct Event {
  std::string kind;       ///< "management", "binding", "realm"
  std::string principal;  ///< who: a SPIFFE id, "uid:1000"
  std::string action;     ///< "load template"
  std::string object;     ///< what it was done to
  Outcome outcome = Outcome::kDone;
  std::vector<std::string> reasons = {};
};

/// An event in its place.
struct Record {
  std::uint64_t sequence = 0;  ///< 1 for the first of a log
  std::string time;            ///< UTC: "2026-11-27T08:00:00.000Z"
  Event event;
  std::string prev;  ///< hash of the record before it; 64 zeros for the first
  std::string hash;  ///< SHA-256 of the record without this member, 64 lower-case digits
};

/// The last record of a log: with it, what is cut off a log's end is found.
struct Head {
  std::uint64_t sequence = 0;  ///< 0: there is none yet
  std::string hash;            ///< 64 zeros then

  bool operator==(const Head&) const = default;
};

struct LogOptions {
  /// A file that would become larger is set down as PATH.1, PATH.2, …, and another one begun.
  std::uint64_t file_octets_max = std::uint64_t{64} << 20U;
};

/// Appends to one log. Any thread; what several threads append at once shares one fsync.
class AuditLog {
 public:
  /// Makes the file with mode 0600, or goes on with one that is there, after the last record of its
  /// newest part where it is empty. Reads all of that file. What a crash left of a line at its end
  /// is moved to PATH.cut-N, and the log says so in a record. The clock outlives it. Blocks.
  /// PERMISSION_DENIED: another user's file. FAILED_PRECONDITION: others can read or write it, or
  /// it is no plain file. UNAVAILABLE: another process writes it, or it cannot be opened.
  /// DATA_LOSS: its records do not follow each other; `hector audit verify` says more.
  /// RESOURCE_EXHAUSTED: no room.
  static Result<AuditLog> open(const std::string& path, const Clock& clock,
                               LogOptions options = {});
  AuditLog(AuditLog&&) noexcept;
  AuditLog& operator=(AuditLog&&) noexcept;
  ~AuditLog();

  /// The record is on the disk when it returns; after an error it is not in the log. Blocks.
  /// RESOURCE_EXHAUSTED: no room; with room the next one succeeds. UNAVAILABLE: it cannot be
  /// written. DATA_LOSS: the disk failed, and nothing is appended until the log is opened again.
  /// What the record is about must not be done then.
  Result<Head> append(const Event& event);

  [[nodiscard]] Head head() const;
  /// The file to which open() moved the half-written line; empty: there was none.
  [[nodiscard]] const std::string& set_aside() const;

 private:
  class Appender;
  explicit AuditLog(std::unique_ptr<Appender> appender);
  std::unique_ptr<Appender> appender_;
};

/// Why a log is not whole.
enum class Fault : std::uint8_t {
  kAltered,     ///< the record is another than the one that was written
  kRemoved,     ///< a record that others follow is gone
  kReordered,   ///< a record stands later than it was written
  kInserted,    ///< a record that was not written there
  kIncomplete,  ///< the last line has no end
  kTruncated,   ///< the end is not the one that is expected
};
/// "ALTERED", "REMOVED", …
std::string_view fault_name(Fault fault) noexcept;

/// The first record that is wrong.
struct Finding {
  Fault fault = Fault::kAltered;
  std::string file;
  std::uint64_t line = 0;      ///< of the file, from 1; of a record that is gone: where it stood
  std::uint64_t sequence = 0;  ///< the record that belongs there; of an inserted one, its own
  std::string message;         ///< for people; ASCII, whatever the log holds
};

/// What is known of a log from elsewhere.
struct Expected {
  std::string after = {};   ///< hash of the record before the first; empty: the log begins with 1
  std::string head = {};    ///< hash of a record that is in it; empty: any
  std::uint64_t count = 0;  ///< its sequence number, or of records that are there at least; 0: any
};

struct Verdict {
  std::uint64_t records = 0;  ///< that are good, up to the finding
  Head head;                  ///< the last of them
  std::optional<Finding> finding;
};

/// The files of a log in the order in which they were written: PATH.1, PATH.2, …, PATH, of those
/// that are there. A path that ends in a number is that file alone.
std::vector<std::string> parts_of(const std::string& path);

/// Reads the files one after the other, in memory that does not grow with them. NOT_FOUND: one
/// cannot be read. Blocks.
Result<Verdict> verify(const std::vector<std::string>& files, const Expected& expected);

/// Tells each record; the number of lines that are none. Their order and hashes are verify()'s.
/// NOT_FOUND. Blocks.
Result<std::uint64_t> read(const std::vector<std::string>& files,
                           const std::function<void(const Record&)>& tell);

}  // namespace hector::audit
