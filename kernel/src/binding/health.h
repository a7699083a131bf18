// What: Health, whether other capsules are still there.
// Why: a party that is killed tells nobody; it is noticed within two seconds, once for all
// Bindings of this capsule.
// Who: BindingController watches capsules; KernelImpl passes on what Health finds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "base/blocking_pool.h"
#include "hector/clock.h"
#include "hector/executor.h"
#include "hector/reference.h"

namespace hector {

/// Any thread. Its mutex is a leaf: pings, `lost` and `alive` are called outside of it.
class Health {
 public:
  /// With the rest: what is lost is noticed within 1.3 s.
  static constexpr Duration kAskEvery = std::chrono::milliseconds(400);
  static constexpr Duration kAskAgain = std::chrono::milliseconds(50);       ///< after a miss
  static constexpr Duration kAnswerWithin = std::chrono::milliseconds(400);  ///< of one ping
  static constexpr int kMissesMax = 2;  ///< one may be a lost datagram
  /// Pings a capsule. May block before it returns; `done` may come on any thread, before or after,
  /// and must come.
  using Ping = std::function<void(const Reference& capsule, Deadline deadline,
                                  std::function<void(bool is_there)> done)>;
  using Told = std::function<void(std::uint64_t capsule_id)>;

  /// All of it outlives Health. `own`: this capsule, which is never watched.
  struct Options {
    const Clock& clock;
    Executor& executor;
    BlockingPool& blocking;
    std::uint64_t own = 0;
    Ping ping;
  };
  explicit Health(Options options) : options_(std::move(options)) {}

  /// From now on `lost` is told once when it is gone; `alive` after ask_now(), if it answers. Both
  /// on a thread that may block. Counted: as many forget() as watch() end it.
  void watch(const Reference& capsule);
  void forget(std::uint64_t capsule_id);
  /// A party doubts that it is there.
  void ask_now(std::uint64_t capsule_id);
  /// Before the first watch().
  void on_lost(Told lost) { lost_ = std::move(lost); }
  void on_alive(Told alive) { alive_ = std::move(alive); }
  /// Nothing is watched any more.
  void stop();

 private:
  struct Watched {
    Reference capsule;
    std::uint32_t watchers = 0;
    int misses = 0;
    std::uint64_t ping = 0;   ///< the number of the one in flight; 0: none
    bool is_doubted = false;  ///< `alive` is waited for
    bool is_lost = false;
    TimerId timer = 0;
  };
  enum class Finding { kNothing, kLost, kAlive };
  void ask(std::uint64_t capsule_id);
  void answered(std::uint64_t capsule_id, std::uint64_t ping, bool is_there);
  /// With the lock held.
  Finding judge(Watched& watched, bool is_there);
  void schedule(Watched& watched, Duration after);
  static void check_invariants(const Watched& watched);

  const Options options_;
  Told lost_;
  Told alive_;
  std::mutex mutex_;
  std::map<std::uint64_t, Watched> watched_;
  std::uint64_t pings_ever_ = 0;
  bool is_stopped_ = false;
};

}  // namespace hector
