// What: Health, whether other capsules are still there.
// Why: a party that is killed tells nobody; it is noticed within two seconds, once for all Bindings
// of this capsule.
// Who: BindingController.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "party/core.h"

namespace hector {

/// Any thread. Asks each watched capsule's coordinator one small question from time to time.
class Health {
 public:
  static constexpr Duration kAskEvery = std::chrono::milliseconds(400);
  static constexpr Duration kAnswerWithin = std::chrono::milliseconds(400);
  static constexpr int kMissesMax = 2;
  using Lost = std::function<void(std::uint64_t capsule_id)>;
  using Alive = std::function<void(std::uint64_t capsule_id)>;
  explicit Health(Core& core) : core_(core) {}

  /// From now on `lost` is told once when it is gone; `alive` after ask_now(), if it answers. Both
  /// on a thread that may block. Counted: as many forget() as watch() end it.
  void watch(const Reference& capsule);
  void forget(std::uint64_t capsule_id);
  /// Somebody doubts that it is there.
  void ask_now(std::uint64_t capsule_id);
  void on_lost(Lost lost) { lost_ = std::move(lost); }
  void on_alive(Alive alive) { alive_ = std::move(alive); }
  void stop();

 private:
  struct Watched {
    Reference capsule;
    std::uint32_t watchers = 0;
    int misses = 0;
    bool is_asking = false;
    bool is_doubted = false;
    bool is_lost = false;
    TimerId timer = 0;
  };
  void ask(std::uint64_t capsule_id);
  void answered(std::uint64_t capsule_id, bool is_there);
  void schedule(Watched& watched, Duration after);

  Core& core_;
  Lost lost_;
  Alive alive_;
  std::mutex mutex_;
  std::map<std::uint64_t, Watched> watched_;
  bool is_stopped_ = false;
};

}  // namespace hector
