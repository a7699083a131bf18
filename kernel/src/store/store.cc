#include "hector/store.h"

#include <algorithm>
#include <thread>

#include "hector/awaited.h"
#include "hector/check.h"

namespace hector {

KeyRange KeyRange::one(std::string_view key) {
  KeyRange range{std::string(key), std::string(key)};
  range.to.push_back('\0');
  return range;
}

KeyRange KeyRange::prefix(std::string_view prefix) {
  KeyRange range{std::string(prefix), std::string(prefix)};
  while (!range.to.empty() && static_cast<unsigned char>(range.to.back()) == 0xff)
    range.to.pop_back();
  if (range.to.empty())
    range.to.assign(1, '\xff');  // keys are UTF-8 or begin with ASCII: none is above
  else
    ++range.to.back();
  return range;
}

namespace {

/// The body's reads and writes.
class RecordedView final : public StoreView {
 public:
  explicit RecordedView(Store& store) : store_(store) {}
  Result<std::optional<StoreEntry>> get(std::string_view key) override {
    auto page = HECTOR_TRY(read_and_wait(store_, {KeyRange::one(key), revision_}));
    revision_ = page.revision;  // all reads see one revision
    HECTOR_CHECK(page.entries.size() <= 1, "one key has several entries");
    std::optional<StoreEntry> entry;
    if (!page.entries.empty()) entry = std::move(page.entries.front());
    transaction.compares.push_back(StoreCompare::unchanged(key, entry ? entry->modified : 0));
    return entry;
  }
  void put(std::string_view key, Bytes value, LeaseId lease) override {
    transaction.then.push_back(StoreOperation::put(key, std::move(value), lease));
  }
  void erase(std::string_view key) override {
    transaction.then.push_back(StoreOperation::erase(key));
  }

  StoreTransaction transaction;

 private:
  Store& store_;
  Revision revision_ = 0;
};

}  // namespace

Result<StorePage> read_and_wait(Store& store, StoreRead request) {
  Awaited<Result<StorePage>> waiting;
  store.read(std::move(request), waiting.callback());
  return waiting.wait();
}

Result<StoreOutcome> commit_and_wait(Store& store, StoreTransaction transaction) {
  Awaited<Result<StoreOutcome>> waiting;
  store.commit(std::move(transaction), waiting.callback());
  return waiting.wait();
}

Result<LeaseId> grant_and_wait(Store& store, Duration ttl) {
  Awaited<Result<LeaseId>> waiting;
  store.grant(ttl, waiting.callback());
  return waiting.wait();
}

Status compact_and_wait(Store& store, Revision revision) {
  Awaited<Status> waiting;
  store.compact(revision, waiting.callback());
  return waiting.wait();
}

Status begin_epoch_and_wait(Store& store, std::uint64_t epoch) {
  Awaited<Status> waiting;
  store.begin_epoch(epoch, waiting.callback());
  return waiting.wait();
}

Result<Revision> transact(Store& store, Random& random,
                          const std::function<Status(StoreView&)>& body) {
  // As many writers of one key as store_kit lets run at once.
  constexpr int kTries = 64;
  constexpr std::uint64_t kPauseMax = 20'000;  // µs
  for (int i = 0; i < kTries; ++i) {
    RecordedView view(store);
    HECTOR_TRY(body(view));
    auto outcome = HECTOR_TRY(commit_and_wait(store, std::move(view.transaction)));
    if (outcome.succeeded) return outcome.revision;
    if (i >= 2)
      std::this_thread::sleep_for(std::chrono::microseconds(
          random.next() % std::min<std::uint64_t>(kPauseMax, 50ULL << std::min(i, 10))));
  }
  return fail(Error{Code::kAborted,
                    "CONFLICT: what the transaction read was changed by others each of 64 times; "
                    "try again when there is less contention",
                    std::string(kStoreConflict),
                    {},
                    {}});
}

}  // namespace hector
