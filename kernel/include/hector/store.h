// What: Store, an ordered key-value space with revisions, transactions, watches and leases: where
// services keep their state.
// Why: a service is the same on memory, on one file and on a cluster; what was acknowledged
// survives kill -9 and a power cut.
// Who: stores/* implement it; services stand on it; the capsule makes it from the line `store:` of
// its configuration.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hector/bytes.h"
#include "hector/clock.h"
#include "hector/executor.h"
#include "hector/log.h"
#include "hector/result.h"

namespace hector {

/// Grows by one with each transaction that changed something; 0 is none. Comparable within one
/// epoch only.
using Revision = std::int64_t;
/// 0 is none.
using LeaseId = std::int64_t;

/// The contract is etcd's data model (etcd v3 API reference), with limits that every provider
/// keeps.
struct StoreEntry {
  std::string key;
  Bytes value;
  Revision created = 0;      ///< create_revision
  Revision modified = 0;     ///< mod_revision
  std::int64_t version = 0;  ///< 1 at creation, one more with each put
  LeaseId lease = 0;
};

/// Keys from `from` to before `to`.
struct KeyRange {
  std::string from;
  std::string to;
  /// The one key.
  static KeyRange one(std::string_view key);
  /// Every key that starts with it; every key at all if it is empty.
  static KeyRange prefix(std::string_view prefix);
  [[nodiscard]] bool contains(std::string_view key) const noexcept {
    return key >= from && key < to;
  }
  [[nodiscard]] bool is_one() const noexcept {
    return to.size() == from.size() + 1 && to.back() == '\0' &&
           to.compare(0, from.size(), from) == 0;
  }
};

struct StoreRead {
  KeyRange range;
  Revision revision = 0;    ///< as it was then; 0: now
  Revision at_least = 0;    ///< FAILED_PRECONDITION where the store has not come so far
  std::uint64_t epoch = 0;  ///< that the revisions are of; 0: not asked
  std::uint32_t limit = 0;  ///< 0: all
  std::string after = {};   ///< the cursor: StorePage::next of the page before, with its revision
  bool reverse = false;
};

struct StorePage {
  std::vector<StoreEntry> entries;
  Revision revision = 0;  ///< that all of it was read at
  std::string next;       ///< the cursor for the rest; empty if this was all
};

struct StoreCompare {
  enum class Field : std::uint8_t { kValue, kModified, kCreated, kVersion, kLease };
  enum class Relation : std::uint8_t { kEqual, kUnequal, kLess, kGreater };
  std::string key;
  Field field = Field::kModified;
  Relation relation = Relation::kEqual;
  std::int64_t number = 0;  ///< an absent key's are 0
  std::string value = {};   ///< for kValue; an absent key compares as false
  static StoreCompare absent(std::string_view key) {
    return {std::string(key), Field::kCreated, Relation::kEqual, 0};
  }
  static StoreCompare unchanged(std::string_view key, Revision modified) {
    return {std::string(key), Field::kModified, Relation::kEqual, modified};
  }
};

struct StoreOperation {
  enum class Kind : std::uint8_t { kPut, kErase, kRead };
  Kind kind = Kind::kPut;
  KeyRange range;   ///< kErase, kRead
  std::string key;  ///< kPut
  Bytes value;
  LeaseId lease = 0;
  static StoreOperation put(std::string_view key, Bytes value, LeaseId lease = 0) {
    return {Kind::kPut, {}, std::string(key), std::move(value), lease};
  }
  static StoreOperation erase(KeyRange range) {
    return {Kind::kErase, std::move(range), {}, {}, 0};
  }
  static StoreOperation erase(std::string_view key) { return erase(KeyRange::one(key)); }
  static StoreOperation read(KeyRange range) { return {Kind::kRead, std::move(range), {}, {}, 0}; }
};

/// Atomic: if all compares hold `then` happens, else `otherwise`. All changes have one revision; no
/// key is changed twice.
struct StoreTransaction {
  std::vector<StoreCompare> compares;
  std::vector<StoreOperation> then;
  std::vector<StoreOperation> otherwise;
  /// Where given, the outcome is kept with the changes for kIdempotencyKept: the same transaction
  /// sent again changes nothing and is told that outcome.
  std::string idempotency_key;
};

struct StoreOutcome {
  bool succeeded = false;  ///< the compares held
  bool replayed = false;   ///< it was the outcome of an earlier sending; there are no `reads` then
  Revision revision = 0;   ///< of the changes; where nothing changed, the store's
  std::vector<StorePage> reads;  ///< of the kRead operations, in their order
};

struct StoreEvent {
  enum class Kind : std::uint8_t { kPut, kErase };
  Kind kind = Kind::kPut;
  StoreEntry entry;     ///< of an erasure: key and `modified`
  StoreEntry previous;  ///< as it was; `modified` 0 if it was not there. Only where asked for
};

/// Everything one revision changed in the watched range, in the order of the transaction.
struct StoreChange {
  Revision revision = 0;
  std::vector<StoreEvent> events;
};

/// Told by one thread at a time, in the order of revisions. Must not block; may call the Store.
class StoreObserver {
 public:
  virtual ~StoreObserver() = default;
  virtual void changed(const StoreChange& change) noexcept = 0;
  /// Everything up to this revision has been told.
  virtual void progress(Revision revision) noexcept { static_cast<void>(revision); }
  /// The last call: COMPACTED (read the state again), or a store that is gone for good. A lost
  /// connection is no end.
  virtual void ended(const Error& error) noexcept = 0;
};

struct StoreWatchRequest {
  KeyRange range;
  Revision from = 0;  ///< the first revision to be told of; 0: from the next one on
  std::uint64_t epoch = 0;
  bool with_previous = false;
};

/// Destroying it ends the watch; the observer is not called any more after that (from within its
/// own callback: after it has returned).
class StoreWatch {
 public:
  virtual ~StoreWatch() = default;
};

/// What every provider accepts at least; more is TOO_LARGE before anything is touched.
struct StoreLimits {
  std::size_t key_octets_max = 4 * 1024;
  std::size_t value_octets_max = 256 * 1024;
  std::size_t operations_max = 100;
  std::size_t transaction_octets_max = 1024 * 1024;
};
inline constexpr Duration kIdempotencyKept = std::chrono::minutes(10);

struct StoreHealth {
  std::string provider;
  bool is_durable = false;  ///< what is acknowledged outlives the process
  bool is_writable = true;
  std::string reason;  ///< where it is not
  Revision revision = 0;
  Revision compacted = 0;   ///< the oldest revision that can still be read
  std::uint64_t epoch = 0;  ///< another one after a restore
  std::uint64_t entries = 0;
};

/// Error::type of a store's refusals.
inline constexpr std::string_view kStoreConflict = "hector.store.Conflict";  ///< ABORTED
inline constexpr std::string_view kStoreCompacted =
    "hector.store.Compacted";  ///< OUT_OF_RANGE; the detail is the oldest revision there is
inline constexpr std::string_view kStoreLeaseNotFound =
    "hector.store.LeaseNotFound";                                            ///< NOT_FOUND
inline constexpr std::string_view kStoreTooLarge = "hector.store.TooLarge";  ///< INVALID_ARGUMENT
inline constexpr std::string_view kStoreCorrupt = "hector.store.Corrupt";    ///< DATA_LOSS
inline constexpr std::string_view kStoreOtherEpoch =
    "hector.store.OtherEpoch";  ///< FAILED_PRECONDITION

/// Any thread. Callbacks run once, on a thread of the store or before the function returns, and
/// must not block. Writes are strictly serializable; a watch has been told of a change before the
/// change's own callback runs, where the provider is in the process. UNAVAILABLE: nothing happened,
/// try again. Error::type kOutcomeUnknown: it may have happened; send it again under its
/// idempotency key. RESOURCE_EXHAUSTED: no space; reads go on.
class Store {
 public:
  virtual ~Store() = default;
  virtual void read(StoreRead request, Callback<void(Result<StorePage>)> done) = 0;
  virtual void commit(StoreTransaction transaction, Callback<void(Result<StoreOutcome>)> done) = 0;
  /// The observer must outlive what is returned.
  virtual std::unique_ptr<StoreWatch> watch(StoreWatchRequest request, StoreObserver& observer) = 0;
  /// Keys put under a lease vanish together, in one revision, `ttl` after its last renewal (whole
  /// seconds, at least 1).
  virtual void grant(Duration ttl, Callback<void(Result<LeaseId>)> done) = 0;
  virtual void keep_alive(LeaseId lease, Callback<void(Status)> done) = 0;
  virtual void revoke(LeaseId lease, Callback<void(Status)> done) = 0;
  /// Forgets what was before the revision; it can still be read itself.
  virtual void compact(Revision revision, Callback<void(Status)> done) = 0;
  /// Revisions of before mean nothing any more: watches end with kStoreOtherEpoch, and who names
  /// the old epoch is refused.
  virtual void begin_epoch(std::uint64_t epoch, Callback<void(Status)> done) = 0;
  /// Whether other processes write here as well: then what a watch has told may lag behind what was
  /// acknowledged.
  [[nodiscard]] virtual bool is_shared() const noexcept { return false; }
  [[nodiscard]] virtual StoreLimits limits() const noexcept = 0;
  [[nodiscard]] virtual StoreHealth health() = 0;
};

struct StoreContext {
  std::string capsule;
  std::string location;  ///< what stands behind the provider's name: "/var/lib/hector/north.db",
                         ///< "//127.0.0.1:2379/north"
  const Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  Log* log = nullptr;
  std::string settings = "{}";
  Error* why = nullptr;  ///< for a maker that returns null
};

/// For who may block: the same, waiting. On an executor that is alone (a simulation) the waiting
/// lets the world go on.
Result<StorePage> read_and_wait(Store& store, StoreRead request);
Result<StoreOutcome> commit_and_wait(Store& store, StoreTransaction transaction);
Result<LeaseId> grant_and_wait(Store& store, Duration ttl);
Status compact_and_wait(Store& store, Revision revision);

/// What a transact() body sees: reads are remembered, and the commit holds only if none of them has
/// changed.
class StoreView {
 public:
  virtual ~StoreView() = default;
  /// Nothing if absent. Blocks.
  virtual Result<std::optional<StoreEntry>> get(std::string_view key) = 0;
  virtual void put(std::string_view key, Bytes value, LeaseId lease = 0) = 0;
  virtual void erase(std::string_view key) = 0;
};
/// Runs `body` and commits what it wrote if nothing that it read has changed since; else again, up
/// to 64 times with growing, random pauses. ABORTED (CONFLICT) after that. The body's own error
/// ends it. Blocks.
Result<Revision> transact(Store& store, Random& random,
                          const std::function<Status(StoreView&)>& body);

/// Writes everything as of one revision into a file (any provider's can be restored into any
/// other's). Blocks.
Status backup(Store& store, const std::string& path);
/// Into an empty store, or one where this was begun and not finished, under a new epoch: revision
/// tokens from before are refused. FAILED_PRECONDITION if there is anything else; DATA_LOSS with
/// the offset if the file is damaged: then nothing was restored. Leases are not restored, nor what
/// hung on them. Blocks.
Status restore(Store& store, Random& random, const std::string& path);
/// Is there while a restore() is not finished.
inline constexpr std::string_view kStoreRestoring = "hector/restoring";

}  // namespace hector
