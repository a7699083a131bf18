// What: History, every key's versions in memory: what a store is, without disk, leases or threads.
// Why: a read at any revision, an undo of what could not be made durable, and the events of a
// revision come from one structure.
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
  LeaseId lease_before = 0;  ///< what the key hung on until then; not kept
};

/// One thread at a time changes it, or many read it.
class History {
 public:
  /// The revision of the last record.
  [[nodiscard]] Revision latest() const noexcept { return latest_; }
  [[nodiscard]] Revision compacted() const noexcept { return compacted_; }
  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }

  /// Records come in the order of their revisions.
  void apply(const Record& record);
  /// Everything after the revision never was.
  void undo(Revision after);
  void compact(Revision revision);
  /// What compact() would forget: revision and place in it.
  [[nodiscard]] std::vector<std::pair<Revision, std::uint32_t>> superseded(Revision revision) const;
  /// What was before the first record that will be loaded is forgotten.
  void start_at(Revision compacted, Revision latest) { compacted_ = compacted, latest_ = latest; }

  /// Null if it is not there at that revision.
  [[nodiscard]] std::optional<StoreEntry> find(std::string_view key, Revision revision) const;
  [[nodiscard]] StorePage range(const StoreRead& request, Revision revision) const;
  /// The events of one revision in the range; none if it changed nothing there.
  void each_change(Revision from, Revision to, const KeyRange& range, bool with_previous,
                   const std::function<void(const StoreChange&)>& told) const;
  /// What is there now, for a journal that is written anew.
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

  Keys keys_;
  std::deque<Logged> log_;  ///< after compacted_, in order
  Revision latest_ = 0;
  Revision compacted_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace hector::stores
