// What: ObjectWatch, what every Object is at: which operation runs since when, at what cost of
// processor time; and what is done about a call that runs past its caller's deadline.
// Why: an Object that burns or blocks must be seen, must not gather calls for ever, and must not
// slow down those that do neither: all of it is worked out by looking from outside, now and then.
// Who: KernelImpl looks on a thread of its own; management shows it; what a capsule's end cuts
// short is told by it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "call/thread_activity.h"
#include "hector/log.h"
#include "objects/offer_table.h"

namespace hector {

/// One call that a thread was seen to be inside of.
struct RunningCall {
  std::string operation;
  Duration running{};    ///< since it was first seen
  Duration processor{};  ///< of its thread since then
  std::chrono::system_clock::time_point since{};
  std::optional<Duration> late{};  ///< past its deadline; none: it is not
  bool is_inner = false;           ///< of several calls of one thread: the innermost

  /// "'act' for 3.2 s (3.1 s of processor time), 1.2 s past its deadline".
  [[nodiscard]] std::string text() const;
};

/// "2026-11-27T03:12:09Z".
[[nodiscard]] std::string time_text(std::chrono::system_clock::time_point time);

/// Any thread. look() takes as long as it takes to visit each thread; nothing waits for an Object.
class ObjectWatch {
 public:
  /// How often the kernel looks: a call that is shorter may never be seen.
  static constexpr Duration kEvery = std::chrono::milliseconds(200);
  /// A call is overdue when it has run for so long past its deadline: its caller ends at the
  /// deadline itself, and an Object may just be about to answer.
  static constexpr Duration kLateAfter = std::chrono::milliseconds(100);

  struct Options {
    const OfferTable& offers;
    const Clock& clock;
    Log& log;
    /// Of a call without a deadline, flows apart: they may run as long as they like.
    Duration default_deadline;
    /// A thread's processor time; a test's own.
    std::function<Duration(const ThreadActivity&)> processor_time = {};
  };
  explicit ObjectWatch(Options options);

  /// Once more: what runs is compared with what ran before.
  void look();
  /// Of one Object, as of now; the outermost call of each thread first.
  [[nodiscard]] std::vector<RunningCall> running(const ObjectHost& host) const;
  /// Processor time that threads were seen to use in an Object, all together.
  [[nodiscard]] Duration processor(const ObjectHost& host) const;
  /// What runs in any Object now, those among them that were deleted meanwhile.
  struct Entry {
    OfferPtr offer;
    RunningCall call;
  };
  [[nodiscard]] std::vector<Entry> all_running() const;

 private:
  /// One level of one thread.
  using Key = std::pair<std::uint64_t, std::uint32_t>;
  struct Seen {
    std::uint64_t number = 0;
    const void* host = nullptr;
    const void* operation = nullptr;
    TimePoint deadline{};
    TimePoint first{};
    std::chrono::system_clock::time_point since{};
    Duration processor_before{};  ///< of the thread when it was first seen
    Duration processor{};         ///< since then
    bool is_inner = false;
    std::uint64_t look = 0;         ///< when it was last seen
    std::uint64_t calls = 0;        ///< that had entered the Object when it was last seen
    Duration tell_at = kLateAfter;  ///< late by so much it is told, once more
  };
  /// An Object that a thread was seen in. It may be gone.
  struct Known {
    std::weak_ptr<Offer> offer;
    Duration processor{};
    bool is_overdue = false;
  };
  // With the lock held.
  void compare();
  void see(std::uint64_t thread, const ThreadActivity& activity);
  void see_level(Key key, const Frame& level, Duration processor);
  void find_new();
  void charge();
  /// What to do about what was seen; it is done without the lock.
  struct Verdict {
    OfferPtr offer;
    RunningCall call;
    std::uint64_t calls = 0;
    bool is_told = false;  ///< in the log
    bool is_over = false;  ///< it was overdue
  };
  std::vector<Verdict> judge();
  void carry_out(const Verdict& verdict);
  void forget();
  [[nodiscard]] OfferPtr offer_of(const void* host) const;
  [[nodiscard]] RunningCall call_of(const Offer& offer, const Seen& seen) const;
  [[nodiscard]] std::optional<Duration> late(const Operation* operation, const Seen& seen) const;
  void tell(const Offer& offer, const RunningCall& call);

  const Options options_;
  mutable std::mutex mutex_;
  std::uint64_t looks_ = 0;
  TimePoint now_{};
  std::map<Key, Seen> seen_;
  struct Used {
    const void* host = nullptr;  ///< who used it
    Duration processor{};        ///< since the look before
    Duration total{};
    std::uint64_t look = 0;
  };
  std::unordered_map<std::uint64_t, Used> threads_;
  std::unordered_map<const void*, Known> known_;
};

}  // namespace hector
