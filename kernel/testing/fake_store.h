// What: FakeStore, a store that does everything before its functions return.
// Why: what stands on a store is tested without threads, and with another writer between any two
// steps.
// Who: unit tests of the kernel and of what services share.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hector/store.h"

namespace hector::testing {

class FakeStore final : public Store {
 public:
  bool is_shared_by_others = false;
  /// Runs before the next commit, once: another writer.
  std::function<void()> before_commit;
  /// What the next reads and commits end with, while it is set.
  std::optional<Error> broken;
  /// That begin_epoch() was given.
  std::uint64_t epoch = 0;

  void put(const std::string& key, const std::string& value, LeaseId lease = 0) {
    commit({{}, {StoreOperation::put(key, Bytes::copy(value), lease)}, {}, {}}, [](auto) {});
  }
  [[nodiscard]] std::string value(const std::string& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? "(none)" : found->second.value.str();
  }
  /// Ends every watch, as a compaction or a restore does.
  void end_watches(const Error& why) {
    for (auto* const each : std::exchange(watches_, {})) each->observer.ended(why);
  }
  [[nodiscard]] std::size_t watches() const { return watches_.size(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  void read(StoreRead request, Callback<void(Result<StorePage>)> done) override {
    if (broken) return done(fail(*broken));
    StorePage page;
    page.revision = revision_;
    for (const auto& [key, entry] : entries_) {
      if (!request.range.contains(key) || key <= request.after) continue;
      if (request.limit != 0 && page.entries.size() == request.limit) {
        page.next = page.entries.back().key;
        break;
      }
      page.entries.push_back(entry);
    }
    done(std::move(page));
  }
  void commit(StoreTransaction transaction, Callback<void(Result<StoreOutcome>)> done) override {
    if (auto other = std::exchange(before_commit, {})) other();
    if (broken) return done(fail(*broken));
    StoreOutcome outcome;
    outcome.succeeded = std::all_of(transaction.compares.begin(), transaction.compares.end(),
                                    [this](const auto& compare) { return holds(compare); });
    apply(outcome.succeeded ? transaction.then : transaction.otherwise);
    outcome.revision = revision_;
    done(std::move(outcome));
  }
  std::unique_ptr<StoreWatch> watch(StoreWatchRequest request, StoreObserver& observer) override {
    return std::make_unique<Watch>(*this, std::move(request.range), observer);
  }
  void grant(Duration, Callback<void(Result<LeaseId>)> done) override {
    if (broken) return done(fail(*broken));
    done(++leases_);
  }
  void keep_alive(LeaseId lease, Callback<void(Status)> done) override {
    done(lease <= leases_ ? Status() : Status(fail(no_lease())));
  }
  void revoke(LeaseId lease, Callback<void(Status)> done) override {
    std::vector<StoreOperation> erased;
    for (const auto& [key, entry] : entries_) {
      if (entry.lease == lease) erased.push_back(StoreOperation::erase(key));
    }
    if (erased.empty()) return done(fail(no_lease()));
    apply(erased);
    done({});
  }
  void compact(Revision, Callback<void(Status)> done) override { done({}); }
  void begin_epoch(std::uint64_t begun, Callback<void(Status)> done) override {
    epoch = begun;
    done({});
  }
  bool is_shared() const noexcept override { return is_shared_by_others; }
  StoreLimits limits() const noexcept override { return {}; }
  StoreHealth health() override { return {}; }

 private:
  struct Watch final : StoreWatch {
    Watch(FakeStore& in, KeyRange of, StoreObserver& told)
        : store(in), range(std::move(of)), observer(told) {
      store.watches_.push_back(this);
    }
    ~Watch() override { std::erase(store.watches_, this); }
    FakeStore& store;
    const KeyRange range;
    StoreObserver& observer;
  };
  static Error no_lease() {
    return Error::not_found("no such lease").with_type(std::string(kStoreLeaseNotFound));
  }
  [[nodiscard]] bool holds(const StoreCompare& compare) const {
    const auto found = entries_.find(compare.key);
    return (found == entries_.end() ? 0 : found->second.modified) == compare.number;
  }
  void apply(const std::vector<StoreOperation>& operations) {
    if (operations.empty()) return;
    StoreChange change;
    change.revision = ++revision_;
    for (const auto& each : operations) {
      if (each.kind == StoreOperation::Kind::kPut) {
        const StoreEntry entry{each.key, each.value, revision_, revision_, 1, each.lease};
        entries_[each.key] = entry;
        change.events.push_back({StoreEvent::Kind::kPut, entry, {}});
        continue;
      }
      for (auto at = entries_.begin(); at != entries_.end();) {
        if (!each.range.contains(at->first)) {
          ++at;
          continue;
        }
        change.events.push_back({StoreEvent::Kind::kErase, {at->first, {}, 0, revision_}, {}});
        at = entries_.erase(at);
      }
    }
    for (auto* const each : std::vector<Watch*>(watches_)) {
      StoreChange told{change.revision, {}};
      for (const auto& event : change.events) {
        if (each->range.contains(event.entry.key)) told.events.push_back(event);
      }
      if (told.events.empty())
        each->observer.progress(change.revision);
      else
        each->observer.changed(told);
    }
  }

  std::map<std::string, StoreEntry> entries_;
  Revision revision_ = 0;
  LeaseId leases_ = 0;
  std::vector<Watch*> watches_;
};

}  // namespace hector::testing
