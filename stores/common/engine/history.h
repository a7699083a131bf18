// What: History, every key's versions in memory: a store without disk, leases and threads.
// Why: reads at any revision, the undo of a batch that could not be made durable, and the events of
// a revision come from one structure.
// Who: Engine.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "hector/store.h"

namespace hector::stores {

/// One key changed by one revision: what a journal keeps.
struct Record {
  Revision revision = 0;
  bool is_put = true;
  std::string key;
  Bytes value;
  Revision created = 0;
  std::int64_t version = 0;
  LeaseId lease = 0;
  std::uint32_t sub = 0;     ///< its place in the revision
  LeaseId lease_before = 0;  ///< that the key was attached to until then; not kept
};

/// One thread changes it or many read it, as under a shared mutex.
class History {
 public:
  /// The revision of the last record.
  [[nodiscard]] Revision latest() const noexcept { return latest_; }
  [[nodiscard]] Revision compacted() const noexcept { return compacted_; }
  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }

  /// Records come in the order of their revisions; the first may have any.
  void apply(const Record& record);
  /// Removes every record after the revision, which is at most latest().
  void undo(Revision after);
  /// Forgets the versions that nobody can read at `revision`, at most latest(), or later.
  void compact(Revision revision);
  /// What compact() would forget: revision and place in it.
  [[nodiscard]] std::vector<std::pair<Revision, std::uint32_t>> superseded(Revision revision) const;
  /// After loading: records up to `compacted` may have been dropped, so latest() may be higher than
  /// the last record's revision.
  void start_at(Revision compacted, Revision latest);

  /// Nothing if the key does not exist at that revision.
  [[nodiscard]] std::optional<StoreEntry> find(std::string_view key, Revision revision) const;
  [[nodiscard]] StorePage range(const StoreRead& request, Revision revision) const;
  /// The events of one revision in the range; none if it changed nothing there.
  void each_change(Revision from, Revision to, const KeyRange& range, bool with_previous,
                   const std::function<void(const StoreChange&)>& told) const;
  /// The latest version of each key, by revision: for a journal that is rewritten.
  void each_record(const std::function<void(const Record&)>& told) const;

 private:
  struct Version {
    Bytes value;
    Revision modified, created;
    std::int64_t version;  ///< 0: erased
    LeaseId lease;
    std::uint32_t sub;
  };
  using Keys = std::map<std::string, std::vector<Version>, std::less<>>;
  struct Logged {
    Revision revision;
    Keys::iterator key;
  };
  static const Version* at(const std::vector<Version>& versions, Revision revision);
  static StoreEntry entry_of(const std::string& key, const Version& version);
  static std::vector<Version>::const_iterator of_revision(const std::vector<Version>& versions,
                                                          Revision revision);
  void count(bool was_there, bool is_there);

  Keys keys_;
  std::deque<Logged> log_;  ///< after compacted_, in order
  Revision latest_ = 0;
  Revision compacted_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace hector::stores
