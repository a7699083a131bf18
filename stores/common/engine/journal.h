// What: Journal, where an Engine's records are made durable.
// Why: what a store does is written once; how it is kept (in memory only, in SQLite, in a test's
// failing file) is behind this interface.
// Who: implemented by providers and by tests; used by Engine, on its one writing thread.
#pragma once

#include <vector>

#include "engine/history.h"

namespace hector::stores {

struct Loaded {
  Revision compacted = 0;
  std::uint64_t epoch = 0;
  std::vector<std::pair<LeaseId, Duration>> leases;
  std::vector<std::pair<std::string, std::string>> outcomes;  ///< idempotency keys
};

/// One batch: durable as a whole or not at all.
struct Batch {
  std::vector<Record> records;
  std::vector<std::pair<LeaseId, Duration>> granted;
  std::vector<LeaseId> ended;
  std::vector<std::pair<std::string, std::string>> outcomes;
  std::vector<std::string> forgotten;                       ///< idempotency keys
  std::uint64_t epoch = 0;                                  ///< 0: unchanged
  Revision compacted = 0;                                   ///< 0: unchanged
  std::vector<std::pair<Revision, std::uint32_t>> dropped;  ///< records that go with it
  [[nodiscard]] bool empty() const {
    return records.empty() && granted.empty() && ended.empty() && outcomes.empty() &&
           forgotten.empty() && epoch == 0 && compacted == 0;
  }
};

/// Used by one thread at a time.
class Journal {
 public:
  virtual ~Journal() = default;
  /// Calls `record` for each in the order of revisions, which are positive. DATA_LOSS with the
  /// place if the kept data is damaged.
  virtual Result<Loaded> load(const std::function<void(Record)>& record) = 0;
  /// Returns when the batch is durable. A failure leaves nothing behind; RESOURCE_EXHAUSTED may be
  /// tried again. Any other makes the store read-only until rewrite().
  virtual Status append(const Batch& batch) = 0;
  /// Keeps exactly this, in a new place: after an append whose outcome is unknown the old place is
  /// not trusted.
  virtual Status rewrite(const Loaded& state, const History& history) = 0;
  /// Whether append() takes no time: then it runs on the caller's thread.
  [[nodiscard]] virtual bool is_instant() const noexcept = 0;
  [[nodiscard]] virtual std::string provider() const = 0;
};

}  // namespace hector::stores
