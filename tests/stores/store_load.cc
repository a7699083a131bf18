// What: store_load, many clients of one store, and a check of everything they were told.
// Why: that a store is linearizable while its members die shows only in the whole history.
// Who: tests/system/store_test.py. `store_load LOCATION SECONDS`; prints one line of figures, or
// what was wrong.
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "hector/store.h"
#include "hector/system.h"
#include "process/module_loader.h"

namespace {

using namespace hector;

constexpr int kClients = 8;
constexpr int kKeys = 5;

struct Done {
  TimePoint from, to;
  Revision revision = 0;  ///< of the write, or that the read saw
  std::string key, value;
  bool is_write = false;
};

class History final : public StoreObserver {
 public:
  void changed(const StoreChange& change) noexcept override {
    const std::lock_guard lock(mutex_);
    for (const auto& event : change.events)
      values[{event.entry.key, change.revision}] = event.entry.value.str();
    last_ = change.revision;
    changed_.notify_all();
  }
  void progress(Revision revision) noexcept override {
    const std::lock_guard lock(mutex_);
    last_ = std::max(last_, revision);
    changed_.notify_all();
  }
  void ended(const Error& error) noexcept override {
    fmt::print("the watch ended: {}\n", error.text());
  }
  bool wait(Revision revision) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return last_ >= revision; });
  }
  std::map<std::pair<std::string, Revision>, std::string> values;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Revision last_ = 0;
};

int check(std::vector<Done> all, const History& history) {
  std::map<std::string, std::map<Revision, std::string>> of_key;
  for (const auto& [at, value] : history.values) of_key[at.first][at.second] = value;
  for (const auto& done : all) {
    const auto& versions = of_key[done.key];
    auto at = versions.upper_bound(done.revision);
    const std::string is = at == versions.begin() ? "" : std::prev(at)->second;
    if (is != done.value)
      return fmt::print("WRONG: {} of {} at revision {} is '{}', the history has '{}'\n",
                        done.is_write ? "a write" : "a read", done.key, done.revision, done.value,
                        is),
             1;
  }
  // Revisions are the order; it must not contradict the clock: what began after another had ended
  // is not before it.
  std::sort(all.begin(), all.end(), [](const Done& a, const Done& b) { return a.from < b.from; });
  std::vector<const Done*> by_end;
  for (const auto& done : all) by_end.push_back(&done);
  std::sort(by_end.begin(), by_end.end(),
            [](const Done* a, const Done* b) { return a->to < b->to; });
  Revision newest = 0;
  std::size_t ended = 0;
  for (const auto& done : all) {
    while (ended < by_end.size() && by_end[ended]->to < done.from)
      newest = std::max(newest, by_end[ended++]->revision);
    if (done.revision < newest || (done.is_write && done.revision == newest && newest != 0)) {
      return fmt::print("WRONG: {} of {} at revision {} began after revision {} was answered\n",
                        done.is_write ? "a write" : "a read", done.key, done.revision, newest),
             1;
    }
  }
  return 0;
}

int run(const std::string& location, int seconds) {
  auto log = make_log(LogFormat::kText, Level::kError, "load");
  auto clock = make_system_clock();
  auto random = make_system_random();
  auto loops = make_event_loops(2);
  PluginLoader loader(plugin_paths(), *log);
  auto store =
      loader.make_store(location, {"load", {}, clock.get(), random.get(), loops.get(), log.get()});
  if (!store) return fmt::print("{}\n", store.error().text()), 1;
  const auto first = commit_and_wait(**store, {{}, {StoreOperation::put("start", {})}, {}, {}});
  if (!first) return fmt::print("{}\n", first.error().text()), 1;
  History history;
  const auto watch = (*store)->watch({KeyRange::prefix("r"), first->revision}, history);
  std::mutex mutex;
  std::vector<Done> all;
  std::atomic<int> failed{0};
  std::atomic<std::int64_t> longest{0};
  const TimePoint end = clock->now() + std::chrono::seconds(seconds);
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      for (int i = 0; clock->now() < end; ++i) {
        Done done{clock->now(),
                  {},
                  0,
                  "r" + std::to_string(random->next() % kKeys),
                  {},
                  (random->next() & 1) != 0};
        if (done.is_write) {
          done.value = fmt::format("{}.{}", c, i);
          auto outcome =
              commit_and_wait(**store, {{},
                                        {StoreOperation::put(done.key, Bytes::copy(done.value))},
                                        {},
                                        fmt::format("{}.{}", c, i)});
          if (!outcome) {
            ++failed;
            continue;
          }
          done.revision = outcome->revision;
        } else {
          auto page = read_and_wait(**store, {KeyRange::one(done.key)});
          if (!page) {
            ++failed;
            continue;
          }
          done.revision = page->revision;
          if (!page->entries.empty()) done.value = page->entries[0].value.str();
        }
        done.to = clock->now();
        for (auto took = (done.to - done.from).count(), known = longest.load();
             took > known && !longest.compare_exchange_weak(known, took);)
          continue;
        const std::lock_guard lock(mutex);
        all.push_back(std::move(done));
      }
    });
  }
  fmt::print("running\n");
  std::fflush(stdout);
  for (auto& client : clients) client.join();
  auto page = read_and_wait(**store, {KeyRange::prefix("r")});
  if (!page) return fmt::print("{}\n", page.error().text()), 1;
  const auto sync = commit_and_wait(**store, {{}, {StoreOperation::put("r-end", {})}, {}, {}});
  if (!sync || !history.wait(sync->revision))
    return fmt::print("WRONG: the watch did not come to the end\n"), 1;
  if (const int wrong = check(all, history); wrong != 0) return wrong;
  fmt::print("{} operations linearizable, {} failed, longest {} ms\n", all.size(), failed.load(),
             longest.load() / 1'000'000);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return fmt::print("usage: store_load LOCATION SECONDS\n"), 2;
  return run(argv[1], std::atoi(argv[2]));
}
